"""What the logits of a model mean: the task, the labels and the calibration of each head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.bundle.calibration import is_never_sure, to_probabilities


@dataclass(frozen=True, kw_only=True)
class Head:
    """One task of a model: the meaning of its logits, and the probability from which a label is written."""

    task: str  # "country" or "genre"
    kind: str  # "single" or "multi"
    labels: tuple[str, ...]
    temperature: float = 1.0
    threshold: float = 0.0  # a label less probable than this is not written

    @property
    def never_sure(self) -> bool:
        """Whether no label is ever probable enough to be written."""
        return is_never_sure(self.threshold)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float32]:
        """(n_tracks, n_labels) logits -> calibrated probabilities: softmax for "single", sigmoid for "multi"."""
        return to_probabilities(logits, self.kind, temperature=self.temperature).astype(np.float32)


def describe_heads(heads: Sequence[Head]) -> dict[str, Any]:
    """The part of bundle.json about them."""
    return {
        "task": ",".join(head.task for head in heads),
        "kind": {head.task: head.kind for head in heads},
        "labels": {head.task: list(head.labels) for head in heads},
        "calibration": {head.task: {"temperature": head.temperature, "threshold": head.threshold} for head in heads},
    }


def read_heads(document: Mapping[str, Any]) -> tuple[Head, ...]:
    """The heads that bundle.json describes, in the order of its labels."""
    return tuple(
        Head(
            task=task,
            kind=document["kind"][task],
            labels=tuple(labels),
            temperature=float(document["calibration"][task]["temperature"]),
            threshold=float(document["calibration"][task]["threshold"]),
        )
        for task, labels in document["labels"].items()
    )
