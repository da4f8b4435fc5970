"""Scoring a model on a data set, and writing the results: numbers, predictions, figures, one page.

Numbers and CSV files are written here; figures and the page by `reporting`, which lies below: it draws numbers and
predictions, and knows neither models nor data sets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.calibration import decisions
from geoclass.dataset.dataset import Dataset
from geoclass.errors import DatasetError
from geoclass.evaluation.overlap import Overlap, training_overlap
from geoclass.evaluation.predict import SplitPredictions, predict_split
from geoclass.evaluation.prediction_table import prediction_table
from geoclass.metrics.compute import compute_metrics
from geoclass.metrics.formulas import calibration_bins, expected_calibration_error
from geoclass.metrics.predictions import TaskPredictions
from geoclass.progress import Progress
from geoclass.reporting.page import write_page, write_task_index
from geoclass.storage import atomic_path, write_json

FORMAT = "geoclass/metrics"


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskReport:
    """One model on one task of one split."""

    source: SplitPredictions
    metrics: Mapping[str, Any]  # what metrics.json holds
    overlap: Overlap | None = None  # with what the model was fitted on; None: not known

    @property
    def task(self) -> str:
        """ "country" or "genre"."""
        return self.predictions.task

    @property
    def predictions(self) -> TaskPredictions:
        """What the model said of each track, and the truth."""
        return self.source.predictions

    def write(self, folder: str | Path) -> Path:
        """Write predictions.csv, confusion.csv, the figures, index.html and metrics.json, which goes last."""
        folder = Path(folder)
        _write_csv(prediction_table(self.source), folder / "predictions.csv")
        labels = list(self.predictions.labels)
        _write_csv(
            pd.DataFrame(self.metrics["confusion"]["matrix"], index=labels, columns=labels).reset_index(names="true"),
            folder / "confusion.csv",
        )
        write_page(
            folder,
            metrics=self.metrics,
            predictions=self.predictions,
            paths=list(self.source.tracks["path"]),
            embeddings=self.source.embeddings,
        )
        write_json(folder / "metrics.json", dict(self.metrics), format=FORMAT)
        return folder


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """One model on one split: a `TaskReport` for each task that model and data set share."""

    tasks: Mapping[str, TaskReport]

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """By task, what each metrics.json holds."""
        return {task: report.metrics for task, report in self.tasks.items()}

    def write(self, folder: str | Path) -> Path:
        """Write the report; with two tasks each gets a folder of its own inside."""
        folder = Path(folder)
        for task, report in self.tasks.items():
            report.write(folder / task if len(self.tasks) > 1 else folder)
        if len(self.tasks) > 1:
            write_task_index(folder, metrics=self.metrics)
        return folder


def evaluate(
    bundle: Bundle,
    *,
    dataset: Dataset,
    split: str = "test",
    batch_size: int = 256,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Score a model on a split of a data set.

    Args:
        bundle: The model.
        dataset: Built with the model's front end.
        split: "test" for the number to report.
        batch_size: Segments that go through the model together.
        bootstrap: Resamples of artists for the confidence intervals; 0: none.
        seed: Of the resampling.
        progress: Called with the number of segments done, and once with total=.

    Raises:
        EvaluationError, DatasetError: See `predict_split`.
    """
    found = predict_split(bundle, dataset, split=split, batch_size=batch_size, progress=progress)
    context: dict[str, Any] = {
        "model": bundle.identity,
        "architecture": bundle.model.name,
        "dataset": {"name": dataset.folder.name, "fingerprint": dataset.fingerprint},
        "trained_on": bundle.training.get("dataset_fingerprint"),
        "split": split,
        "group": dataset.group,
        "protocol": dataset.protocol,
    }
    reports = {}
    for task, source in found.items():
        majority = _majority(dataset, task)
        report = report_on(source, context=context, majority=majority, bootstrap=bootstrap, seed=seed)
        overlap = training_overlap(bundle, dataset, source.tracks)
        reports[task] = _with_overlap(report, overlap, majority=majority, bootstrap=bootstrap, seed=seed)
    return Report(tasks=reports)


def report_on(
    source: SplitPredictions, *, context: Mapping[str, Any], majority: str | None, bootstrap: int, seed: int
) -> TaskReport:
    """Compute the metrics of predictions, however they were obtained. `context` is written beside them."""
    predictions = source.predictions
    metrics = compute_metrics(predictions, majority=majority, bootstrap=bootstrap, seed=seed)
    if source.uncalibrated is not None:
        before = calibration_bins(*decisions(source.uncalibrated, predictions.truth))
        metrics["ece_before_calibration"] = expected_calibration_error(before)
        metrics["calibration_bins_before"] = {name: column.tolist() for name, column in before.items()}
    metrics["omitted"] = source.omitted
    head = {"task": metrics.pop("task"), "kind": metrics.pop("kind")}
    return TaskReport(source=source, metrics=head | dict(context) | metrics)


def _with_overlap(
    report: TaskReport, overlap: Overlap | None, *, majority: str | None, bootstrap: int, seed: int
) -> TaskReport:
    """The report with what the model was fitted on stated, and the metrics of the tracks that are new to it.

    A split of which the model knows any track or artist is leaky for that model, however it was made.
    """
    if overlap is None:
        return replace(report, metrics={**report.metrics, "training_overlap": None})
    n_known = int(overlap.either.sum())
    honest = None
    if 0 < n_known < len(overlap.either):
        new = report.predictions.take(np.flatnonzero(~overlap.either))
        honest = compute_metrics(new, majority=majority, bootstrap=bootstrap, seed=seed)
    stated = {
        "tracks": n_known,
        "of": len(overlap.either),
        "same_track": int(overlap.tracks.sum()),
        "same_artist": int(overlap.artists.sum()),
        "honest": honest,
    }
    protocol = "leaky" if n_known else report.metrics["protocol"]
    return replace(
        report, overlap=overlap, metrics={**report.metrics, "protocol": protocol, "training_overlap": stated}
    )


def _majority(dataset: Dataset, task: str) -> str | None:
    """The most frequent label of the training split: what a constant guess would say."""
    try:
        targets = dataset.split("train").targets(task)
    except DatasetError:
        return None
    labels = dataset.labels[task]
    counts = targets.sum(axis=0) if targets.ndim == 2 else np.bincount(targets, minlength=len(labels))
    return labels[int(counts.argmax())]


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", errors="surrogateescape")
