"""Several models on the same split: one table, one page, and how sure each difference is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from geoclass.errors import EvaluationError
from geoclass.evaluation.report import TaskReport
from geoclass.metrics.bootstrap import LEVEL, paired_differences
from geoclass.metrics.compute import compute_metrics
from geoclass.metrics.predictions import Scored
from geoclass.storage import write_json

FORMAT = "geoclass/comparison"
SCORES = (
    "accuracy", "balanced_accuracy", "macro_f1", "top3_accuracy", "top5_accuracy", "mAP", "macro_roc_auc",
    "region_accuracy", "mean_distance_km",
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """The second model's score minus the first's, on the same tracks."""

    first: str
    second: str
    score: str
    difference: float
    low: float  # of the interval, from resampling artists for both models at once
    high: float
    p: float  # two-sided bootstrap p-value


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Models side by side for one task."""

    task: str
    reports: tuple[TaskReport, ...]  # each on all tracks that it can be scored on
    names: tuple[str, ...]  # one a report, all different
    n_tracks: int  # that all models are scored on
    differences: tuple[Difference, ...]

    def write(self, folder: str | Path) -> Path:
        """Write each model's report into a folder of its name, then one page and comparison.json for all."""
        from geoclass.reporting.comparison import write_comparison_page

        folder = Path(folder)
        for name, report in zip(self.names, self.reports, strict=True):
            report.write(folder / name)
        write_comparison_page(self, folder)
        content = {
            "task": self.task,
            "n_tracks": self.n_tracks,
            "level": LEVEL,
            "models": {name: report.model for name, report in zip(self.names, self.reports, strict=True)},
            "differences": [vars(difference) for difference in self.differences],
        }
        write_json(folder / "comparison.json", content, format=FORMAT)
        return folder


def compare(reports: Sequence[TaskReport], names: Sequence[str], *, bootstrap: int = 1000, seed: int = 0) -> Comparison:
    """Compare reports of one task, split and data set, pair by pair, on the tracks that all models can answer.

    Raises:
        EvaluationError: Other tasks, or no track in common.
    """
    tasks = {report.task for report in reports}
    if len(tasks) != 1:
        raise EvaluationError(f"models for {' and '.join(sorted(tasks))} cannot be compared")
    common = _common([report.answers.scored for report in reports])
    unique = _unique(names)
    values = [compute_metrics(scored, bootstrap=0) for scored in common]
    differences = []
    for first, second in combinations(range(len(reports)), 2):
        bounds = paired_differences(common[first], common[second], resamples=bootstrap, seed=seed)
        differences += [
            Difference(
                unique[first], unique[second], score, values[second][score] - values[first][score], **bounds[score]
            )
            for score in SCORES
            if score in bounds
        ]
    return Comparison(
        task=tasks.pop(),
        reports=tuple(reports),
        names=tuple(unique),
        n_tracks=common[0].n_tracks,
        differences=tuple(differences),
    )


def _common(answers: Sequence[Scored]) -> list[Scored]:
    shared = set.intersection(*(set(scored.track_ids) for scored in answers))
    if not shared:
        raise EvaluationError("the models have no track in common that all of them can be scored on")
    taken = []
    for scored in answers:
        rows = [row for row, track in enumerate(scored.track_ids) if track in shared]
        taken.append(scored if len(rows) == scored.n_tracks else scored.take(np.array(rows)))
    return taken


def _unique(names: Sequence[str]) -> list[str]:
    """Names that can be folders, numbered where they are alike."""
    plain = ["".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".-") or "model" for name in names]
    return [
        name if plain.count(name) == 1 else f"{name}-{plain[: index + 1].count(name)}"
        for index, name in enumerate(plain)
    ]


def rows_of(comparison: Comparison) -> list[list[Any]]:
    """One line a model: name, tracks, then SCORES that any of them has."""
    return [
        [name, report.metrics["n_tracks"], *(report.metrics.get(score) for score in columns_of(comparison))]
        for name, report in zip(comparison.names, comparison.reports, strict=True)
    ]


def columns_of(comparison: Comparison) -> list[str]:
    """Those of SCORES that any of the models has."""
    return [score for score in SCORES if any(score in report.metrics for report in comparison.reports)]
