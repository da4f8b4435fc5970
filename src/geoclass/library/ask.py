"""Which files to ask the owner about: those whose answers would teach most.

Weighted k-means over the artists that are without a label (Zhdanov, "Diverse mini-batch active learning", 2019): the
weights are how unsure the present model is, so that answers are informative; one artist is asked for each cluster, so
that they differ; and it is the one in the middle, which stands for the most others.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from geoclass.library.labels import Labels
from geoclass.library.teach import Sounds, whitened
from geoclass.models.columns import Whiten

_ROUNDS = 30
_LEAST = 0.05  # weight of an artist of whom the model is sure

Floats = NDArray[np.float64]


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
    whitening: Whiten,
    answers: Mapping[str, Floats] | None = None,
    seed: int = 0,
) -> list[Question]:
    """At most n files, of different artists, the most telling first.

    Args:
        n: How many.
        labels: By field, what is known.
        sounds: What was heard.
        artists: Of every song.
        whitening: Of the library.
        answers: By field, what a model says of each file that was heard: (n_files, n_labels), in order; None: no model.
        seed: Of the first guess at the clusters.
    """
    order = np.unique(sounds.files)
    known = {task: set(found.of_file) - found.weak | found.others for task, found in labels.items()}
    open_fields = {int(file): tuple(task for task in labels if int(file) not in known[task]) for file in order}
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, file in enumerate(order):
        if open_fields[int(file)]:
            members[artists[int(file)]].append(place)
    if not members or n < 1:
        return []
    rows = _file_rows(sounds, whitening)
    doubt = np.ones(len(order))
    if answers:
        doubt = np.mean([_doubt(found) for found in answers.values()], axis=0)
    names = sorted(members)
    points = np.stack([rows[members[name]].mean(axis=0) for name in names])
    counts = np.array([len(members[name]) for name in names], float)
    weights = np.array([max(_LEAST, doubt[members[name]].mean()) for name in names]) * np.sqrt(counts)
    chosen, clusters = _medoids(points, weights, min(n, len(names)), seed=seed)
    found = []
    for cluster, index in enumerate(chosen):
        files = members[names[index]]
        nearest = min(files, key=lambda place: float(np.square(rows[place] - points[index]).sum()))
        song = int(order[nearest])
        stands_for = int(counts[clusters == cluster].sum())
        found.append(
            (
                float(weights[clusters == cluster].sum()),
                Question(song=song, fields=open_fields[song], stands_for=stands_for),
            )
        )
    return [question for _, question in sorted(found, key=lambda pair: (-pair[0], pair[1].song))]


def _file_rows(sounds: Sounds, whitening: Whiten) -> Floats:
    """(n_files, n_columns): the mean of each file's whitened segments."""
    order, place = np.unique(sounds.files, return_inverse=True)
    rows = whitened(sounds.rows, whitening).double()
    summed = torch.zeros(len(order), rows.shape[1], dtype=torch.float64)
    summed.index_add_(0, torch.from_numpy(place.astype(np.int64)), rows)
    return np.asarray(summed.numpy() / np.bincount(place)[:, None])


def _doubt(probabilities: Floats) -> Floats:
    """How far each file's best label is from certain: (n_files,) in [0, 1]."""
    return np.asarray(1.0 - probabilities.max(axis=1))


def _medoids(points: Floats, weights: Floats, n: int, *, seed: int) -> tuple[list[int], NDArray[np.int64]]:
    """Weighted k-means; for each cluster the point nearest to its middle, and the cluster of every point."""
    random = np.random.default_rng(seed)
    distance = np.full(len(points), np.inf)
    centres = points[[int(weights.argmax())]]
    while len(centres) < n:  # k-means++ (Arthur and Vassilvitskii, 2007), weighted
        distance = np.minimum(distance, np.square(points - centres[-1]).sum(axis=1))
        share = distance * weights
        if share.sum() <= 0:
            break
        centres = np.concatenate([centres, points[[random.choice(len(points), p=share / share.sum())]]])
    clusters = np.zeros(len(points), np.int64)
    for _ in range(_ROUNDS):
        clusters = _squared(points, centres).argmin(axis=1)
        moved = centres.copy()
        for index in range(len(centres)):
            if (clusters == index).any():
                moved[index] = np.average(points[clusters == index], axis=0, weights=weights[clusters == index])
        if np.allclose(moved, centres):
            break
        centres = moved
    distances = _squared(points, centres)
    chosen = [
        int(np.flatnonzero(clusters == index)[distances[clusters == index, index].argmin()])
        for index in range(len(centres))
        if (clusters == index).any()
    ]
    kept = [index for index in range(len(centres)) if (clusters == index).any()]
    return chosen, np.searchsorted(kept, clusters)


def _squared(points: Floats, centres: Floats) -> Floats:
    """(n_points, n_centres) squared distances."""
    return np.asarray(np.square(points).sum(axis=1)[:, None] + np.square(centres).sum(axis=1) - 2 * points @ centres.T)
