"""The bootstrap against one that repeats tracks in a loop."""

from collections.abc import Callable

import numpy as np
import pytest

from geoclass.errors import EvaluationError
from geoclass.metrics.bootstrap import interval, paired_differences, resample_weights, resampled_scores
from geoclass.metrics.compute import compute_metrics
from geoclass.metrics.predictions import TaskPredictions


def _repeat(predictions: TaskPredictions, weights: np.ndarray) -> TaskPredictions:
    tracks = np.repeat(np.arange(predictions.n_tracks), weights.astype(int))
    return TaskPredictions(
        task=predictions.task,
        kind=predictions.kind,
        labels=predictions.labels,
        track_ids=tuple(map(str, range(len(tracks)))),
        artist_ids=tuple(predictions.artist_ids[track] for track in tracks),
        truth=predictions.truth[tracks],
        probabilities=predictions.probabilities[tracks],
    )


@pytest.mark.parametrize(("kind", "task", "labels"), [
    ("single", "country", ("FR", "DE", "JP", "KE", "BR", "US")),
    ("single", "genre", tuple("abcdefgh")),
    ("multi", "genre", tuple("abcdefgh")),
])  # fmt: skip
def test_each_resample_scores_like_the_repeated_tracks(
    make_predictions: Callable[..., TaskPredictions], kind: str, task: str, labels: tuple[str, ...]
) -> None:
    predictions = make_predictions(kind=kind, task=task, labels=labels, n_tracks=80, seed=3)
    resampled = resampled_scores(predictions, resamples=7, seed=11)
    weights = np.concatenate(list(resample_weights(predictions.artists, resamples=7, seed=11)))
    assert len(weights) == 7
    for index, row in enumerate(weights):
        slow = compute_metrics(_repeat(predictions, row), bootstrap=0)
        for name, values in resampled.items():
            assert values[index] == pytest.approx(slow[name], rel=0, abs=1e-9), name


def test_tracks_of_an_artist_are_drawn_together(make_predictions: Callable[..., TaskPredictions]) -> None:
    predictions = make_predictions(n_tracks=100)
    for block in resample_weights(predictions.artists, resamples=20, seed=0):
        for artist in np.unique(predictions.artists):
            assert (np.ptp(block[:, predictions.artists == artist], axis=1) == 0).all()
        assert (block.sum(axis=1) > 0).all()


def test_blocks_do_not_change_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = np.arange(10) // 2
    whole = np.concatenate(list(resample_weights(clusters, resamples=9, seed=4)))
    monkeypatch.setattr("geoclass.metrics.bootstrap._BLOCK", 20)
    parts = list(resample_weights(clusters, resamples=9, seed=4))
    assert len(parts) == 5
    assert np.array_equal(whole, np.concatenate(parts))


def test_the_interval_covers_the_truth_about_as_often_as_it_says(
    make_predictions: Callable[..., TaskPredictions],
) -> None:
    everything = compute_metrics(make_predictions(n_tracks=40_000, seed=99), bootstrap=0)["accuracy"]
    inside = 0
    for seed in range(60):
        predictions = make_predictions(n_tracks=300, seed=seed)
        low, high = compute_metrics(predictions, bootstrap=200)["intervals"]["accuracy"]
        inside += low <= everything <= high
    assert inside >= 51  # 57 expected of 60; fewer than 51 happens once in a thousand times


def test_the_interval_leaves_out_what_is_undefined() -> None:
    assert interval(np.array([np.nan, 0.0, 1.0]), level=0.5) == (0.25, 0.75)
    assert interval(np.array([np.nan])) is None


def test_a_better_model_differs_surely_and_the_same_model_does_not(
    make_predictions: Callable[..., TaskPredictions],
) -> None:
    poor, good = make_predictions(skill=1.0), make_predictions(skill=3.0, model_seed=1)
    better = paired_differences(poor, good, resamples=300)["accuracy"]
    assert better["low"] > 0
    assert better["p"] < 0.05
    same = paired_differences(poor, poor, resamples=300)["accuracy"]
    assert same == {"low": 0, "high": 0, "p": 1}


def test_pairing_is_sharper_than_two_intervals(make_predictions: Callable[..., TaskPredictions]) -> None:
    a = make_predictions(n_tracks=300)
    changed = a.probabilities.copy()
    changed[:6] = changed[:6][:, ::-1]
    b = TaskPredictions(
        task=a.task, kind=a.kind, labels=a.labels, track_ids=a.track_ids, artist_ids=a.artist_ids, truth=a.truth,
        probabilities=changed,
    )  # fmt: skip
    paired = paired_differences(a, b, resamples=300)["accuracy"]
    single = compute_metrics(a, bootstrap=300)["intervals"]["accuracy"]
    assert paired["high"] - paired["low"] < (single[1] - single[0]) / 2


def test_models_scored_on_other_tracks_are_not_compared(make_predictions: Callable[..., TaskPredictions]) -> None:
    with pytest.raises(EvaluationError, match="same tracks"):
        paired_differences(make_predictions(n_tracks=30), make_predictions(n_tracks=31))
