"""Each formula by itself: against scikit-learn, against loops, and at its edges."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from geoclass.metrics.formulas import (
    calibration_bins,
    confusion_matrix,
    confusion_scores,
    count_scores,
    coverage_curve,
    divide,
    expected_calibration_error,
    mean_defined,
    mean_where,
    ranking_scores,
    weighted_median,
)


def test_a_stack_of_confusion_matrices_is_scored_one_by_one() -> None:
    generator = np.random.default_rng(0)
    stack, expected = [], []
    for _ in range(4):
        truth, predicted = generator.integers(0, 5, (2, 60))
        stack.append(confusion_matrix(truth, predicted, 6).astype(float))  # label 5 never occurs
        expected.append([
            sklearn_metrics.accuracy_score(truth, predicted),
            sklearn_metrics.balanced_accuracy_score(truth, predicted),
            sklearn_metrics.f1_score(truth, predicted, average="macro"),
            sklearn_metrics.f1_score(truth, predicted, average="micro"),
        ])  # fmt: skip
    found = confusion_scores(np.stack(stack))
    assert list(found) == ["accuracy", "balanced_accuracy", "macro_f1", "micro_f1"]
    assert np.stack(list(found.values()), axis=1) == pytest.approx(np.array(expected))


def test_a_confusion_matrix_has_truth_in_rows_and_room_for_all_labels() -> None:
    found = confusion_matrix(np.array([0, 0, 2]), np.array([1, 1, 0]), 4)
    assert found.shape == (4, 4)
    assert np.argwhere(found).tolist() == [[0, 1], [2, 0]]
    assert found[0, 1] == 2


def counts_of(truth: np.ndarray, decided: np.ndarray) -> dict[str, float]:
    """Of (n_tracks, n_labels) zeros and ones."""
    sums = [table.sum(axis=0).astype(float) for table in (truth & decided, truth, decided)]
    return {name: float(value) for name, value in count_scores(*sums, np.array(float(len(truth)))).items()}


def test_decisions_on_sets_of_labels_are_scikit_learns() -> None:
    generator = np.random.default_rng(1)
    truth, decided = (generator.random((2, 50, 4)) < 0.4).astype(int)
    found = counts_of(truth, decided)
    for average in ("macro", "micro"):
        assert found[f"{average}_f1"] == pytest.approx(sklearn_metrics.f1_score(truth, decided, average=average))
    of_label = [sklearn_metrics.balanced_accuracy_score(t, d) for t, d in zip(truth.T, decided.T, strict=True)]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(of_label))


def test_labels_that_always_or_never_apply_have_no_balanced_accuracy() -> None:
    truth = np.array([[1, 1, 0, 1], [0, 1, 0, 1], [0, 1, 0, 0]])
    decided = np.array([[1, 1, 1, 1], [0, 0, 0, 1], [1, 0, 0, 1]])
    expected = np.mean([(1 + 1 / 2) / 2, (1 + 0) / 2])  # of the first and the last label
    assert counts_of(truth, decided)["balanced_accuracy"] == pytest.approx(expected)


def test_rankings_are_scikit_learns_without_weights() -> None:
    generator = np.random.default_rng(2)
    for round_to in (1, 8):
        scores, positive = np.round(generator.random(80), round_to), generator.random(80) < 0.3
        precision, area = ranking_scores(scores, positive, np.ones((1, 80)))
        assert precision[0] == pytest.approx(sklearn_metrics.average_precision_score(positive, scores))
        assert area[0] == pytest.approx(sklearn_metrics.roc_auc_score(positive, scores))


def test_rankings_are_undefined_without_positives_or_negatives() -> None:
    scores, weights = np.array([0.9, 0.5, 0.1]), np.ones((1, 3))
    precision, area = ranking_scores(scores, np.zeros(3, bool), weights)
    assert np.isnan([precision[0], area[0]]).all()
    precision, area = ranking_scores(scores, np.ones(3, bool), weights)
    assert precision[0] == 1
    assert np.isnan(area[0])
    no_weight_on_the_positive = np.array([[0.0, 1.0, 1.0]])
    precision, area = ranking_scores(scores, np.array([True, False, False]), no_weight_on_the_positive)
    assert np.isnan([precision[0], area[0]]).all()


@pytest.mark.parametrize(("confidence", "at"), [
    (0.0, 0), (1e-9, 0), (1 / 15, 0), (1 / 15 + 1e-9, 1), (0.5, 7), (14 / 15, 13), (0.95, 14), (1.0, 14),
])  # fmt: skip
def test_bins_are_open_below_and_closed_above(confidence: float, at: int) -> None:
    """Guo et al. (ICML 2017), section 2: the interval ((m-1)/M, m/M]."""
    bins = calibration_bins(np.array([confidence]), np.array([True]))
    assert {name: len(column) for name, column in bins.items()} == {"count": 15, "confidence": 15, "accuracy": 15}
    assert np.flatnonzero(bins["count"]).tolist() == [at]
    assert bins["confidence"][at] == pytest.approx(confidence)
    assert bins["accuracy"][at] == 1
    assert all(column[(at + 1) % 15] == 0 for column in bins.values())


def test_the_calibration_error_weighs_bins_by_their_size() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.55])
    bins = calibration_bins(confidence, np.array([True, True, False, True]), bins=10)
    assert len(bins["count"]) == 10
    assert expected_calibration_error(bins) == pytest.approx((3 * abs(2 / 3 - 0.95) + abs(1 - 0.55)) / 4)


def test_the_coverage_curve_against_a_loop() -> None:
    generator = np.random.default_rng(3)
    confidence, correct = np.round(generator.random(40), 1), generator.random(40) < 0.6
    threshold, coverage, precision = coverage_curve(confidence, correct)
    assert threshold.tolist() == sorted(set(confidence.tolist()), reverse=True)
    for at, covered, right in zip(threshold, coverage, precision, strict=True):
        written = confidence >= at
        assert (covered, right) == (pytest.approx(written.mean()), pytest.approx(correct[written].mean()))


def test_medians_of_a_stack_of_weights() -> None:
    values = np.array([5.0, 1.0, 9.0])
    weights = np.array([[1.0, 1, 1], [0, 2, 2], [0, 0, 3], [2, 1, 0], [1, 0, 1]])
    expected = [np.median(np.repeat(values, row.astype(int))) for row in weights]
    assert weighted_median(values, weights).tolist() == expected


def test_what_has_no_denominator_is_zero_and_means_skip_what_is_undefined() -> None:
    assert divide(np.array([3.0, 2.0]), np.array([0.0, 4.0])).tolist() == [0, 0.5]
    assert mean_where(np.array([[1.0, 5.0], [2.0, 4.0]]), np.array([[True, False], [False, False]])).tolist() == [1, 0]
    table = np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]])
    found = mean_defined(table)
    assert found[:2].tolist() == [2, 4]
    assert np.isnan(found[2])
    assert found.dtype == np.float64
