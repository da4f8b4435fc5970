"""Fits a gated linear model of one field to rows and labels, and cross-validates it by artist.

The labels share one linear layer, fitted as (multinomial) logistic regression; the gate is a second one that
separates the labelled files from music that the model should abstain on. One number then calibrates the whole: the
temperature of the labels, the smallest at which the precision of predictions above 0.9 is 93 % out of fold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.bundle.calibration import to_probabilities
from geoclass.learning.logistic import Linear, logistic
from geoclass.models.gated import gated
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import ordered_map

PENALTY = 30.0  # of the labels' squared weights, for the whole data set; chosen among six on three sets of recordings
GATE_PENALTY = 100.0
GATE_SLOPE, GATE_BIAS = 2.0, 2.0  # of the gate's log-odds: it stops only what is clearly outside
SURE = 0.9  # minimum probability of what is written, and its target precision
_RIGHT = 0.93  # out of fold: a margin, since the temperature is chosen on the same predictions
_TEMPERATURES = np.geomspace(8.0, 0.03, 90)
_MAX_ROWS = 12_000  # segments that one fit sees
_SMALL = 400  # files; of fewer, cross-validation is repeated

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Task:
    """The training data of one field. Files are numbered as in the rows."""

    kind: str  # "single" or "multi"
    labels: tuple[str, ...]
    truth: Mapping[int, tuple[int, ...]]  # file -> indices of its labels
    judged: frozenset[int]  # the files of `truth` that people labelled
    artists: Sequence[str]  # of every file
    outside: frozenset[int]  # files that the gate is to stop


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Cross-validated predictions for the files that people labelled, by models not trained on their artists."""

    files: NDArray[np.int64]
    probabilities: Floats  # (n_files, n_labels), without the gate's
    truth: NDArray[np.int64]  # (n_files, n_labels) of 0 and 1

    @property
    def written(self) -> NDArray[np.bool_]:
        """(n_files, n_labels): what would be written."""
        sure = self.probabilities >= SURE
        return np.asarray(sure)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A field's part of the model."""

    labels: Linear  # with the temperature inside
    gate: Linear  # (1, n_columns): log-odds of lying outside
    temperature: float
    judged: Judged


def fit_task(task: Task, rows: Tensor, files: NDArray[np.int64], background: Tensor, *, seed: int = 0) -> Fitted:
    """Fit a field.

    Args:
        task: What is to be learned.
        rows: (n_segments, n_columns), whitened.
        files: (n_segments,) the file of each segment.
        background: (n, n_columns) rows of what the library does not teach; may be empty.
        seed: Of the folds.
    """
    known = np.array(sorted(task.truth))
    folds = _folds(task, known, seed=seed)
    judged_files = np.array(sorted(task.judged))

    def by_fold(held_out: NDArray[np.int64]) -> tuple[NDArray[np.int64], Tensor, Tensor]:
        labels, gate = fit_rows(task, rows, files, np.setdiff1d(known, held_out), background)
        asked = np.isin(files, np.intersect1d(held_out, judged_files))
        return files[asked], labels(rows[asked]), gate(rows[asked])

    answers = list(ordered_map(on_one_thread(by_fold), folds))
    truth = np.zeros((len(judged_files), len(task.labels)), np.int64)
    for row, file in enumerate(judged_files):
        truth[row, list(task.truth[file])] = 1
    temperature, probabilities = _calibrate(task, answers, judged_files, truth)
    labels, gate = fit_rows(task, rows, files, known, background)
    return Fitted(
        labels=Linear(labels.weight / temperature, labels.bias / temperature),
        gate=gate,
        temperature=temperature,
        judged=Judged(files=judged_files, probabilities=probabilities, truth=truth),
    )


# ---- cross-validation -------------------------------------------------------------------------------------------


