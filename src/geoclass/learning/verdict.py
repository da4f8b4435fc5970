"""The cross-validated scores of a learned model: each file scored by a model not trained on its artist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.calibration import to_probabilities
from geoclass.learning.fit import SURE, file_means
from geoclass.learning.teach import AT_ONCE, Sounds, Taught
from geoclass.library.song import Song
from geoclass.metrics.bootstrap import MIN_ARTISTS, interval, resample_weights

_RESAMPLES = 1_000
Range = tuple[float, float] | None  # a 95 % interval over artists; None: too few artists for one


@dataclass(frozen=True, kw_only=True)
class LabelVerdict:
    """One label."""

    label: str
    files: int
    artists: int
    recall: float  # share of its files that would get it
    precision: float | None  # share of the files that would get it and have it; None: none would


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """A label that looks wrong: models not trained on the artist were confident of another."""

    path: str
    label: tuple[str, ...]
    heard: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class FieldVerdict:
    """One field."""

    task: str
    kind: str
    labels: tuple[LabelVerdict, ...]
    files: int  # judged
    artists: int
    accuracy: float  # share of the files whose best label is right, sure or not
    written: float  # share of the files that would get a label
    written_range: Range
    right: float | None  # share of the written labels that are right
    right_range: Range
    weak: int  # files with a weak label: used for training, not for scoring
    stopped: int  # popular songs whose country cannot be told from their sound
    suspicions: tuple[Suspicion, ...]


def judge(taught: Taught, songs: Sequence[Song], artists: Sequence[str]) -> FieldVerdict:
    """The verdict on one field."""
    judged, names = taught.fitted.judged, taught.labels.names
    written, truth = judged.written, judged.truth == 1
    right = written & truth
    by_artist = np.unique([artists[file] for file in judged.files], return_inverse=True)[1]
    best = judged.probabilities.argmax(axis=1)
    verdicts = [
        LabelVerdict(
            label=name,
            files=int(truth[:, index].sum()),
            artists=len(set(by_artist[truth[:, index]].tolist())),
            recall=_share(right[:, index].sum(), truth[:, index].sum()) or 0.0,
            precision=_share(right[:, index].sum(), written[:, index].sum()),
        )
        for index, name in enumerate(names)
    ]
    any_written = np.asarray(written.any(axis=1))
    ranges = _ranges(by_artist.astype(np.int64), any_written, written.sum(axis=1), right.sum(axis=1))
    return FieldVerdict(
        task=taught.labels.task,
        kind=taught.labels.kind,
        labels=tuple(verdicts),
        files=len(judged.files),
        artists=len(set(by_artist.tolist())),
        accuracy=float(truth[np.arange(len(best)), best].mean()),
        written=float(any_written.mean()),
        written_range=ranges[0],
        right=_share(right.sum(), written.sum()),
        right_range=ranges[1],
        weak=len(taught.labels.weak),
        stopped=len(taught.stopped),
        suspicions=_suspicions(taught, songs),
    )


def count_unlabelled(
    bundle: Bundle, taught: Mapping[str, Taught], sounds: Sounds, *, rows: Tensor
) -> dict[str, tuple[int, int]]:
    """For each field, of the files without a label: how many would get one from sound alone, and how many there are."""
    counts: dict[str, tuple[int, int]] = {}
    answers = predict_files(bundle, sounds, rows=rows)
    files = np.unique(sounds.files)
    for task, found in taught.items():
        has_label = set(found.labels.of_file) - found.labels.weak | found.labels.others | found.stopped
        open_ = np.array([int(file) not in has_label for file in files], bool)
        counts[task] = int((answers[task][open_].max(axis=1, initial=0) >= SURE).sum()), int(open_.sum())
    return counts


@torch.no_grad()
def predict_files(bundle: Bundle, sounds: Sounds, *, rows: Tensor | None = None) -> dict[str, NDArray[np.float64]]:
    """Probabilities of each field's labels for each file that was heard, in order: (n_files, n_labels), no gate.

    Args:
        bundle: A learned model.
        sounds: What was heard.
        rows: The same, whitened, where that was done already: whitening takes longer than all the rest.
    """
    if rows is None:
        parts = [bundle.logits(some) for some in torch.split(sounds.rows, AT_ONCE)]
    else:
        parts = [bundle.split_logits(bundle.model.classify(some)) for some in torch.split(rows, AT_ONCE)]
    order = np.unique(sounds.files)
    found = {}
    for head in bundle.heads:
        of_task = torch.cat([part[head.task] for part in parts]).double()
        means = file_means(of_task, sounds.files, order).numpy()
        found[head.task] = to_probabilities(means, head.kind, temperature=head.temperature)[:, :-1]
    return found


def _ranges(
    artists: NDArray[np.int64], any_written: NDArray[np.bool_], written: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[Range, Range]:
    if len(set(artists.tolist())) < 2:
        return None, None
    shares, rates = [], []
    for weights in resample_weights(artists, resamples=_RESAMPLES, seed=0):
        shares.append(weights @ any_written / weights.sum(axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            rates.append((weights @ right) / (weights @ written))
    enough = len(set(artists[any_written].tolist()))
    rate = np.concatenate(rates)
    return _interval_of(np.concatenate(shares), len(set(artists.tolist()))), _interval_of(
        rate[np.isfinite(rate)], enough
    )


def _interval_of(values: NDArray[np.float64], n_artists: int) -> Range:
    """The interval that resamples give, if there are enough artists for one."""
    return interval(values) if n_artists >= MIN_ARTISTS and len(values) else None


def _suspicions(taught: Taught, songs: Sequence[Song]) -> tuple[Suspicion, ...]:
    judged, names = taught.fitted.judged, taught.labels.names
    found = []
    for row, file in enumerate(judged.files):
        best = int(judged.probabilities[row].argmax())
        sure = float(judged.probabilities[row, best])
        if sure >= SURE and not judged.truth[row, best]:
            given = taught.labels.of_file[int(file)]
            found.append(Suspicion(path=songs[file].path, label=given, heard=names[best], probability=sure))
    return tuple(sorted(found, key=lambda one: (-one.probability, one.path)))


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
