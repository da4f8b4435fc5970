"""Every number against scikit-learn or a second, slow implementation, and on five tracks by hand."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from geoclass.errors import EvaluationError
from geoclass.metrics.compute import compute_metrics, confusion
from geoclass.metrics.formulas import calibration_bins, coverage_curve, ranking_scores, weighted_median
from geoclass.metrics.predictions import TaskPredictions

EXACT = {"rel": 0, "abs": 1e-9}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_tracks", [7, 400])
def test_single_label_scores_are_scikit_learns(
    make_predictions: Callable[..., TaskPredictions], seed: int, n_tracks: int
) -> None:
    predictions = make_predictions(n_tracks=n_tracks, seed=seed)
    found = compute_metrics(predictions, bootstrap=0)
    truth, predicted = predictions.truth, predictions.predicted
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(truth, predicted), **EXACT)
    present = np.isin(predicted, truth)  # scikit-learn warns about classes that are predicted and never true
    recall = sklearn_metrics.recall_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    assert found["balanced_accuracy"] == pytest.approx(recall, **EXACT)
    if present.all():
        assert recall == pytest.approx(sklearn_metrics.balanced_accuracy_score(truth, predicted), **EXACT)
    for average in ("macro", "micro"):
        wanted = sklearn_metrics.f1_score(truth, predicted, average=average, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(wanted, **EXACT)
    for k in (3, 5):
        wanted = sklearn_metrics.top_k_accuracy_score(truth, predictions.probabilities, k=k, labels=range(8))
        assert found[f"top{k}_accuracy"] == pytest.approx(wanted, **EXACT)
    assert np.array_equal(
        confusion(predictions),
        sklearn_metrics.confusion_matrix(truth, predicted, labels=range(len(predictions.labels))),
    )
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        truth, predicted, labels=range(8), zero_division=0
    )
    for index, label in enumerate(predictions.labels):
        row = found["per_class"][label]
        assert row["precision"] == pytest.approx(precision[index], **EXACT)
        assert row["recall"] == pytest.approx(recall[index], **EXACT)
        assert row["f1"] == pytest.approx(f1[index], **EXACT)
        assert row["tracks"] == support[index]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_multi_label_scores_are_scikit_learns(
    make_predictions: Callable[..., TaskPredictions], seed: int, ties: bool
) -> None:
    predictions = make_predictions(kind="multi", seed=seed, ties=ties)
    found = compute_metrics(predictions, bootstrap=0)
    truth, probabilities = predictions.truth, predictions.probabilities.astype(np.float64)
    decided = (predictions.probabilities >= 0.5).astype(int)
    for average in ("macro", "micro"):
        wanted = sklearn_metrics.f1_score(truth, decided, average=average, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(wanted, **EXACT)
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(truth, decided), **EXACT)
    wanted = sklearn_metrics.average_precision_score(truth, probabilities, average="macro")
    assert found["mAP"] == pytest.approx(wanted, **EXACT)
    wanted = sklearn_metrics.roc_auc_score(truth, probabilities, average="macro")
    assert found["macro_roc_auc"] == pytest.approx(wanted, **EXACT)
    balanced = [sklearn_metrics.balanced_accuracy_score(t, d) for t, d in zip(truth.T, decided.T, strict=True)]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(balanced), **EXACT)


def test_rankings_under_weights_are_those_of_the_repeated_tracks() -> None:
    generator = np.random.default_rng(2)
    scores = np.round(generator.random(60), 1)
    positive = generator.random(60) < 0.4
    weights = generator.integers(0, 4, (3, 60)).astype(float)
    precision, area = ranking_scores(scores, positive, weights)
    for row, ap, auc in zip(weights.astype(int), precision, area, strict=True):
        repeated = np.repeat(np.arange(60), row)
        assert ap == pytest.approx(
            sklearn_metrics.average_precision_score(positive[repeated], scores[repeated]), **EXACT
        )
        assert auc == pytest.approx(sklearn_metrics.roc_auc_score(positive[repeated], scores[repeated]), **EXACT)


def test_a_label_without_positives_is_left_out_of_the_ranking_scores(
    make_predictions: Callable[..., TaskPredictions],
) -> None:
    predictions = make_predictions(kind="multi", n_tracks=50)
    truth = predictions.truth.copy()
    truth[:, 3] = 0
    emptied = TaskPredictions(
        task="genre",
        kind="multi",
        labels=predictions.labels,
        track_ids=predictions.track_ids,
        artist_ids=predictions.artist_ids,
        truth=truth,
        probabilities=predictions.probabilities,
    )
    found = compute_metrics(emptied, bootstrap=0)
    assert found["per_class"]["d"]["average_precision"] is None
    rest = [index for index in range(8) if index != 3]
    wanted = sklearn_metrics.average_precision_score(
        truth[:, rest], predictions.probabilities[:, rest].astype(np.float64)
    )
    assert found["mAP"] == pytest.approx(wanted, **EXACT)


def test_calibration_error_against_a_loop(make_predictions: Callable[..., TaskPredictions]) -> None:
    predictions = make_predictions(seed=5)
    found = compute_metrics(predictions, bootstrap=0)["ece"]
    error = 0.0
    for index in range(15):
        inside = [track for track, p in enumerate(predictions.confidence) if index / 15 < p <= (index + 1) / 15]
        if inside:
            right = np.mean([predictions.predicted[track] == predictions.truth[track] for track in inside])
            error += len(inside) / predictions.n_tracks * abs(right - np.mean(predictions.confidence[inside]))
    assert found == pytest.approx(error, **EXACT)


def test_a_sure_and_right_model_has_no_calibration_error() -> None:
    bins = calibration_bins(np.ones(4), np.ones(4, bool))
    assert bins["count"][-1] == 4
    assert bins["accuracy"][-1] == bins["confidence"][-1] == 1


def test_five_tracks_by_hand(five_tracks: TaskPredictions) -> None:
    found = compute_metrics(five_tracks, majority="ES", bootstrap=200)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["balanced_accuracy"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert found["micro_f1"] == pytest.approx(3 / 5)
    assert found["top3_accuracy"] == found["top5_accuracy"] == 1
    assert found["chance"] == pytest.approx(1 / 3)
    assert found["majority_baseline"] == pytest.approx(2 / 5)
    # Bins of 1/15: every track but the pair (0.7), (0.8), (0.6), (0.5), (0.4) lies alone.
    assert found["ece"] == pytest.approx((0.3 + 0.4 + 0.2 + 0.5 + 0.4) / 5, abs=1e-7)
    assert found["n_artists"] == 3
    assert found["confusion"] == {"labels": ["ES", "PT", "TR"], "matrix": [[2, 0, 0], [1, 1, 0], [1, 0, 0]]}
    assert found["per_class"]["ES"] == {
        "precision": 0.5,
        "recall": 1,
        "f1": pytest.approx(2 / 3),
        "tracks": 2,
        "predicted": 4,
    }
    assert found["abstention"] == {"threshold": 0.55, "coverage": pytest.approx(0.6), "precision": 1.0}
    assert found["intervals"] == {}
    assert "3 artists" in found["bootstrap"]["note"]
    assert found["segment_accuracy"] is None
    json.dumps(found, allow_nan=False)


def test_five_tracks_on_the_map(five_tracks: TaskPredictions) -> None:
    from geopy.distance import geodesic

    madrid, lisbon, ankara = (40.4168, -3.7038), (38.7223, -9.1393), (39.9334, 32.8597)
    found = compute_metrics(five_tracks, bootstrap=0)
    near, far = geodesic(lisbon, madrid).km, geodesic(ankara, madrid).km
    assert found["region_accuracy"] == pytest.approx(4 / 5)  # Turkey is in Western Asia
    assert found["subregion_accuracy"] == pytest.approx(4 / 5)
    assert found["mean_distance_km"] == pytest.approx((near + far) / 5, rel=0.01)
    assert found["median_distance_km"] == 0


def test_distances_are_geopys(make_predictions: Callable[..., TaskPredictions]) -> None:
    from geopy.distance import geodesic

    from geoclass.geo.countries import capital

    codes = ("FR", "JP", "KE", "BR", "US", "NZ")
    predictions = make_predictions(task="country", labels=codes, n_tracks=60)
    found = compute_metrics(predictions, bootstrap=0)
    kilometres = [
        geodesic(capital(codes[t]), capital(codes[p])).km
        for t, p in zip(predictions.truth, predictions.predicted, strict=True)
    ]
    assert found["mean_distance_km"] == pytest.approx(np.mean(kilometres), **EXACT)
    assert found["median_distance_km"] == pytest.approx(np.median(kilometres), **EXACT)


def test_ties_are_broken_in_label_order() -> None:
    predictions = TaskPredictions(
        task="genre",
        kind="single",
        labels=tuple("abcd"),
        track_ids=("1", "2"),
        artist_ids=("", ""),
        truth=np.array([0, 3]),
        probabilities=np.full((2, 4), 0.25, np.float32),
    )
    assert predictions.predicted.tolist() == [0, 0]
    assert predictions.rank.tolist() == [0, 3]


def test_coverage_takes_equal_confidences_together() -> None:
    threshold, coverage, precision = coverage_curve(
        np.array([0.9, 0.5, 0.5, 0.2]), np.array([True, False, True, False])
    )
    assert threshold.tolist() == [0.9, 0.5, 0.2]
    assert coverage.tolist() == [0.25, 0.75, 1.0]
    assert precision.tolist() == pytest.approx([1, 2 / 3, 1 / 2])


@pytest.mark.parametrize("seed", range(10))
def test_weighted_median_is_the_median_of_the_repeated_values(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = np.round(generator.random(8), 1)
    weights = generator.integers(0, 4, 8).astype(float)
    weights[0] += 1
    repeated = np.repeat(values, weights.astype(int))
    assert weighted_median(values, weights) == pytest.approx(np.median(repeated))


def test_tracks_of_unknown_artists_stand_alone() -> None:
    predictions = TaskPredictions(
        task="genre",
        kind="single",
        labels=("a", "b"),
        track_ids=("1", "2", "3", "4"),
        artist_ids=("x", "", "", "x"),
        truth=np.array([0, 1, 0, 1]),
        probabilities=np.full((4, 2), 0.5, np.float32),
    )
    assert predictions.artists.tolist() == [0, 1, 2, 0]


def test_answers_that_are_not_finite_are_refused(five_tracks: TaskPredictions) -> None:
    probabilities = five_tracks.probabilities.copy()
    probabilities[3] = np.nan
    with pytest.raises(EvaluationError, match=r"1 of 5 tracks, first for 4"):
        TaskPredictions(
            task="country",
            kind="single",
            labels=five_tracks.labels,
            track_ids=five_tracks.track_ids,
            artist_ids=five_tracks.artist_ids,
            truth=five_tracks.truth,
            probabilities=probabilities,
        )


def test_no_track_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no track"):
        TaskPredictions(
            task="genre",
            kind="single",
            labels=("a",),
            track_ids=(),
            artist_ids=(),
            truth=np.zeros(0, np.int64),
            probabilities=np.zeros((0, 1), np.float32),
        )
