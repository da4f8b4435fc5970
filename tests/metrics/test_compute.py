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


COMMON = (
    "task kind n_tracks n_segments n_artists n_labels n_classes accuracy balanced_accuracy macro_f1 micro_f1 "
    "top3_accuracy top5_accuracy chance majority_baseline majority_label ece segment_accuracy abstention bootstrap "
    "intervals calibration_bins per_class confusion"
)


@pytest.mark.parametrize(("kind", "task", "more"), [
    ("single", "country", "region_accuracy subregion_accuracy mean_distance_km median_distance_km"),
    ("single", "genre", ""),
    ("multi", "genre", "mAP macro_roc_auc decision"),
])  # fmt: skip
def test_the_keys_of_metrics_json_stay(
    make_predictions: Callable[..., TaskPredictions], kind: str, task: str, more: str
) -> None:
    labels = ("FR", "DE", "JP", "KE") if task == "country" else tuple("abcd")
    found = compute_metrics(make_predictions(kind=kind, task=task, labels=labels, n_tracks=80), bootstrap=20)
    assert set(found) == set(f"{COMMON} {more}".split())
    keys = {"precision", "recall", "f1", "tracks", "predicted"} | (
        {"average_precision", "roc_auc"} if kind == "multi" else set()
    )
    assert all(set(row) == keys for row in found["per_class"].values())
    assert list(found["per_class"]) == found["confusion"]["labels"] == list(labels)
    assert set(found["abstention"]) == {"threshold", "coverage", "precision"}
    assert found["bootstrap"] == {
        "resamples": 20, "unit": "artist", "level": 0.95, "seed": 0, "minimum_artists": 10, "note": "",
    }  # fmt: skip
    json.dumps(found, allow_nan=False)


def small(**changes: object) -> TaskPredictions:
    """Four tracks: a, a, b, c; predicted a, b, b, a."""
    fields: dict[str, object] = {
        "task": "genre", "kind": "single", "labels": ("a", "b", "c", "d"), "track_ids": tuple("1234"),
        "artist_ids": ("x", "x", "", "z"), "truth": np.array([0, 0, 1, 2]),
        "probabilities": np.array(
            [[0.9, 0.1, 0, 0], [0.2, 0.7, 0.1, 0], [0.1, 0.8, 0.1, 0], [0.6, 0.2, 0.2, 0]], np.float32
        ),
        "segment_truth": np.array([0, 0, 0, 1, 2]),
        "segment_probabilities": np.array(
            [[0.9, 0.1, 0, 0], [0, 1, 0, 0], [0.2, 0.7, 0.1, 0], [0.1, 0.8, 0.1, 0], [0.3, 0.3, 0.4, 0]], np.float32
        ),
        "segment_track": np.array([0, 0, 1, 2, 3]), "threshold": 0.75,
    }  # fmt: skip
    return TaskPredictions(**fields | changes)  # type: ignore[arg-type]


def test_what_is_counted() -> None:
    found = compute_metrics(small(), bootstrap=0)
    counted = [found[name] for name in ("n_tracks", "n_segments", "n_artists", "n_labels", "n_classes")]
    assert counted == [4, 5, 3, 4, 3]
    assert found["segment_accuracy"] == pytest.approx(3 / 5)
    assert found["per_class"]["a"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "tracks": 2, "predicted": 2}
    assert found["per_class"]["d"] == {"precision": 0, "recall": 0, "f1": 0, "tracks": 0, "predicted": 0}


def test_without_segments_there_is_no_accuracy_of_segments() -> None:
    found = compute_metrics(small().take(np.arange(4)), bootstrap=0)
    assert (found["n_segments"], found["segment_accuracy"]) == (0, None)


@pytest.mark.parametrize(("majority", "baseline", "label"), [
    (None, 2 / 4, "a"), ("b", 1 / 4, "b"), ("d", 0.0, "d"), ("not a label here", 0.0, "not a label here"),
])  # fmt: skip
def test_the_majority_is_that_of_the_training(majority: str | None, baseline: float, label: str) -> None:
    found = compute_metrics(small(), majority=majority, bootstrap=0)
    assert (found["majority_baseline"], found["majority_label"]) == (pytest.approx(baseline), label)
    assert found["chance"] == pytest.approx(1 / 3)  # three classes are there


