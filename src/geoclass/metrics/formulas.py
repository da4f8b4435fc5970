"""The formulas, each once, written so that they run over one confusion matrix or a stack of them (bootstrap)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ECE_BINS = 15  # Guo et al., ICML 2017


def confusion_matrix(truth: NDArray[np.integer], predicted: NDArray[np.integer], n_labels: int) -> NDArray[np.int64]:
    """(n_labels, n_labels) counts; row: truth, column: prediction."""
    return np.bincount(truth * n_labels + predicted, minlength=n_labels**2).reshape(n_labels, n_labels)


def confusion_scores(confusion: Floats) -> dict[str, Floats]:
    """Scores of single-label predictions, as scikit-learn defines them.

    A class that is neither true nor predicted does not count in macro F1, one that is never true not in balanced
    accuracy.

    Args:
        confusion: (…, n_labels, n_labels) counts or weights; row: truth, column: prediction.

    Returns:
        accuracy, balanced_accuracy, macro_f1 and micro_f1, each of shape (…).
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    true, answered = confusion.sum(-1), confusion.sum(-2)
    accuracy = right.sum(-1) / true.sum(-1)
    return {
        "accuracy": accuracy,
        "balanced_accuracy": mean_where(divide(right, true), true > 0),
        "macro_f1": mean_where(divide(2 * right, true + answered), true + answered > 0),
        "micro_f1": accuracy,  # over all classes the two are one number
    }


def count_scores(both: Floats, true: Floats, answered: Floats, total: Floats) -> dict[str, Floats]:
    """Scores of multi-label decisions from counts per label.

    Args:
        both, true, answered: (…, n_labels) tracks on which the label is true and decided for; true; decided for.
        total: (…) tracks.

    Returns:
        macro_f1, micro_f1, balanced_accuracy (mean over labels of (recall + specificity) / 2), each of shape (…).
    """
    false = total[..., None] - true
    balanced = (divide(both, true) + divide(false - (answered - both), false)) / 2
    return {
        "balanced_accuracy": mean_where(balanced, (true > 0) & (false > 0)),
        "macro_f1": divide(2 * both, true + answered).mean(-1),
        "micro_f1": divide(2 * both.sum(-1), true.sum(-1) + answered.sum(-1)),
    }


def ranking_scores(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Average precision and area under the ROC curve of one label, equal scores taken together.

    Average precision is the sum over thresholds of (recall step) x precision, without interpolation; the area is the
    chance that a positive track stands before a negative one, ties half (Mann and Whitney 1947).

    Args:
        scores, positive: (n_tracks,).
        weights: (n_resamples, n_tracks).

    Returns:
        average precision and area, each (n_resamples,); NaN without a positive (and, for the area, a negative) track.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)  # last of equal scores
    group = np.cumsum(ends) - ends
    after = np.flatnonzero(ends) + 1
    at = np.flatnonzero(positive[order])  # all sums are over the positive tracks: they are few
    upto, before = after[group[at]], np.append(0, after)[group[at]]  # tracks up to the own group's end, and before it
    hits_upto, hits_before = np.searchsorted(at, upto), np.searchsorted(at, before)
    precision, area = np.full((2, len(weights)), np.nan)
    for index, row in enumerate(weights):
        ordered = row[order]
        above = np.concatenate(([0.0], np.cumsum(ordered)))
        own = ordered[at]
        hits = np.concatenate(([0.0], np.cumsum(own)))
        n_hits, n_misses = hits[-1], above[-1] - hits[-1]
        if n_hits:
            precision[index] = own @ divide(hits[hits_upto], above[upto]) / n_hits
        if n_hits and n_misses:
            missed = (above[upto] - hits[hits_upto] + above[before] - hits[hits_before]) / 2
            area[index] = own @ (n_misses - missed) / (n_hits * n_misses)
    return precision, area


def calibration_bins(confidence: Floats, correct: NDArray[np.bool_], *, bins: int = ECE_BINS) -> dict[str, Floats]:
    """Equally wide bins of confidence: count, mean confidence and accuracy, each (bins,).

    Bins are open below and closed above, as in Guo et al. (ICML 2017). Empty bins have 0 everywhere.
    """
    index = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count, confidence_sum, correct_sum = (
        np.bincount(index, weights, minlength=bins).astype(np.float64)
        for weights in (np.ones(len(index)), confidence, correct.astype(np.float64))
    )
    return {
        "count": count,
        "confidence": divide(confidence_sum, count),
        "accuracy": divide(correct_sum, count),
    }


def expected_calibration_error(bins: dict[str, Floats]) -> float:
    """Mean over the predictions of |accuracy - mean confidence| of their bin."""
    gap = np.abs(bins["accuracy"] - bins["confidence"])
    return float((bins["count"] * gap).sum() / bins["count"].sum())


def coverage_curve(confidence: Floats, correct: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """What is written, and how often it is right, as the threshold falls.

    Returns:
        threshold, coverage and precision, each (n_distinct_confidences,), highest threshold first.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    written = ends + 1.0
    return ordered[ends], written / len(ordered), np.cumsum(correct[order])[ends] / written


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """Median of `values` (n,), each counted `weights` (…, n) times; of an even count the middle two's mean."""
    order = np.argsort(values, kind="stable")
    ordered, cumulative = values[order], np.cumsum(weights[..., order], axis=-1)
    total = cumulative[..., -1:]
    low = np.argmax(cumulative >= np.ceil(total / 2), axis=-1)
    high = np.argmax(cumulative >= np.floor(total / 2) + 1, axis=-1)
    return np.asarray((ordered[low] + ordered[high]) / 2)


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Element by element, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros(np.shape(numerator)), where=np.asarray(denominator) > 0)


def mean_where(values: Floats, mask: NDArray[np.bool_]) -> Floats:
    """Mean over the last axis of what the mask lets in; 0 where it lets in nothing."""
    return divide((values * mask).sum(-1), mask.sum(-1))


def mean_defined(values: Floats) -> Floats:
    """Mean over the first axis of what is not NaN; NaN where nothing is left."""
    defined = np.isfinite(values)
    count = defined.sum(axis=0).astype(np.float64)
    return np.where(count > 0, divide(np.where(defined, values, 0.0).sum(axis=0), count), np.nan)
