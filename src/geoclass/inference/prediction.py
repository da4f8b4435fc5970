"""What a model says of a file: plain values that tagging, evaluation and notebooks share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "ZZ"  # the label of music on which a model abstains; ISO 3166-1 leaves ZZ to its users


@dataclass(frozen=True, kw_only=True)
class FieldPrediction:
    """One task's answer for one file."""

    task: str  # "country" or "genre"
    kind: str  # "single" or "multi"
    labels: tuple[str, ...]  # of the model, in its order
    probabilities: NDArray[np.float32]  # (n_labels,), calibrated
    threshold: float  # below it the model abstains
    owners_labels: bool = False  # labels are spelled as the owner of a library spells them

    @property
    def candidates(self) -> tuple[tuple[str, float], ...]:
        """The labels that can be written with their probabilities, best first; ties in label order.

        OUTSIDE is not among them: without its probability, the others may sum to less than 1.
        """
        order = np.argsort(-self.probabilities, kind="stable")
        return tuple(
            (self.labels[index], float(self.probabilities[index])) for index in order if self.labels[index] != OUTSIDE
        )

    @property
    def probability(self) -> float:
        """Of the best candidate."""
        return self.candidates[0][1]

    def value(self, *, min_probability: float | None = None) -> tuple[str, ...]:
        """The labels to write: at most one for "single", possibly several for "multi"; () when the model abstains."""
        threshold = self.threshold if min_probability is None else min_probability
        sure = tuple(label for label, probability in self.candidates if probability >= threshold)
        return sure if self.kind == "multi" else sure[:1]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What one or several models say of one file."""

    path: Path
    fields: Mapping[str, FieldPrediction]  # by task
    note: str = ""  # why the models were not asked: "silence", "speech", …; fields then abstain
    embedding: NDArray[np.float32] | None = None  # (embedding_dim,), mean over the segments, where it was asked for


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A file that could not be predicted."""

    path: Path
    reason: str
