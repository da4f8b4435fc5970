"""What is explained: the score of a label, as a function of the features."""

from typing import TYPE_CHECKING

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.explain.attribution import Score

if TYPE_CHECKING:
    from torch import Tensor


def label_score(bundle: Bundle, head: Head, index: int) -> Score:
    """What speaks for a label: its logit; where one label excludes the others, minus the mean of theirs.

    Softmax does not change when all logits rise together, so a logit alone says nothing there.
    """

    def score(x: "Tensor") -> "Tensor":
        logits = bundle.split_logits(bundle.model(x))[head.task]
        own = logits[:, index]
        if head.kind == "multi" or len(head.labels) == 1:
            return own
        return own - (logits.sum(dim=1) - own) / (len(head.labels) - 1)

    return score


def columns_of(bundle: Bundle) -> tuple[str, ...]:
    """Names of the numbers that a row model reads."""
    return tuple(getattr(bundle.front_end_config, "columns", ()))