def _folds(task: Task, known: NDArray[np.int64], *, seed: int) -> list[NDArray[np.int64]]:
    """Files to hold out, artist by artist, labels spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold

    rarest = np.bincount([label for found in task.truth.values() for label in found], minlength=len(task.labels))
    strata = [min(task.truth[file], key=lambda label: (rarest[label], label)) for file in known]
    groups = [task.artists[file] for file in known]
    small = len(known) < _SMALL
    n_folds = max(2, min(10 if small else 5, len(set(groups)), *np.bincount(strata)[np.unique(strata)].tolist()))
    held_out = []
    for repeat in range(2 if small else 1):
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed + repeat)
        held_out += [known[test] for _, test in splitter.split(known[:, None], strata, groups) if len(test)]
    return held_out


def _calibrate(
    task: Task,
    answers: Sequence[tuple[NDArray[np.int64], Tensor, Tensor]],
    judged: NDArray[np.int64],
    truth: NDArray[np.int64],
) -> tuple[float, Floats]:
    """The smallest temperature at which predictions above SURE are precise enough; the probabilities with it."""
    chosen: tuple[float, Floats] | None = None
    for temperature in _TEMPERATURES:
        probabilities = np.zeros(truth.shape)
        times = np.zeros(len(judged))
        for files, labels, gate in answers:
            asked = np.isin(judged, files)
            found = file_probabilities(labels / temperature, gate, files, judged[asked], task.kind)
            probabilities[asked] += found
            times[asked] += 1
        probabilities /= np.maximum(times, 1)[:, None]
        sure = probabilities >= SURE
        right = float(truth[sure].sum())
        if chosen is None or (sure.any() and (right + 0.5) / (sure.sum() + 1) >= _RIGHT):
            chosen = float(temperature), probabilities
    assert chosen is not None
    return chosen


def file_probabilities(
    labels: Tensor, gate: Tensor, files: NDArray[np.int64], asked: NDArray[np.int64], kind: str
) -> Floats:
    """Logits by segment to probabilities by file, as a classifier makes them: (n_asked, n_labels)."""
    logits = gated(labels, gate, kind).double()
    return to_probabilities(file_means(logits, files, asked).numpy(), kind)[:, :-1]


def file_means(values: Tensor, files: NDArray[np.int64], of: NDArray[np.int64]) -> Tensor:
    """The mean over each file's segments.

    Args:
        values: (n_segments, n_columns).
        files: (n_segments,) the file of each segment.
        of: (n_files,) the files in ascending order, all those of the segments among them.

    Returns:
        (n_files, n_columns); 0 for a file without segments.
    """
    place = torch.from_numpy(np.searchsorted(of, files))
    summed = torch.zeros(len(of), values.shape[1], dtype=values.dtype).index_add_(0, place, values)
    return summed / torch.bincount(place, minlength=len(of)).clamp(min=1)[:, None]


# ---- fitting ----------------------------------------------------------------------------------------------------


def fit_rows(
    task: Task, rows: Tensor, files: NDArray[np.int64], known: NDArray[np.int64], background: Tensor
) -> tuple[Linear, Linear]:
    """The labels' layer from the known files, and the gate between them and everything else."""
    chosen = _thinned(files, known)
    inside, of_file = rows[chosen], files[chosen]
    target = torch.zeros(len(of_file), len(task.labels))
    for row, file in enumerate(of_file):
        target[row, list(task.truth[file])] = 1.0
    weights = _balanced(target) if task.kind == "single" else torch.ones(len(target))
    labels = logistic(inside, target, weights, penalty=PENALTY, kind=task.kind)
    outside = torch.cat([rows[_thinned(files, np.array(sorted(task.outside), np.int64))], background])
    if not len(outside):
        return labels, Linear(torch.zeros(1, rows.shape[1]), torch.full((1,), -10.0))
    side = torch.cat([torch.zeros(len(inside)), torch.ones(len(outside))])[:, None]
    weights = torch.where(side[:, 0] > 0, len(side) / 2 / len(outside), len(side) / 2 / len(inside))
    found = logistic(torch.cat([inside, outside]), side, weights, penalty=GATE_PENALTY, kind="multi")
    return labels, Linear(found.weight * GATE_SLOPE, found.bias * GATE_SLOPE - GATE_BIAS)


def _thinned(files: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the wanted files, evenly fewer of each where all would be too many."""
    rows = np.flatnonzero(np.isin(files, wanted))
    if len(rows) <= _MAX_ROWS:
        return rows
    most = max(1, _MAX_ROWS // max(1, len(wanted)))
    first = np.concatenate([[0], np.flatnonzero(np.diff(files[rows])) + 1])
    position = np.arange(len(rows)) - np.repeat(first, np.diff([*first, len(rows)]))
    return np.asarray(rows[position < most])


def _balanced(target: Tensor) -> Tensor:
    """A weight per row, so that all labels have the same total weight."""
    counts = target.sum(0).clamp(min=1)
    weight: Tensor = len(target) / (len(counts) * counts)
    return target @ weight
