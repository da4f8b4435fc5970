"""What predictions refuse, and what is read off them."""

from typing import Any

import numpy as np
import pytest

from geoclass.errors import EvaluationError
from geoclass.metrics.predictions import TaskPredictions, mean_by_track


def predictions(**changes: Any) -> TaskPredictions:
    fields: dict[str, Any] = {
        "task": "genre", "kind": "single", "labels": ("a", "b", "c"), "track_ids": ("1", "2"), "artist_ids": ("x", "x"),
        "truth": np.array([0, 2]), "probabilities": np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2]], np.float32),
        "segment_truth": np.array([0, 0, 2]), "segment_probabilities": np.full((3, 3), 1 / 3, np.float32),
        "segment_track": np.array([0, 0, 1]), "threshold": 0.5,
    }  # fmt: skip
    return TaskPredictions(**fields | changes)


@pytest.mark.parametrize(("changes", "said"), [
    ({"artist_ids": ("x",)}, r"^genre: artist_ids has shape \(1,\), not \(2,\)$"),
    ({"truth": np.array([0])}, r"truth has shape \(1,\), not \(2,\)"),
    ({"kind": "multi"}, r"truth has shape \(2,\), not \(2, 3\)"),
    ({"probabilities": np.zeros((2, 2), np.float32)}, r"probabilities has shape \(2, 2\), not \(2, 3\)"),
    ({"truth": np.array([0, 3])}, r"^genre: the truth names labels beyond the 3 of the model$"),
    ({"truth": np.array([-1, 0])}, "beyond the 3"),
    ({"track_ids": (), "artist_ids": ()}, r"^genre: there is no track to score$"),
])  # fmt: skip
def test_arrays_that_do_not_fit_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        predictions(**changes)


def test_the_first_track_that_is_not_finite_is_named_with_a_hint() -> None:
    broken = np.array([[0.5, 0.3, 0.2], [np.inf, 0, 0]], np.float32)
    with pytest.raises(EvaluationError, match="1 of 2 tracks, first for 2") as caught:
        predictions(probabilities=broken)
    assert "diverged" in (caught.value.hint or "")


def test_the_least_and_the_last_label_are_labels() -> None:
    assert predictions(truth=np.array([0, 2])).n_tracks == 2


def test_some_of_the_tracks_without_their_segments() -> None:
    taken = predictions().take(np.array([1]))
    assert (taken.track_ids, taken.artist_ids, taken.truth.tolist()) == (("2",), ("x",), [2])
    assert taken.probabilities.tolist() == predictions().probabilities[1:].tolist()
    assert taken.segment_truth is taken.segment_probabilities is taken.segment_track is None
    assert (taken.labels, taken.threshold, taken.task) == (("a", "b", "c"), 0.5, "genre")


def test_artists_are_numbered_and_the_unknown_stand_alone() -> None:
    known = predictions(
        track_ids=tuple("12345"), artist_ids=("y", "", "x", "y", ""), truth=np.zeros(5, int),
        probabilities=np.full((5, 3), 1 / 3, np.float32),
    )  # fmt: skip
    assert known.artists.tolist() == [0, 1, 2, 0, 3]
    assert known.n_artists == 4
    assert predictions().n_artists == 1


def test_the_rank_of_the_truth_is_that_of_a_stable_sort() -> None:
    generator = np.random.default_rng(0)
    probabilities = np.round(generator.random((60, 5)), 1).astype(np.float32)
    truth = generator.integers(0, 5, 60)
    found = predictions(
        labels=tuple("abcde"), track_ids=tuple(map(str, range(60))), artist_ids=("",) * 60, truth=truth,
        probabilities=probabilities,
    )  # fmt: skip
    for row, label, rank in zip(probabilities, truth, found.rank, strict=True):
        order = sorted(range(5), key=lambda index: (-row[index], index))
        assert order.index(label) == rank
    assert (found.rank == 0).tolist() == found.top_is_right.tolist()


def test_sets_of_labels_rank_by_their_best_and_the_empty_set_last() -> None:
    found = predictions(
        kind="multi", track_ids=("1", "2", "3"), artist_ids=("",) * 3,
        truth=np.array([[0, 1, 1], [0, 0, 0], [1, 0, 0]]),
        probabilities=np.array([[0.6, 0.4, 0.5], [0.9, 0.1, 0.2], [0.5, 0.5, 0.1]], np.float32),
    )  # fmt: skip
    assert found.rank.tolist() == [1, 3, 0]
    assert found.predicted.tolist() == [0, 0, 0]
    assert found.top_is_right.tolist() == [False, False, True]
    assert found.confidence.tolist() == pytest.approx([0.6, 0.9, 0.5])
    both, true, decided, right = np.split(found.decision_columns, [3, 6, 9], axis=1)
    assert decided.tolist() == [[1, 0, 1], [1, 0, 0], [1, 1, 0]]  # at 0.5 a label is decided for
    assert true.tolist() == found.truth.tolist()
    assert both.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert right[:, 0].tolist() == [0, 0, 0]


def test_the_mean_over_the_segments_of_each_track() -> None:
    values = np.array([[1.0, 10], [2, 20], [6, 60]], np.float32)
    assert mean_by_track(values, np.array([1, 0, 1])).tolist() == [[2, 20], [3.5, 35]]
