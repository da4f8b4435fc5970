"""The few numbers that training watches; `geoclass.evaluation` has them all."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.bundle.heads import Head
from geoclass.dataset.dataset import Split
from geoclass.metrics.formulas import confusion_matrix, confusion_scores


def score_tracks(heads: Sequence[Head], logits: Mapping[str, NDArray[Any]], split: Split) -> dict[str, float]:
    """Loss, accuracy and balanced accuracy per track, averaged over the tasks.

    For a multi-label task these are scores of single decisions at probability 0.5, a label of a track each: accuracy
    is the share that is right, balanced accuracy the mean of the recall of labels that apply and of those that do not.
    """
    scores = [_score(head, logits[head.task], split.targets(head.task)) for head in heads]
    return {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}


def _score(head: Head, logits: NDArray[Any], targets: NDArray[Any]) -> dict[str, float]:
    if head.kind == "multi":
        loss = np.mean(np.logaddexp(0, logits) - targets * logits)
        true, decided = ((values.ravel() > at).astype(np.int64) for values, at in ((targets, 0.5), (logits, 0)))
        confusion = confusion_matrix(true, decided, 2)
    else:
        log_sum = np.logaddexp.reduce(logits, axis=1)
        loss = np.mean(log_sum - logits[np.arange(len(logits)), targets])
        confusion = confusion_matrix(targets, logits.argmax(axis=1), len(head.labels))
    scores = confusion_scores(confusion.astype(np.float64))
    return {"loss": float(loss)} | {name: float(scores[name]) for name in ("accuracy", "balanced_accuracy")}
