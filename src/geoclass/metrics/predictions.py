"""What a model predicted for tracks, beside the truth: all that metrics, figures and reports start from."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import EvaluationError

DECISION = 0.5  # a multi-label decision, where no threshold is given: more likely than not


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskPredictions:
    """The predictions of one model for one task.

    Raises:
        EvaluationError: No tracks, arrays that do not fit together, or probabilities that are not finite.
    """

    task: str  # "country" or "genre"
    kind: str  # "single" or "multi"
    labels: tuple[str, ...]  # of the model, in its order
    track_ids: tuple[str, ...]
    artist_ids: tuple[str, ...]  # "" when unknown: that track stands alone
    truth: NDArray[np.int64]  # (n_tracks,) label indices; multi: (n_tracks, n_labels) of 0 and 1
    probabilities: NDArray[np.float32]  # (n_tracks, n_labels), calibrated
    segment_truth: NDArray[np.int64] | None = None  # (n_segments,) or (n_segments, n_labels)
    segment_probabilities: NDArray[np.float32] | None = None  # (n_segments, n_labels)
    segment_track: NDArray[np.int64] | None = None  # (n_segments,) into the tracks
    threshold: float | None = None  # below it the model abstains

    def __post_init__(self) -> None:
        n_tracks, n_labels = len(self.track_ids), len(self.labels)
        if not n_tracks:
            raise EvaluationError(f"{self.task}: there is no track to score")
        multi = self.kind == "multi"
        expected = {
            "artist_ids": (np.shape(self.artist_ids), (n_tracks,)),
            "probabilities": (self.probabilities.shape, (n_tracks, n_labels)),
            "truth": (self.truth.shape, (n_tracks, n_labels) if multi else (n_tracks,)),
        }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                raise EvaluationError(f"{self.task}: {name} has shape {found}, not {wanted}")
        if not multi and not (self.truth.min() >= 0 and self.truth.max() < n_labels):
            raise EvaluationError(f"{self.task}: the truth names labels beyond the {n_labels} of the model")
        finite = np.isfinite(self.probabilities).all(axis=1)
        if not finite.all():
            raise EvaluationError(
                f"{self.task}: the model's scores are not finite for {int((~finite).sum())} of {n_tracks} "
                f"tracks, first for {self.track_ids[int(np.flatnonzero(~finite)[0])]}",
                hint="the model diverged in training, or its normalization does not fit these features",
            )

    def take(self, rows: NDArray[np.int64]) -> "TaskPredictions":
        """The same predictions for some of the tracks, without their segments."""
        return replace(
            self,
            track_ids=tuple(self.track_ids[row] for row in rows),
            artist_ids=tuple(self.artist_ids[row] for row in rows),
            truth=self.truth[rows],
            probabilities=self.probabilities[rows],
            segment_truth=None,
            segment_probabilities=None,
            segment_track=None,
        )

    @property
    def n_tracks(self) -> int:
        return len(self.track_ids)

    @cached_property
    def artists(self) -> NDArray[np.int64]:
        """(n_tracks,) a number for each artist; tracks of unknown artists have one of their own."""
        names = np.asarray(self.artist_ids, object)
        keys = [name or ("", index) for index, name in enumerate(names)]
        numbers: dict[object, int] = {}
        return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.int64, len(keys))

    @property
    def n_artists(self) -> int:
        """How many artists there are, each unknown one counted by itself."""
        return int(self.artists.max()) + 1

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(n_tracks,) the best label; of equal ones the first."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(n_tracks,) probability of the best label."""
        return np.asarray(self.probabilities.max(axis=1), np.float64)

    @cached_property
    def targets(self) -> NDArray[np.bool_]:
        """(n_tracks, n_labels) the truth as a set of labels, for either kind."""
        if self.kind == "multi":
            return self.truth > 0
        targets = np.zeros(self.probabilities.shape, bool)
        targets[np.arange(self.n_tracks), self.truth] = True
        return targets

    @cached_property
    def decision_columns(self) -> NDArray[np.float32]:
        """(n_tracks, 3 * n_labels + 1) of 0 and 1: label true and decided for, true, decided for; whole set right."""
        decided = self.probabilities >= DECISION
        exact = (decided == self.targets).all(axis=1, keepdims=True)
        return np.concatenate([self.targets & decided, self.targets, decided, exact], axis=1).astype(np.float32)

    @cached_property
    def top_is_right(self) -> NDArray[np.bool_]:
        """(n_tracks,) whether the best label is (one of) the true."""
        return self.targets[np.arange(self.n_tracks), self.predicted]

    @cached_property
    def rank(self) -> NDArray[np.int64]:
        """(n_tracks,) how many labels stand before the (best placed) true one; ties in label order.

        A multi-label track without any label has rank n_labels: nothing is right for it.
        """
        n_labels = len(self.labels)
        best = np.where(self.targets, self.probabilities, -np.inf)
        at = best.argmax(axis=1)
        own = best[np.arange(self.n_tracks), at][:, None]
        before = self.probabilities > own
        before |= (self.probabilities == own) & (np.arange(n_labels) < at[:, None])
        return np.where(np.isfinite(own[:, 0]), before.sum(axis=1), n_labels)


def mean_by_track(values: NDArray[np.floating], track_of_segment: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n_segments, n) values and (n_segments,) track numbers -> (n_tracks, n) mean over the segments of each track."""
    counts = np.bincount(track_of_segment)
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, track_of_segment, values)
    return sums / counts[:, None]
