"""Scoring a model on a data set, and writing what came out: numbers, predictions, pictures, one page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.calibration import decisions
from geoclass.dataset.dataset import Dataset
from geoclass.errors import DatasetError
from geoclass.evaluation.predict import Answers, ask
from geoclass.metrics.compute import compute_metrics
from geoclass.metrics.formulas import calibration_bins, expected_calibration_error
from geoclass.metrics.geography import distance_km
from geoclass.metrics.predictions import DECISION, Scored
from geoclass.progress import Progress
from geoclass.storage import atomic_path, write_json

FORMAT = "geoclass/metrics"


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskReport:
    """One model on one task of one split."""

    model: str  # name, release and weights
    answers: Answers
    metrics: Mapping[str, Any]  # what metrics.json holds

    @property
    def task(self) -> str:
        return self.answers.scored.task

    def write(self, folder: str | Path) -> Path:
        """Write metrics.json, predictions.csv, the pictures, confusion.csv and index.html; metrics.json goes last."""
        from geoclass.reporting.page import write_page

        folder = Path(folder)
        _write_csv(predictions_table(self.answers), folder / "predictions.csv")
        labels = list(self.answers.scored.labels)
        _write_csv(
            pd.DataFrame(self.metrics["confusion"]["matrix"], index=labels, columns=labels).reset_index(names="true"),
            folder / "confusion.csv",
        )
        write_page(self, folder)
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
            from geoclass.reporting.page import write_index

            write_index(self, folder)
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
        EvaluationError, DatasetError: See `ask`.
    """
    answers = ask(bundle, dataset, split=split, batch_size=batch_size, progress=progress)
    context = {
        "model": bundle.identity,
        "architecture": bundle.model.name,
        "dataset": {"name": dataset.folder.name, "fingerprint": dataset.fingerprint},
        "trained_on": bundle.training.get("dataset_fingerprint"),
        "split": split,
        "group": dataset.group,
        "protocol": dataset.protocol,
    }
    return Report(tasks={
        task: report_on(
            given, model=bundle.identity, context=context, majority=_majority(dataset, task), bootstrap=bootstrap,
            seed=seed,
        )
        for task, given in answers.items()
    })  # fmt: skip


def report_on(
    answers: Answers, *, model: str, context: Mapping[str, Any], majority: str | None, bootstrap: int, seed: int
) -> TaskReport:
    """Compute the metrics of answers, however they were obtained. `context` is written beside them."""
    metrics = compute_metrics(answers.scored, majority=majority, bootstrap=bootstrap, seed=seed)
    if answers.uncalibrated is not None:
        before = calibration_bins(*decisions(answers.uncalibrated, answers.scored.truth))
        metrics["ece_before_calibration"] = expected_calibration_error(before)
        metrics["calibration_bins_before"] = {name: column.tolist() for name, column in before.items()}
    metrics["omitted"] = answers.omitted
    head = {"task": metrics.pop("task"), "kind": metrics.pop("kind")}
    return TaskReport(model=model, answers=answers, metrics=head | dict(context) | metrics)


def predictions_table(answers: Answers) -> pd.DataFrame:
    """One line a track, in the order of the split: truth, answer, how sure, what would be written."""
    scored, tracks = answers.scored, answers.tracks
    labels = np.asarray(scored.labels, object)
    table = tracks[["track_id", "path", "artist_id"]].copy()
    if scored.kind == "multi":
        table["truth"] = _joined(labels, scored.truth > 0)
        table["predicted"] = _joined(labels, scored.probabilities >= DECISION)
    else:
        table["truth"], table["predicted"] = labels[scored.truth], labels[scored.predicted]
    table["probability"] = scored.confidence.round(6)
    table["correct"] = (table["truth"] == table["predicted"]).astype(int)
    table["rank_of_truth"] = scored.rank + 1
    threshold = DECISION if scored.threshold is None else scored.threshold
    table["written"] = (scored.confidence >= threshold).astype(int)
    if scored.task == "country":
        pairs = zip(table["truth"], table["predicted"], strict=True)
        table["distance_km"] = np.array([distance_km(truth, predicted) for truth, predicted in pairs]).round(1)
    table["candidates"] = _candidates(scored)
    return table


def _candidates(scored: Scored, *, n: int = 5) -> list[str]:
    """ "TR 0.620; IR 0.110; …" for each track, best first."""
    n = min(n, len(scored.labels))
    top = np.argpartition(-scored.probabilities, n - 1, axis=1)[:, :n]
    values = np.take_along_axis(scored.probabilities, top, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    top, values = np.take_along_axis(top, order, axis=1), np.take_along_axis(values, order, axis=1)
    return [
        "; ".join(f"{scored.labels[label]} {value:.3f}" for label, value in zip(row, numbers, strict=True))
        for row, numbers in zip(top.tolist(), values.tolist(), strict=True)
    ]


def _joined(labels: "np.ndarray[Any, Any]", hot: "np.ndarray[Any, Any]") -> list[str]:
    return ["|".join(labels[row]) for row in hot]


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
