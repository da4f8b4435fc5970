"""Which files to ask the owner about: those that represent most of what has no label yet.

Greedy facility location over artists (Wei, Iyer and Bilmes, "Submodularity in data subset selection and active
learning", 2015): every artist without a label should be like one with a label, so what is asked next is what brings
most of them closer to one. How unsure a model is does not count: the least sure are mostly of labels too rare to learn.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from geoclass.learning.fit import file_means
from geoclass.learning.labels import Labels
from geoclass.learning.teach import Sounds

_MOST = 4_000  # artists that are compared with each other: 64 MB

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One file to ask about."""

    song: int  # index
    fields: tuple[str, ...]  # without a label
    stands_for: int  # files without a label that are most like it, itself included


def questions(
    n: int,
    labels: Mapping[str, Labels],
    sounds: Sounds,
    artists: Sequence[str],
    *,
    rows: Tensor,
    seed: int = 0,
) -> list[Question]:
    """At most n files, of different artists, the most informative first.

    Args:
        n: How many.
        labels: By field, what is known.
        sounds: What was heard.
        artists: Of every song.
        rows: Those of `sounds`, whitened.
        seed: Of the artists that are looked at, where there are very many.
    """
    known = {task: set(found.of_file) - found.weak | found.others for task, found in labels.items()}
    order = np.unique(sounds.files).tolist()
    open_fields = {file: tuple(task for task in labels if file not in known[task]) for file in order}
    members: defaultdict[str, list[int]] = defaultdict(list)  # every artist's files
    for place, file in enumerate(order):
        members[artists[file]].append(place)
    names = sorted(members)
    if len(names) > _MOST:
        names = sorted(np.random.default_rng(seed).permutation(names)[:_MOST].tolist())
    unlabelled = {name: [place for place in members[name] if open_fields[order[place]]] for name in names}
    if n < 1 or not any(unlabelled.values()):
        return []
    of_files = file_means(rows, sounds.files, np.array(order)).numpy()
    points = np.stack([of_files[members[name]].mean(axis=0) for name in names])
    is_open = np.array(
        [[any(task in open_fields[order[at]] for at in unlabelled[name]) for name in names] for task in labels]
    )
    weights = np.sqrt([len(unlabelled[name]) for name in names])  # an album counts more than a song, not ten times
    likeness = _likeness(points)
    chosen = _greedy(likeness, is_open, weights, n)
    nearest = likeness[:, chosen].argmax(axis=1)
    found = []
    for number, index in enumerate(chosen):
        song = order[min(unlabelled[names[index]], key=lambda at: float(np.square(of_files[at] - points[index]).sum()))]
        stands_for = sum(len(unlabelled[names[other]]) for other in np.flatnonzero(nearest == number))
        found.append(Question(song=song, fields=open_fields[song], stands_for=stands_for))
    return found


def _greedy(likeness: Floats, is_open: NDArray[np.bool_], weights: NDArray[np.float64], n: int) -> list[int]:
    """Indices of artists, each the one that brings those without a label closest to one.

    Args:
        likeness: (n_artists, n_artists).
        is_open: (n_fields, n_artists) whether a label is missing.
        weights: (n_artists,).
        n: How many at most.
    """
    covered = np.stack([np.where(of.all(), 0.0, likeness[:, ~of].max(axis=1, initial=0.0)) for of in is_open])
    chosen: list[int] = []
    for _ in range(min(n, int(is_open.any(axis=0).sum()))):
        gains = np.zeros(len(weights))
        for of, near in zip(is_open, covered, strict=True):
            gains += of * ((weights * of) @ np.maximum(likeness - near[:, None], 0.0))
        gains = np.where(is_open.any(axis=0), gains, -1.0)
        gains[chosen] = -1.0
        best = int(gains.argmax())
        chosen.append(best)
        covered = np.where(is_open[:, [best]], np.maximum(covered, likeness[:, best]), covered)
    return chosen


def _likeness(points: Floats) -> Floats:
    """(n, n) cosines, none below 0."""
    unit = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return np.asarray(np.maximum(unit @ unit.T, 0.0), np.float32)
