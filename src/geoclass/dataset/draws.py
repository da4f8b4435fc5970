"""Random numbers that belong to a sample: the same in whatever batch, order or process it comes.

They are computed from the sample's key, not drawn one after another: SplitMix64's finalizer (Steele, Lea and Flood,
"Fast splittable pseudorandom number generators", 2014) over the key and a separate stream for each use.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from geoclass.storage import fingerprint

Keys = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)


class Draws:
    """The random numbers of some samples in one epoch.

    Args:
        keys: (n_samples,) of `segment_keys`.
        seed: Of the run.
        epoch: Counted from 0.
    """

    def __init__(self, keys: Keys, *, seed: int, epoch: int) -> None:
        self.keys, self.seed, self.epoch = keys, seed, epoch

    def uniform(self, use: str) -> NDArray[np.float64]:
        """(n_samples,) numbers in [0, 1); another use gives independent ones."""
        stream = np.uint64(int(fingerprint("draw", self.seed, self.epoch, use)[:16], 16))
        return (_mix(self.keys ^ stream) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def segment_keys(track_ids: Iterable[str], track_of_segment: NDArray[np.int64]) -> Keys:
    """One key per segment, from its track's id and its place among the track's segments.

    Args:
        track_ids: (n_tracks,).
        track_of_segment: (n_segments,) rows of `track_ids`.
    """
    tracks = np.array([int(fingerprint("track", str(name))[:16], 16) for name in track_ids], np.uint64)
    return _numbered(tracks[track_of_segment], occurrences(track_of_segment))


def nth_keys(keys: Keys, number: NDArray[np.int64]) -> Keys:
    """Keys for samples that are repeated, by the number of the repeat; `keys` themselves at 0."""
    return np.where(number == 0, keys, _numbered(keys, number))


def occurrences(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each value stood before it: [7, 3, 7] -> [0, 0, 1]."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(values) else order
    counts = np.empty_like(order)
    counts[order] = np.arange(len(values)) - np.repeat(starts, np.diff(np.r_[starts, len(values)]))
    return counts


def _numbered(keys: Keys, number: NDArray[np.int64]) -> Keys:
    return _mix(keys + number.astype(np.uint64) * _STEP)


def _mix(z: Keys) -> Keys:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
