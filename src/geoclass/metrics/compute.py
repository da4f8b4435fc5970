"""All numbers of `metrics.json`, from arrays alone."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.bundle.calibration import decisions
from geoclass.metrics import formulas as scores
from geoclass.metrics.bootstrap import LEVEL, interval, resampled_scores
from geoclass.metrics.predictions import DECISION, Scored
from geoclass.metrics.weighted import weighted_rankings, weighted_scores

__all__ = ["Scored", "compute_metrics"]


def compute_metrics(
    scored: Scored, *, majority: str | None = None, bootstrap: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Score a model's answers.

    Args:
        scored: The answers and the truth.
        majority: The label that is most frequent in the training split; None: in the tracks scored.
        bootstrap: Resamples of artists for the intervals; 0: none, which is fast enough for every epoch.
        seed: Of the resampling.

    Returns:
        JSON-able, undefined numbers as None. At track level accuracy, balanced_accuracy, macro_f1, micro_f1,
        top3_accuracy, top5_accuracy, chance (1 over the number of classes present; multi-label: the share of true
        labels, which a random answer hits), majority_baseline (accuracy of always answering `majority`), ece;
        for countries region_accuracy, subregion_accuracy, mean_distance_km, median_distance_km; for multi-label
        mAP and macro_roc_auc over the labels for which they are defined. Also intervals, segment_accuracy,
        abstention, per_class and confusion (row: truth, column: best answer).
    """
    one = np.ones((1, scored.n_tracks))
    values = {name: float(score[0]) for name, score in weighted_scores(scored, one).items()}
    per_class = _per_class(scored)
    result: dict[str, Any] = {
        "task": scored.task,
        "kind": scored.kind,
        "n_tracks": scored.n_tracks,
        "n_segments": 0 if scored.segment_track is None else len(scored.segment_track),
        "n_artists": int(scored.artists.max()) + 1,
        "n_labels": len(scored.labels),
        "n_classes": int(scored.targets.any(axis=0).sum()),
    }
    result |= values
    if scored.kind == "multi":
        precision, area = (table[:, 0] for table in weighted_rankings(scored, one))
        for label, ap, auc in zip(scored.labels, precision, area, strict=True):
            per_class[label] |= {"average_precision": _number(ap), "roc_auc": _number(auc)}
        result |= {
            "mAP": _number(scores.mean_defined(precision)),
            "macro_roc_auc": _number(scores.mean_defined(area)),
            "decision": DECISION,
        }
    result |= _baselines(scored, majority)
    confidence, correct = decisions(scored.probabilities, scored.truth)
    bins = scores.calibration_bins(confidence, correct)
    result["ece"] = scores.expected_calibration_error(bins)
    result["segment_accuracy"] = _segment_accuracy(scored)
    result["abstention"] = _abstention(scored)
    result["bootstrap"] = {"resamples": bootstrap, "unit": "artist", "level": LEVEL, "seed": seed}
    result["intervals"] = _intervals(scored, bootstrap, seed)
    result["calibration_bins"] = {name: column.tolist() for name, column in bins.items()}
    result["per_class"] = per_class
    result["confusion"] = {"labels": list(scored.labels), "matrix": confusion(scored).tolist()}
    return result


def confusion(scored: Scored) -> NDArray[np.int64]:
    """(n_labels, n_labels) tracks by true label (row) and best answer (column).

    A track of several genres counts once in the row of each of them.
    """
    track, truth = np.nonzero(scored.targets)
    return scores.confusion_matrix(truth, scored.predicted[track], len(scored.labels))


def _per_class(scored: Scored) -> dict[str, dict[str, Any]]:
    if scored.kind == "multi":
        decided = scored.probabilities >= DECISION
    else:
        decided = np.zeros(scored.targets.shape, bool)
        decided[np.arange(scored.n_tracks), scored.predicted] = True
    both = (decided & scored.targets).sum(axis=0).astype(np.float64)
    true, answered = scored.targets.sum(axis=0).astype(np.float64), decided.sum(axis=0).astype(np.float64)
    columns = {
        "precision": scores.divide(both, answered),
        "recall": scores.divide(both, true),
        "f1": scores.divide(2 * both, true + answered),
    }
    return {
        label: {name: float(column[index]) for name, column in columns.items()}
        | {"tracks": int(true[index]), "predicted": int(answered[index])}
        for index, label in enumerate(scored.labels)
    }


def _baselines(scored: Scored, majority: str | None) -> dict[str, Any]:
    share = scored.targets.mean(axis=0)
    if majority is None:
        majority = scored.labels[int(share.argmax())]
    return {
        "chance": float(share.mean()) if scored.kind == "multi" else 1.0 / int((share > 0).sum()),
        "majority_baseline": float(share[scored.labels.index(majority)]) if majority in scored.labels else 0.0,
        "majority_label": majority,
    }


def _segment_accuracy(scored: Scored) -> float | None:
    if scored.segment_probabilities is None or scored.segment_truth is None or not len(scored.segment_probabilities):
        return None
    if scored.kind == "multi":
        decided = scored.segment_probabilities >= DECISION
        return float((decided == (scored.segment_truth > 0)).all(axis=1).mean())
    return float((scored.segment_probabilities.argmax(axis=1) == scored.segment_truth).mean())


def _abstention(scored: Scored) -> dict[str, float | None]:
    """What the bundle would write with its own threshold, and how often that is right."""
    if scored.threshold is None:
        return {"threshold": None, "coverage": None, "precision": None}
    confidence, correct = decisions(scored.probabilities, scored.truth)
    written = confidence >= scored.threshold
    return {
        "threshold": float(scored.threshold),
        "coverage": float((scored.confidence >= scored.threshold).mean()),
        "precision": float(correct[written].mean()) if written.any() else None,
    }


def _intervals(scored: Scored, bootstrap: int, seed: int) -> dict[str, list[float]]:
    if not bootstrap:
        return {}
    bounds = {
        name: interval(values) for name, values in resampled_scores(scored, resamples=bootstrap, seed=seed).items()
    }
    return {name: list(pair) for name, pair in bounds.items() if pair is not None}


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
