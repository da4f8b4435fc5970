"""How certain the scores are: resampling of artists, since the tracks of one artist rise and fall together.

Percentile intervals of the cluster bootstrap (Davison and Hinkley, Bootstrap Methods and Their Application, 1997,
section 3.8). The same seed and artists give the same resamples, so that two models can be compared pair by pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import EvaluationError
from geoclass.metrics.formulas import Floats, mean_defined
from geoclass.metrics.predictions import TaskPredictions
from geoclass.metrics.weighted import weighted_rankings, weighted_scores

LEVEL = 0.95
# With few clusters the percentile interval is too narrow (Hesterberg, The American Statistician 69, 2015): that of a
# mean over n equally large artists covers the truth with probability P(|t(n-1)| <= 1.96 sqrt((n-1)/n)) instead of
# 0.95: 0.60 for 2 artists, 0.85 for 5, and 0.90 for the first time for 10.
MIN_ARTISTS = 10
_BLOCK = 4_000_000  # weights held at a time: 32 MB
_RANKING_WORK = 300_000_000  # resamples x tracks x labels that the scores of rankings may cost


def resample_weights(clusters: NDArray[np.int64], *, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks of (block, n_tracks): how often each track occurs in each resample of the clusters (artists)."""
    generator = np.random.default_rng(seed)
    n_clusters = int(clusters.max()) + 1
    block = max(1, _BLOCK // len(clusters))
    for start in range(0, resamples, block):
        weights = np.empty((min(block, resamples - start), len(clusters)))
        for row in weights:
            drawn = np.bincount(generator.integers(0, n_clusters, n_clusters), minlength=n_clusters)
            row[:] = drawn[clusters]
        yield weights


def resampled_scores(predictions: TaskPredictions, *, resamples: int = 1000, seed: int = 0) -> dict[str, Floats]:
    """Every track-level score on every resample: name -> (resamples,).

    The scores of rankings (mAP, macro ROC-AUC) need a pass over all tracks for each label and resample; where that
    would cost too much they take the first resamples only, and their arrays are shorter.
    """
    parts: dict[str, list[Floats]] = {}
    ranked = max(50, _RANKING_WORK // (predictions.n_tracks * len(predictions.labels)))
    for weights in resample_weights(predictions.artists, resamples=resamples, seed=seed):
        block = weighted_scores(predictions, weights)
        if predictions.kind == "multi" and ranked > 0:
            precision, area = weighted_rankings(predictions, weights[:ranked])
            block |= {"mAP": mean_defined(precision), "macro_roc_auc": mean_defined(area)}
            ranked -= len(weights)
        for name, values in block.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def interval_note(n_artists: int, resamples: int) -> str:
    """Why no intervals are given for a score of so many artists; "" when they are."""
    if not resamples:
        return "no confidence intervals were asked for"
    if n_artists < MIN_ARTISTS:
        said = "1 artist" if n_artists == 1 else f"{n_artists} artists"
        return f"no confidence intervals: {said} scored, at least {MIN_ARTISTS} are needed"
    return ""


def interval(values: Floats, *, level: float = LEVEL) -> tuple[float, float] | None:
    """The percentile interval of a resampled score; None when it is defined on no resample, or never varies.

    A score that is the same on every resample (all artists right) is not known exactly: its interval is not known.
    """
    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    low, high = _percentiles(defined, level)
    return (low, high) if low < high else None


@dataclass(frozen=True)
class Difference:
    """The second model's score minus the first's, on the same tracks."""

    first: str
    second: str
    score: str
    difference: float
    low: float | None  # of the interval, from resampling artists for both models at once; None: see `interval_note`
    high: float | None
    p: float | None  # two-sided bootstrap p-value


def paired_differences(
    a: TaskPredictions, b: TaskPredictions, *, resamples: int = 1000, seed: int = 0
) -> dict[str, dict[str, float]]:
    """How certain it is that `b` differs from `a`, resample by resample.

    Returns:
        For each score that both have: "low" and "high" of the interval of b - a, and "p", the two-sided bootstrap
        p-value: twice the smaller share of the resamples at or beyond zero, counted so that it never is 0.

    Raises:
        EvaluationError: The two were not scored on the same tracks.
    """
    if a.track_ids != b.track_ids or a.artist_ids != b.artist_ids:
        raise EvaluationError(f"{a.task}: two models can only be compared on the same tracks")
    first = resampled_scores(a, resamples=resamples, seed=seed)
    second = resampled_scores(b, resamples=resamples, seed=seed)
    differences = {}
    for name in first.keys() & second.keys():
        n = min(len(first[name]), len(second[name]))
        change = second[name][:n] - first[name][:n]
        change = change[np.isfinite(change)]
        if not len(change):
            continue
        low, high = _percentiles(change, LEVEL)
        tail = min(int((change <= 0).sum()), int((change >= 0).sum()))
        differences[name] = {"low": low, "high": high, "p": min(1.0, 2 * (tail + 1) / (len(change) + 1))}
    return differences


def _percentiles(values: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
