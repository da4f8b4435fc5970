"""The bootstrap against one that repeats tracks in a loop."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from geoclass.errors import EvaluationError
from geoclass.metrics.bootstrap import (
    MIN_ARTISTS,
    interval,
    interval_note,
    paired_differences,
    resample_weights,
    resampled_scores,
)
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


def right_or_wrong(right: np.ndarray, *, artists: np.ndarray | None = None) -> TaskPredictions:
    """Tracks of label 0 that are predicted right or wrong; an artist each unless told otherwise."""
    n_tracks = len(right)
    artists = np.arange(n_tracks) if artists is None else artists
    return TaskPredictions(
        task="genre",
        kind="single",
        labels=("a", "b"),
        track_ids=tuple(map(str, range(n_tracks))),
        artist_ids=tuple(f"artist {artist}" for artist in artists),
        truth=np.zeros(n_tracks, np.int64),
        probabilities=np.where(right[:, None], [0.9, 0.1], [0.1, 0.9]).astype(np.float32),
    )


@pytest.mark.parametrize("n_right", [30, 120, 170])
def test_the_interval_of_independent_tracks_is_the_binomials(n_right: int) -> None:
    """Resampling n independent right-or-wrong tracks draws from Binomial(n, share right): its central 95 %."""
    predictions = right_or_wrong(np.arange(200) < n_right)
    low, high = compute_metrics(predictions, bootstrap=20_000)["intervals"]["accuracy"]
    expected = stats.binom.ppf([0.025, 0.975], 200, n_right / 200) / 200
    assert [low, high] == pytest.approx(expected, abs=0.0051)  # one track


def test_the_interval_of_equal_artists_is_that_of_as_many_tracks() -> None:
    """Four tracks that rise and fall together are worth one: the interval does not shrink with their number."""
    right = np.arange(200) < 150
    alone = compute_metrics(right_or_wrong(right), bootstrap=4_000)["intervals"]["accuracy"]
    of_four = right_or_wrong(np.repeat(right, 4), artists=np.repeat(np.arange(200), 4))
    assert compute_metrics(of_four, bootstrap=4_000)["intervals"]["accuracy"] == pytest.approx(alone, abs=0.011)


@pytest.mark.parametrize("n_better", [1, 2, 4])
def test_the_p_value_is_two_sided(n_better: int) -> None:
    """Where one model is better on k of n artists and worse on none, a resample shows no difference when it draws
    none of the k: with probability (1 - k/n)^n. The p-value is twice that."""
    right = np.arange(400) < 200
    poor, good = right_or_wrong(right), right_or_wrong(right | (np.arange(400) >= 400 - n_better))
    expected = min(1.0, 2 * (1 - n_better / 400) ** 400)
    for a, b in ((poor, good), (good, poor)):
        found = paired_differences(a, b, resamples=4_000, seed=5)["accuracy"]["p"]
        assert found == pytest.approx(expected, abs=0.06)


def test_the_p_value_is_never_zero_and_its_least_is_two_in_the_number_of_resamples_and_one() -> None:
    wrong = np.zeros(40, bool)
    found = paired_differences(right_or_wrong(wrong), right_or_wrong(~wrong), resamples=99)["accuracy"]
    assert found["p"] == pytest.approx(2 / 100)
    assert (found["low"], found["high"]) == (1, 1)


def test_ten_artists_are_the_fewest_whose_intervals_hold_nine_times_of_ten() -> None:
    """The percentile interval of a mean of n artists is +-1.96 sqrt((n-1)/n) standard errors (Hesterberg 2015)."""

    def coverage(n: int) -> float:
        return float(2 * stats.t.cdf(stats.norm.ppf(0.975) * np.sqrt((n - 1) / n), n - 1) - 1)

    assert coverage(MIN_ARTISTS) >= 0.9 > coverage(MIN_ARTISTS - 1)


@pytest.mark.parametrize(("n_artists", "given"), [(1, False), (9, False), (10, True), (30, True)])
def test_few_artists_get_no_interval_and_a_reason(n_artists: int, given: bool) -> None:
    tracks = np.arange(60)
    predictions = right_or_wrong(tracks % 7 < 4, artists=tracks % n_artists)
    found = compute_metrics(predictions, bootstrap=200)
    assert bool(found["intervals"]) == given
    assert (found["bootstrap"]["note"] == "") == given
    assert given or f"{n_artists} artist" in found["bootstrap"]["note"]


def test_what_never_varies_has_no_interval() -> None:
    found = compute_metrics(right_or_wrong(np.ones(50, bool)), bootstrap=50)
    assert found["accuracy"] == 1
    assert "accuracy" not in found["intervals"]


def test_the_note_says_that_no_resamples_were_wanted() -> None:
    assert interval_note(100, 0) == "no confidence intervals were asked for"
    assert interval_note(1, 100) == "no confidence intervals: 1 artist scored, at least 10 are needed"
    assert interval_note(10, 100) == ""


def test_another_seed_draws_other_artists() -> None:
    first, again, other = (next(resample_weights(np.arange(30), resamples=3, seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_rankings_of_many_labels_take_the_first_resamples(
    monkeypatch: pytest.MonkeyPatch, make_predictions: Callable[..., TaskPredictions]
) -> None:
    predictions = make_predictions(kind="multi", n_tracks=60)
    whole = resampled_scores(predictions, resamples=120, seed=3)
    monkeypatch.setattr("geoclass.metrics.bootstrap._RANKING_WORK", 60 * 8 * 70)
    monkeypatch.setattr("geoclass.metrics.bootstrap._BLOCK", 60 * 32)
    fewer = resampled_scores(predictions, resamples=120, seed=3)
    assert len(whole["mAP"]) == 120
    assert fewer["mAP"] == pytest.approx(whole["mAP"][:70])
    assert fewer["accuracy"] == pytest.approx(whole["accuracy"])
    monkeypatch.setattr("geoclass.metrics.bootstrap._RANKING_WORK", 1)
    assert len(resampled_scores(predictions, resamples=120, seed=3)["macro_roc_auc"]) == 50


def test_scores_that_both_have_and_that_are_defined_are_compared_resample_by_resample(
    monkeypatch: pytest.MonkeyPatch, make_predictions: Callable[..., TaskPredictions]
) -> None:
    """On 19 resamples the second is better by 1 to 19 hundredths; other scores are undefined, or only one has them."""
    a, b = make_predictions(n_tracks=30), make_predictions(n_tracks=30, model_seed=1)
    better = np.arange(1, 20) / 100
    asked: list[tuple[str, int, int]] = []

    def resampled(predictions: TaskPredictions, *, resamples: int, seed: int) -> dict[str, np.ndarray]:
        is_second = predictions is b
        asked.append(("b" if is_second else "a", resamples, seed))
        found = {f"defined {number}": 0.5 + better * is_second for number in range(6)}
        found |= {f"undefined {number}": np.full(19, np.nan) for number in range(6)}
        found["now and then"] = np.where(np.arange(19) % 2, 0.25, np.nan) + is_second
        found["shorter"] = (0.5 - better * is_second)[: 9 if is_second else 19]
        found["only of b" if is_second else "only of a"] = np.zeros(19)
        return found

    monkeypatch.setattr("geoclass.metrics.bootstrap.resampled_scores", resampled)
    found = paired_differences(a, b, resamples=1_234, seed=9)
    assert sorted(asked) == [("a", 1_234, 9), ("b", 1_234, 9)], "both on the same artists"
    assert set(found) == {*(f"defined {number}" for number in range(6)), "now and then", "shorter"}
    assert found["defined 3"] == pytest.approx({"low": 0.0145, "high": 0.1855, "p": 2 / 20})
    assert found["now and then"] == pytest.approx({"low": 1, "high": 1, "p": 2 / 10})
    assert found["shorter"] == pytest.approx({"low": -0.088, "high": -0.012, "p": 2 / 10})
