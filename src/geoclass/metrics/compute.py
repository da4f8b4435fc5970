"""All numbers of `metrics.json`, from arrays alone."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.bundle.calibration import decisions
from geoclass.metrics import formulas as scores
from geoclass.metrics.bootstrap import LEVEL, MIN_ARTISTS, interval, interval_note, resampled_scores
from geoclass.metrics.predictions import DECISION, TaskPredictions
from geoclass.metrics.weighted import weighted_rankings, weighted_scores


def compute_metrics(
    predictions: TaskPredictions, *, majority: str | None = None, bootstrap: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Score a model's predictions.

    Args:
        predictions: The predictions and the truth.
        majority: The label that is most frequent in the training split; None: in the tracks scored.
        bootstrap: Resamples of artists for the intervals; 0: none, which is fast enough for every epoch.
        seed: Of the resampling.

    Returns:
        JSON-able, undefined numbers as None. At track level accuracy, balanced_accuracy, macro_f1, micro_f1,
        top3_accuracy, top5_accuracy, chance (1 over the number of classes present; multi-label: the share of true
        labels, the mAP of a random ranking), majority_baseline (accuracy of always answering `majority`), ece;
        for countries region_accuracy, subregion_accuracy, mean_distance_km, median_distance_km; for multi-label
        mAP and macro_roc_auc over the labels for which they are defined. Also intervals (none below MIN_ARTISTS
        artists; bootstrap.note says why), segment_accuracy, abstention, per_class and confusion (row: truth, column:
        prediction).
    """
    one = np.ones((1, predictions.n_tracks))
    values = {name: float(score[0]) for name, score in weighted_scores(predictions, one).items()}
    per_class = _per_class(predictions)
    result: dict[str, Any] = {
        "task": predictions.task,
        "kind": predictions.kind,
        "n_tracks": predictions.n_tracks,
        "n_segments": 0 if predictions.segment_track is None else len(predictions.segment_track),
        "n_artists": predictions.n_artists,
        "n_labels": len(predictions.labels),
        "n_classes": int(predictions.targets.any(axis=0).sum()),
    }
    result |= values
    if predictions.kind == "multi":
        precision, area = (table[:, 0] for table in weighted_rankings(predictions, one))
        for label, ap, auc in zip(predictions.labels, precision, area, strict=True):
            per_class[label] |= {"average_precision": _number(ap), "roc_auc": _number(auc)}
        result |= {
            "mAP": _number(scores.mean_defined(precision)),
            "macro_roc_auc": _number(scores.mean_defined(area)),
            "decision": DECISION,
        }
    result |= _baselines(predictions, majority)
    confidence, correct = decisions(predictions.probabilities, predictions.truth)
    bins = scores.calibration_bins(confidence, correct)
    result["ece"] = scores.expected_calibration_error(bins)
    result["segment_accuracy"] = _segment_accuracy(predictions)
    result["abstention"] = _abstention(predictions)
    note = interval_note(result["n_artists"], bootstrap)
    result["bootstrap"] = {
        "resamples": bootstrap, "unit": "artist", "level": LEVEL, "seed": seed, "minimum_artists": MIN_ARTISTS,
        "note": note,
    }  # fmt: skip
    result["intervals"] = {} if note else _intervals(predictions, bootstrap, seed)
    result["calibration_bins"] = {name: column.tolist() for name, column in bins.items()}
    result["per_class"] = per_class
    result["confusion"] = {"labels": list(predictions.labels), "matrix": confusion(predictions).tolist()}
    return result


def confusion(predictions: TaskPredictions) -> NDArray[np.int64]:
    """(n_labels, n_labels) tracks by true label (row) and prediction (column).

    A track of several genres counts once in the row of each of them.
    """
    track, truth = np.nonzero(predictions.targets)
    return scores.confusion_matrix(truth, predictions.predicted[track], len(predictions.labels))


def _per_class(predictions: TaskPredictions) -> dict[str, dict[str, Any]]:
    if predictions.kind == "multi":
        decided = predictions.probabilities >= DECISION
    else:
        decided = np.zeros(predictions.targets.shape, bool)
        decided[np.arange(predictions.n_tracks), predictions.predicted] = True
    both = (decided & predictions.targets).sum(axis=0).astype(np.float64)
    true, answered = predictions.targets.sum(axis=0).astype(np.float64), decided.sum(axis=0).astype(np.float64)
    columns = {
        "precision": scores.divide(both, answered),
        "recall": scores.divide(both, true),
        "f1": scores.divide(2 * both, true + answered),
    }
    return {
        label: {name: float(column[index]) for name, column in columns.items()}
        | {"tracks": int(true[index]), "predicted": int(answered[index])}
        for index, label in enumerate(predictions.labels)
    }


def _baselines(predictions: TaskPredictions, majority: str | None) -> dict[str, Any]:
    share, labels = predictions.targets.mean(axis=0), predictions.labels
    if majority is None:
        majority = labels[int(share.argmax())]
    return {
        "chance": float(share.mean()) if predictions.kind == "multi" else 1.0 / int((share > 0).sum()),
        "majority_baseline": float(share[predictions.labels.index(majority)])
        if majority in predictions.labels
        else 0.0,
        "majority_label": majority,
    }


def _segment_accuracy(predictions: TaskPredictions) -> float | None:
    probabilities, truth = predictions.segment_probabilities, predictions.segment_truth
    if probabilities is None or truth is None or not len(probabilities):
        return None
    if predictions.kind == "multi":
        return float(((probabilities >= DECISION) == (truth > 0)).all(axis=1).mean())
    return float((probabilities.argmax(axis=1) == truth).mean())


def _abstention(predictions: TaskPredictions) -> dict[str, float | None]:
    """What the model would write at its own threshold, and how often that is right."""
    if predictions.threshold is None:
        return {"threshold": None, "coverage": None, "precision": None}
    confidence, correct = decisions(predictions.probabilities, predictions.truth)
    written = confidence >= predictions.threshold
    return {
        "threshold": float(predictions.threshold),
        "coverage": float((predictions.confidence >= predictions.threshold).mean()),
        "precision": float(correct[written].mean()) if written.any() else None,
    }


def _intervals(predictions: TaskPredictions, bootstrap: int, seed: int) -> dict[str, list[float]]:
    resampled = resampled_scores(predictions, resamples=bootstrap, seed=seed)
    bounds = {name: interval(values) for name, values in resampled.items()}
    return {name: list(pair) for name, pair in bounds.items() if pair is not None}


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
