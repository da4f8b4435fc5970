"""How sure the scores are: resampling of artists, since the tracks of one artist rise and fall together.

Percentile intervals of the cluster bootstrap (Davison and Hinkley, Bootstrap Methods and Their Application, 1997,
section 3.8). The same seed and artists give the same resamples, so that two models can be compared one by one.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import EvaluationError
from geoclass.metrics.formulas import Floats, mean_defined
from geoclass.metrics.predictions import Scored
from geoclass.metrics.weighted import weighted_rankings, weighted_scores

LEVEL = 0.95
_BLOCK = 4_000_000  # weights held at a time: 32 MB
_RANKING_WORK = 300_000_000  # resamples x tracks x labels that the scores of rankings may cost


def resample_weights(clusters: NDArray[np.int64], *, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks of (block, n_tracks): how often each track stands in each resample of the clusters (artists)."""
    generator = np.random.default_rng(seed)
    n_clusters = int(clusters.max()) + 1
    block = max(1, _BLOCK // len(clusters))
    for start in range(0, resamples, block):
        weights = np.empty((min(block, resamples - start), len(clusters)))
        for row in weights:
            drawn = np.bincount(generator.integers(0, n_clusters, n_clusters), minlength=n_clusters)
            row[:] = drawn[clusters]
        yield weights


def resampled_scores(scored: Scored, *, resamples: int = 1000, seed: int = 0) -> dict[str, Floats]:
    """Every track-level score on every resample: name -> (resamples,).

    The scores of rankings (mAP, macro ROC-AUC) need a pass over all tracks for each label and resample; where that
    would cost too much they take the first resamples only, and their arrays are shorter.
    """
    parts: dict[str, list[Floats]] = {}
    ranked = max(50, _RANKING_WORK // (scored.n_tracks * len(scored.labels)))
    for weights in resample_weights(scored.artists, resamples=resamples, seed=seed):
        block = weighted_scores(scored, weights)
        if scored.kind == "multi" and ranked > 0:
            precision, area = weighted_rankings(scored, weights[:ranked])
            block |= {"mAP": mean_defined(precision), "macro_roc_auc": mean_defined(area)}
            ranked -= len(weights)
        for name, values in block.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def interval(values: Floats, *, level: float = LEVEL) -> tuple[float, float] | None:
    """The percentile interval of a resampled score, or None when it is defined on no resample."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_differences(a: Scored, b: Scored, *, resamples: int = 1000, seed: int = 0) -> dict[str, dict[str, float]]:
    """How sure it is that `b` differs from `a`, resample by resample.

    Returns:
        For each score: "low" and "high" of the interval of b - a, and "p", the two-sided bootstrap p-value: twice
        the smaller share of the resamples at or beyond zero, counted so that it never is 0.

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
        bounds = interval(change)
        if bounds is None:
            continue
        tail = min(int((change <= 0).sum()), int((change >= 0).sum()))
        p = min(1.0, 2 * (tail + 1) / (len(change) + 1))
        differences[name] = {"low": bounds[0], "high": bounds[1], "p": p}
    return differences