@pytest.mark.parametrize(("threshold", "coverage", "precision"), [
    (0.0, 1.0, 2 / 4), (0.75, 2 / 4, 1.0), (0.65, 3 / 4, 2 / 3), (1.0, 0.0, None), (None, None, None),
])  # fmt: skip
def test_what_the_model_would_write(threshold: float | None, coverage: float | None, precision: float | None) -> None:
    found = compute_metrics(small(threshold=threshold), bootstrap=0)["abstention"]
    assert found == {"threshold": threshold, "coverage": coverage, "precision": precision}
    at_the_threshold = compute_metrics(small(threshold=float(np.float32(0.9))), bootstrap=0)["abstention"]
    assert (at_the_threshold["coverage"], at_the_threshold["precision"]) == (0.25, 1.0)


def sets_of_labels() -> TaskPredictions:
    return small(
        kind="multi",
        truth=np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]]),
        probabilities=np.array(
            [[0.9, 0.6, 0.1, 0.1], [0.8, 0.7, 0.1, 0.1], [0.4, 0.8, 0.5, 0.1], [0.9, 0.2, 0.3, 0.1]], np.float32
        ),
        segment_truth=np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]),
        segment_probabilities=np.array([[0.9, 0.6, 0.1, 0], [0.9, 0.6, 0.1, 0], [0.1, 0.2, 0.5, 0]], np.float32),
        segment_track=np.array([0, 1, 3]),
    )


def test_sets_of_labels_by_hand() -> None:
    found = compute_metrics(sets_of_labels(), bootstrap=0)
    assert found["accuracy"] == pytest.approx(2 / 4)
    assert found["segment_accuracy"] == pytest.approx(2 / 3)
    assert found["chance"] == pytest.approx(6 / 16)
    assert (found["majority_label"], found["majority_baseline"]) == ("a", pytest.approx(2 / 4))
    assert found["decision"] == 0.5
    assert found["per_class"]["b"] | {"average_precision": None, "roc_auc": None} == {
        "precision": pytest.approx(2 / 3), "recall": 1, "f1": pytest.approx(4 / 5), "tracks": 2, "predicted": 3,
        "average_precision": None, "roc_auc": None,
    }  # fmt: skip
    assert found["per_class"]["d"]["average_precision"] is None
    assert found["per_class"]["d"]["roc_auc"] is None
    truth, probabilities = sets_of_labels().truth, sets_of_labels().probabilities.astype(np.float64)
    for index, label in enumerate("abc"):
        row = found["per_class"][label]
        expected = sklearn_metrics.average_precision_score(truth[:, index], probabilities[:, index])
        assert row["average_precision"] == pytest.approx(expected)
        assert row["roc_auc"] == pytest.approx(sklearn_metrics.roc_auc_score(truth[:, index], probabilities[:, index]))
    assert found["abstention"]["coverage"] == 1.0  # each track has a label of 0.75 or more
    assert found["abstention"]["precision"] == pytest.approx(3 / 4)  # of the labels written


def test_the_confusion_of_sets_has_a_track_in_each_of_its_rows() -> None:
    assert confusion(sets_of_labels()).tolist() == [[2, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_the_seed_and_the_number_of_resamples_are_those_asked_for(
    make_predictions: Callable[..., TaskPredictions],
) -> None:
    predictions = make_predictions(n_tracks=60)
    first, other, more = (
        compute_metrics(predictions, bootstrap=n, seed=seed)["intervals"] for n, seed in ((50, 1), (50, 2), (51, 1))
    )
    assert first != other
    assert first != more
    assert compute_metrics(predictions, bootstrap=50, seed=1)["bootstrap"]["seed"] == 1
    assert set(first) <= {"accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "top3_accuracy", "top5_accuracy"}
