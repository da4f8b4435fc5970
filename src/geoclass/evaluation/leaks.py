"""The honest score beside the leaky one: the same predictions, with and without tracks that overlap with training."""

from dataclasses import dataclass

import numpy as np

from geoclass.dataset.audit import AuditResult, audit, leaking_tracks
from geoclass.dataset.dataset import Dataset
from geoclass.evaluation.report import TaskReport
from geoclass.progress import Progress


@dataclass(frozen=True)
class LeakRow:
    """The score on some of the tracks of a split."""

    tracks: str  # which
    n_tracks: int
    accuracy: float | None  # None where there is no track


@dataclass(frozen=True, kw_only=True)
class LeakReport:
    """How much of a score comes from what the model was trained on."""

    task: str
    rows: tuple[LeakRow, ...]
    audit: AuditResult
    advice: str


def leak_report(
    dataset: Dataset, report: TaskReport, *, split: str, result: AuditResult | None = None,
    progress: Progress | None = None,
) -> LeakReport:  # fmt: skip
    """Score separately the tracks of a split whose recording, artist, album or sound is in the training split, too.

    The first row is the score as reported; the last, on tracks with no such overlap that are also new to the model by
    its fingerprints, is the honest one.
    """
    result = result or audit(dataset, progress=progress)
    predictions = report.source.predictions
    ids = np.array(predictions.track_ids, object)
    met = leaking_tracks(dataset, result, split=split)
    rows = [_row("all (as reported)", np.ones(len(ids), bool), predictions.top_is_right)]
    touched = np.zeros(len(ids), bool)
    if report.overlap is not None and report.overlap.either.any():
        touched |= report.overlap.either
        rows.append(_row("known to the model", touched, predictions.top_is_right))
    for kind, tracks in met.items():
        inside = np.isin(ids, list(tracks))
        touched |= inside
        rows.append(_row(f"{kind} in the training split", inside, predictions.top_is_right))
    rows.append(_row("none of these (honest)", ~touched, predictions.top_is_right))
    advice = ""
    if touched.all():
        advice = (
            "no track of this split is new to the model: there is no honest score on this data set; "
            "build one with --group artist --seed 0"
        )
    elif dataset.leaky:
        advice = (
            "what is left is a small, unrepresentative part of the split; to report a number, build with "
            "--group artist --seed 0"
        )
    return LeakReport(task=report.task, rows=tuple(rows), audit=result, advice=advice)


def _row(
    name: str, inside: "np.ndarray[tuple[int], np.dtype[np.bool_]]", right: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> LeakRow:
    return LeakRow(name, int(inside.sum()), float(right[inside].mean()) if inside.any() else None)
