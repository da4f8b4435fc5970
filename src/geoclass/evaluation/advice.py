"""The confidence that a model should reach before its labels are written, from files whose labels are known."""

from dataclasses import dataclass

from geoclass.bundle.calibration import choose_threshold, decisions, is_never_sure
from geoclass.metrics.predictions import TaskPredictions

TARGET_PRECISION = 0.9


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What tagging would have done to the files whose truth is known."""

    files: int  # with a value that the model could have predicted
    written: int  # labels at the model's own threshold
    agreeing: int  # of these, as the tags say
    min_confidence: float | None  # from which TARGET_PRECISION of what is written agrees; None: from none
    would_write: int  # labels from there on


def advise(predictions: TaskPredictions) -> Advice:
    """What the model's own threshold did, and what the threshold for TARGET_PRECISION would do."""
    confidence, correct = decisions(predictions.probabilities, predictions.truth)
    written = confidence >= (predictions.threshold or 0.0)
    threshold = choose_threshold(predictions.probabilities, predictions.truth, target_precision=TARGET_PRECISION)
    would = confidence >= threshold
    return Advice(
        files=predictions.n_tracks,
        written=int(written.sum()),
        agreeing=int(correct[written].sum()),
        min_confidence=None if is_never_sure(threshold) else threshold,
        would_write=0 if is_never_sure(threshold) else int(would.sum()),
    )
