"""predictions.csv: what a model said of each track."""

from typing import Any

import numpy as np
import pandas as pd

from geoclass.evaluation.predict import SplitPredictions
from geoclass.metrics.geography import distance_km
from geoclass.metrics.predictions import DECISION, TaskPredictions


def prediction_table(source: SplitPredictions) -> pd.DataFrame:
    """One row per track, in the order of the split: truth, prediction, confidence, and what would be written."""
    predictions, tracks = source.predictions, source.tracks
    labels = np.asarray(predictions.labels, object)
    table = tracks[["track_id", "path", "artist_id"]].copy()
    if predictions.kind == "multi":
        table["truth"] = _joined(labels, predictions.truth > 0)
        table["predicted"] = _joined(labels, predictions.probabilities >= DECISION)
    else:
        table["truth"], table["predicted"] = labels[predictions.truth], labels[predictions.predicted]
    table["probability"] = predictions.confidence.round(6)
    table["correct"] = (table["truth"] == table["predicted"]).astype(int)
    table["rank_of_truth"] = predictions.rank + 1
    threshold = DECISION if predictions.threshold is None else predictions.threshold
    table["written"] = (predictions.confidence >= threshold).astype(int)
    if predictions.task == "country":
        pairs = zip(table["truth"], table["predicted"], strict=True)
        table["distance_km"] = np.array([distance_km(truth, predicted) for truth, predicted in pairs]).round(1)
    table["candidates"] = _candidates(predictions)
    return table


def _candidates(predictions: TaskPredictions, *, n: int = 5) -> list[str]:
    """ "TR 0.620; IR 0.110; …" for each track, best first."""
    n = min(n, len(predictions.labels))
    top = np.argpartition(-predictions.probabilities, n - 1, axis=1)[:, :n]
    values = np.take_along_axis(predictions.probabilities, top, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    top, values = np.take_along_axis(top, order, axis=1), np.take_along_axis(values, order, axis=1)
    return [
        "; ".join(f"{predictions.labels[label]} {value:.3f}" for label, value in zip(row, numbers, strict=True))
        for row, numbers in zip(top.tolist(), values.tolist(), strict=True)
    ]


def _joined(labels: "np.ndarray[Any, Any]", hot: "np.ndarray[Any, Any]") -> list[str]:
    return ["|".join(labels[row]) for row in hot]
