"""From logits to calibrated probabilities, and the probability below which a model abstains.

Both are fitted on the validation split when training ends and travel in the bundle. Everything is at track level:
the logits of a track are the mean over its segments.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoclass.errors import EvaluationError

TEMPERATURE_RANGE = (0.05, 20.0)  # a fit beyond it only shows that the split is too small
MIN_DECISIONS = 5  # a precision measured on fewer decisions means nothing
NEVER = 1.0  # the threshold of a model that is never sure: at no lower one was it right often enough


def to_probabilities(
    logits: ArrayLike, kind: Literal["single", "multi"] | str, *, temperature: float = 1.0
) -> NDArray[np.float64]:
    """Logits (n_tracks, n_labels) to probabilities of the same shape: softmax for "single", sigmoid for "multi"."""
    scaled = np.asarray(logits, np.float64) / temperature
    if kind == "multi":
        return np.exp(-np.logaddexp(0.0, -scaled))
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def fit_temperature(logits: ArrayLike, truth: ArrayLike) -> float:
    """The temperature that makes softmax(logits / T) most likely (Guo et al., ICML 2017); sigmoid for "multi".

    The negative log-likelihood is convex in 1/T, so a bounded search in log T finds its one minimum. Truth counts as
    one more right and one more wrong decision than there are (Platt 1999, section 2.2): a small split on which the
    model is never wrong does not make it certain.

    Args:
        logits: (n_tracks, n_labels), mean over the segments of a track.
        truth: (n_tracks,) label indices, or (n_tracks, n_labels) of 0 and 1.

    Raises:
        EvaluationError: No tracks, or logits that are not finite.
    """
    from scipy.optimize import minimize_scalar

    scores, known = _checked(logits, truth)

    doubt = 1 / (len(scores) + 2)
    wanted = _soft_targets(known, scores.shape[1], doubt)

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        if known.ndim == 2:
            return float(np.mean(np.logaddexp(0.0, scaled) - wanted * scaled))
        top = scaled.max(axis=1)
        log_sum = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float(np.mean(log_sum - (wanted * scaled).sum(axis=1)))

    low, high = np.log(TEMPERATURE_RANGE)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    # The bounded search never evaluates its ends.
    return float(np.exp(min((low, float(found.x), high), key=loss)))


def decisions(probabilities: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What could be written, and whether it is correct.

    Args:
        probabilities: (n_tracks, n_labels).
        truth: (n_tracks,) label indices: one decision per track, its best label; or (n_tracks, n_labels) of 0 and 1:
            one decision for each track and label.

    Returns:
        confidence (n_decisions,) and correct (n_decisions,).
    """
    values, known = np.asarray(probabilities, np.float64), np.asarray(truth)
    if known.ndim == 2:
        return values.ravel(), known.ravel() > 0.5
    return values.max(axis=1), values.argmax(axis=1) == known


def choose_threshold(probabilities: ArrayLike, truth: ArrayLike, *, target_precision: float) -> float:
    """The smallest threshold at which the labels written reach the target precision.

    A label is written when its probability reaches the threshold. Of all thresholds at which at least MIN_DECISIONS
    would be written with `target_precision`, the smallest one writes most. It is midway between the
    lowest confidence written and the next one, so that rounding in another batch size changes nothing, and
    never below chance (1/n_labels; for "multi" the share of positive labels). When no threshold reaches the target
    it is NEVER: such a model writes only labels of probability 1, in practice none.

    Args:
        probabilities: (n_tracks, n_labels), calibrated.
        truth: (n_tracks,) label indices, or (n_tracks, n_labels) of 0 and 1.
        target_precision: In [0, 1].

    Raises:
        EvaluationError: No tracks, or probabilities that are not finite.
    """
    values, known = _checked(probabilities, truth)
    confidence, correct = decisions(values, known)
    chance = float(known.mean()) if known.ndim == 2 else 1.0 / values.shape[1]
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], np.cumsum(correct[order])
    written = np.arange(1, len(confidence) + 1)
    last_of_its_value = np.append(confidence[1:] != confidence[:-1], True)  # equal confidences go together
    reached = last_of_its_value & (written >= MIN_DECISIONS) & (right >= target_precision * written)
    if not reached.any():
        return NEVER
    last = int(np.flatnonzero(reached)[-1])
    below = confidence[last + 1] if last + 1 < len(confidence) else confidence[last]
    return float(max(chance, (confidence[last] + below) / 2))


def is_never_sure(threshold: float) -> bool:
    """Whether a model with this threshold writes nothing."""
    return threshold >= NEVER


def _soft_targets(known: NDArray[np.int64], n_labels: int, doubt: float) -> NDArray[np.float64]:
    """Truth as probabilities: 1 - doubt for the true label, the rest shared by the others."""
    if known.ndim == 2:
        return np.where(known == 1, 1 - doubt, doubt)
    targets = np.full((len(known), n_labels), doubt / max(1, n_labels - 1))
    targets[np.arange(len(known)), known] = 1 - doubt
    return targets


def _checked(values: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    scores, known = np.asarray(values, np.float64), np.asarray(truth).astype(np.int64)
    if not len(scores):
        raise EvaluationError("the validation split holds no track to calibrate with")
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores).all(axis=1)).sum())
        raise EvaluationError(
            f"{bad} of {len(scores)} tracks have scores that are not finite numbers",
            hint="the training diverged: try a lower --lr",
        )
    return scores, known
