"""Track-level scores under weights: all ones give the score itself, counts of a resample that of the resample."""

import numpy as np

from geoclass.metrics import formulas as scores
from geoclass.metrics.formulas import Floats
from geoclass.metrics.geography import geographic_scores
from geoclass.metrics.predictions import TaskPredictions

TOP = (3, 5)


def weighted_scores(predictions: TaskPredictions, weights: Floats) -> dict[str, Floats]:
    """Scores of decisions.

    Args:
        predictions: Of n_tracks tracks.
        weights: (n_resamples, n_tracks) how often each track counts.

    Returns:
        Name -> (n_resamples,). In multi-label tasks a label is predicted from DECISION on, accuracy means the
        whole set is right, and top k that a true label is among the k best.
    """
    total = weights.sum(-1)
    result = _multi(predictions, weights) if predictions.kind == "multi" else _single(predictions, weights)
    return result | {f"top{k}_accuracy": weights @ (predictions.rank < k).astype(np.float64) / total for k in TOP}


def weighted_rankings(predictions: TaskPredictions, weights: Floats) -> tuple[Floats, Floats]:
    """Average precision and area under the ROC curve of each label, (n_labels, n_resamples); NaN where undefined."""
    columns = (
        scores.ranking_scores(
            predictions.probabilities[:, label].astype(np.float64), predictions.targets[:, label], weights
        )
        for label in range(len(predictions.labels))
    )
    precision, area = zip(*columns, strict=True)
    return np.stack(precision), np.stack(area)


def _single(predictions: TaskPredictions, weights: Floats) -> dict[str, Floats]:
    n_labels = len(predictions.labels)
    cells = predictions.truth * n_labels + predictions.predicted
    counts = np.stack([np.bincount(cells, row, minlength=n_labels**2) for row in weights])
    confusion = counts.reshape(len(weights), n_labels, n_labels).astype(np.float64)
    result = scores.confusion_scores(confusion)
    return result | geographic_scores(predictions.labels, confusion) if predictions.task == "country" else result


def _multi(predictions: TaskPredictions, weights: Floats) -> dict[str, Floats]:
    n_labels = len(predictions.labels)
    counts = (weights.astype(np.float32) @ predictions.decision_columns).astype(np.float64)  # exact below 2**24 tracks
    both, true, answered, right = np.split(counts, [n_labels, 2 * n_labels, 3 * n_labels], axis=1)
    total = weights.sum(-1)
    return {"accuracy": right[:, 0] / total} | scores.count_scores(both, true, answered, total)
