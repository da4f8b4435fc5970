"""Tracks on both sides of two splits that sound nearly the same, or whose rows of numbers are equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from geoclass.config.frontends import LogMelConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.fingerprints import describe, nearest, reduce_log_mels, similarity
from geoclass.progress import Progress

NEIGHBOURS = 5  # segments of the other side that are compared in full
_BLOCK = 512  # segments at a time


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Two tracks that sound the same, on two sides of a split."""

    first: str
    second: str
    first_track: str
    second_track: str
    similarity: float  # correlation of their log-mels at the best shift


@dataclass(frozen=True, kw_only=True)
class Copies:
    """All copies, and how many pairs of segments were compared to find them."""

    found: tuple[Copy, ...] = ()  # most alike first
    compared: int = 0
    note: str = ""  # why nothing was compared

    def between(self, first: str, second: str) -> list[Copy]:
        """The copies between two splits."""
        return [copy for copy in self.found if (copy.first, copy.second) == (first, second)]


def find_copies(
    dataset: Dataset, *, splits: Sequence[str], same: float, neighbours: int, progress: Progress | None
) -> Copies:
    """Compare the segments of all pairs of splits; shifted training copies are left out.

    Args:
        dataset: Of log-mels or of tables.
        splits: Those that have tracks.
        same: Correlation from which two segments are one recording.
        neighbours: Segments of the other split that are compared in full.
        progress: Called with the number of segments done, and once with total=.
    """
    segments = dataset.segments
    original = (segments["shift"] == 0).to_numpy()
    rows = {name: np.flatnonzero(original & (segments["split"] == name).to_numpy()) for name in splits}
    names = segments["track_id"].to_numpy()
    if isinstance(dataset.front_end, LogMelConfig):
        compare: _Sound | _Rows = _Sound(dataset, dataset.front_end, same)
    elif dataset.front_end.kind == "table":
        compare = _Rows(dataset)
    else:
        return Copies(note=f"audio is compared by log-mels; this data set has {dataset.front_end.kind} features")
    advance = progress or (lambda *_, **__: None)
    advance(0, total=sum(len(ids) for ids in rows.values()))
    described = {name: compare.describe(ids, advance) for name, ids in rows.items()}
    best: dict[tuple[str, str, str, str], float] = {}
    compared = 0
    for first, second in combinations(splits, 2):
        near = nearest(described[second], described[first], neighbours)  # (n_segments, neighbours)
        here, there = np.repeat(rows[second], near.shape[1]), rows[first][near.ravel()]
        other = names[here] != names[there]  # the same recording is found by its name already
        here, there = here[other], there[other]
        compared += len(here)
        for a, b, value in zip(there, here, compare.similarity(there, here), strict=True):
            if value >= compare.same:
                key = (first, second, str(names[a]), str(names[b]))
                best[key] = max(best.get(key, 0.0), float(value))
    ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    found = (
        Copy(first=a, second=b, first_track=x, second_track=y, similarity=value) for (a, b, x, y), value in ordered
    )
    return Copies(found=tuple(found), compared=compared)


class _Sound:
    """Compares segments of log-mels."""

    def __init__(self, dataset: Dataset, config: LogMelConfig, same: float) -> None:
        self.features, self.config, self.same = dataset.features, config, same

    def describe(self, ids: NDArray[np.int64], advance: Progress) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(ids), _BLOCK):
            parts.append(describe(np.asarray(self.features[ids[start : start + _BLOCK]]), self.config))
            advance(len(parts[-1]))
        return np.concatenate(parts)

    def similarity(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        values = np.empty(len(a))
        for start in range(0, len(a), _BLOCK):
            block = slice(start, start + _BLOCK)
            left, right = (reduce_log_mels(np.asarray(self.features[ids[block]]), self.config) for ids in (a, b))
            values[block] = similarity(left, right, self.config)
        return values


class _Rows:
    """Compares rows of tables: only equal ones are copies."""

    same = 1.0

    def __init__(self, dataset: Dataset) -> None:
        self.features, self.mean, self.std = dataset.features, dataset.mean, dataset.std

    def describe(self, ids: NDArray[np.int64], advance: Progress) -> NDArray[np.float32]:
        values = (np.asarray(self.features[ids], np.float32) - self.mean) / np.maximum(self.std, 1e-9)
        advance(len(ids))
        return np.asarray(values, np.float32)

    def similarity(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        close = np.isclose(self.features[a], self.features[b], rtol=1e-6, atol=1e-9)
        return np.asarray(close.all(axis=1), np.float64)
