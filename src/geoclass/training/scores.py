"""The few numbers that training watches; `geoclass.evaluation` has them all."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.bundle.bundle import Head
from geoclass.dataset.dataset import Split


def score_tracks(heads: Sequence[Head], logits: Mapping[str, NDArray[Any]], split: Split) -> dict[str, float]:
    """Loss, accuracy and balanced accuracy per track, averaged over the tasks.

    For a multi-label task accuracy is that of single decisions at probability 0.5, and balanced accuracy the mean of
    the hit rates on labels that apply and on labels that do not.
    """
    scores = [_score(head, logits[head.task], split.targets(head.task)) for head in heads]
    return {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}


def _score(head: Head, logits: NDArray[Any], targets: NDArray[Any]) -> dict[str, float]:
    if head.kind == "multi":
        hits = (logits > 0) == (targets > 0.5)
        rates = [hits[targets > 0.5].mean() if (targets > 0.5).any() else 0.0, hits[targets <= 0.5].mean()]
        loss = np.mean(np.logaddexp(0, logits) - targets * logits)
        return {"loss": float(loss), "accuracy": float(hits.mean()), "balanced_accuracy": float(np.mean(rates))}
    top = logits.max(axis=1, keepdims=True)
    log_sum = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    loss = np.mean(log_sum - logits[np.arange(len(logits)), targets])
    correct = logits.argmax(axis=1) == targets
    recalls = [correct[targets == label].mean() for label in np.unique(targets)]
    return {"loss": float(loss), "accuracy": float(correct.mean()), "balanced_accuracy": float(np.mean(recalls))}
