"""Several models on the same split: one table, one page, and how certain each difference is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from geoclass.errors import EvaluationError
from geoclass.evaluation.report import TaskReport
from geoclass.metrics.bootstrap import LEVEL, Difference, interval_note, paired_differences
from geoclass.metrics.compute import compute_metrics
from geoclass.metrics.names import COMPARED_METRICS
from geoclass.metrics.predictions import TaskPredictions
from geoclass.reporting.comparison import write_comparison_page
from geoclass.storage import write_json

FORMAT = "geoclass/comparison"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Models side by side for one task."""

    task: str
    reports: tuple[TaskReport, ...]  # each on all tracks that it can be scored on
    names: tuple[str, ...]  # one per report, all different
    n_tracks: int  # that the differences are measured on
    n_known: int = 0  # left out of them: some model was fitted on the track or its artist
    differences: tuple[Difference, ...]
    note: str = ""  # why the differences have no intervals

    def write(self, folder: str | Path) -> Path:
        """Write each model's report into a folder of its name, then one page and comparison.json for all."""
        folder = Path(folder)
        for name, report in zip(self.names, self.reports, strict=True):
            report.write(folder / name)
        metrics = [report.metrics for report in self.reports]
        write_comparison_page(
            folder,
            task=self.task,
            names=self.names,
            metrics=metrics,
            differences=self.differences,
            n_tracks=self.n_tracks,
            n_known=self.n_known,
            note=self.note,
        )
        content = {
            "task": self.task,
            "n_tracks": self.n_tracks,
            "n_known": self.n_known,
            "level": LEVEL,
            "note": self.note,
            "models": {name: of["model"] for name, of in zip(self.names, metrics, strict=True)},
            "differences": [asdict(difference) for difference in self.differences],
        }
        write_json(folder / "comparison.json", content, format=FORMAT)
        return folder


def compare(reports: Sequence[TaskReport], names: Sequence[str], *, bootstrap: int = 1000, seed: int = 0) -> Comparison:
    """Compare reports of one task, split and data set, pair by pair.

    Tracks that every model can be scored on are compared, and of these only the ones that are new to all models; where
    none is, all of them.

    Raises:
        EvaluationError: Different tasks, or no track in common.
    """
    tasks = {report.task for report in reports}
    if len(tasks) != 1:
        raise EvaluationError(f"models for {' and '.join(sorted(tasks))} cannot be compared")
    common, n_known = _common(reports)
    unique = _unique(names)
    note = interval_note(common[0].n_artists, bootstrap)
    values = [compute_metrics(predictions, bootstrap=0) for predictions in common]
    differences: list[Difference] = []
    for one, other in combinations(range(len(reports)), 2):
        bounds = {} if note else paired_differences(common[one], common[other], resamples=bootstrap, seed=seed)
        differences += _differences((unique[one], unique[other]), values[one], values[other], bounds)
    return Comparison(
        task=tasks.pop(),
        reports=tuple(reports),
        names=tuple(unique),
        n_tracks=common[0].n_tracks,
        n_known=n_known,
        differences=tuple(differences),
        note=note,
    )


def _differences(
    names: tuple[str, str],
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    bounds: Mapping[str, Mapping[str, float]],
) -> Iterator[Difference]:
    for score in COMPARED_METRICS:
        if first.get(score) is not None and second.get(score) is not None:
            of_score = bounds.get(score, {})
            difference = second[score] - first[score]
            yield Difference(*names, score, difference, of_score.get("low"), of_score.get("high"), of_score.get("p"))


def _common(reports: Sequence[TaskReport]) -> tuple[list[TaskPredictions], int]:
    """The predictions of each model for the tracks to compare, and how many are left out because a model knows them."""
    shared = set.intersection(*(set(report.predictions.track_ids) for report in reports))
    if not shared:
        raise EvaluationError("the models have no track in common that all of them can be scored on")
    known = {
        track
        for report in reports
        if report.overlap is not None
        for track, is_known in zip(report.predictions.track_ids, report.overlap.either, strict=True)
        if is_known and track in shared
    }
    chosen = shared - known or shared
    taken = []
    for predictions in (report.predictions for report in reports):
        rows = [row for row, track in enumerate(predictions.track_ids) if track in chosen]
        taken.append(predictions if len(rows) == predictions.n_tracks else predictions.take(np.array(rows)))
    return taken, len(shared) - len(chosen)


def _unique(names: Sequence[str]) -> list[str]:
    """Names that can be folders, numbered where they are alike."""
    plain = ["".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".-") or "model" for name in names]
    return [
        name if plain.count(name) == 1 else f"{name}-{plain[: index + 1].count(name)}"
        for index, name in enumerate(plain)
    ]
