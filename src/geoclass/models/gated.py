"""A linear model of rows with a gate for unfamiliar music; `learn` fits it to a library."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig
from geoclass.models.columns import FRONT_ENDS, N_PREPARE, Whiten
from geoclass.models.network import Network, n_bands


class GatedLinear(Network):
    """Columns made normal and uncorrelated -> one linear layer -> labels, behind a gate.

    The last label of each field means everything outside the training labels. Its logit comes from a gate of
    its own and is weighed against all the others together: the labels share what the gate lets through.

    Args:
        front_end: What computes the columns.
        n_classes: Labels of all fields, those of the gates included.
        sizes: How many labels each field has; empty: one field without a gate.
        kinds: "single" or "multi" for each field.
        n_bins: Quantiles by which the columns are made normal.
        dropout: Of the whitened columns, where it is trained by `train`.
    """

    front_ends: ClassVar[tuple[str, ...]] = FRONT_ENDS
    n_prepare: ClassVar[int] = N_PREPARE

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        sizes: Sequence[int] = (),
        kinds: Sequence[str] = (),
        n_bins: int = 32,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if sizes and (sum(sizes) != n_classes or len(kinds) != len(sizes)):
            raise ValueError(f"sizes {list(sizes)} and kinds {list(kinds)} must describe {n_classes} labels")
        self.sizes, self.kinds = tuple(sizes), tuple(kinds)
        self.whiten = Whiten(n_bands(front_end), n_bins)
        self.embedding_dim = self.whiten.n_features
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def prepare(self, x: Tensor) -> None:
        self.whiten.prepare(x)

    def embed(self, x: Tensor) -> Tensor:
        whitened: Tensor = self.dropout(self.whiten(x))
        return whitened

    def classify(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.head(embedding)
        if not self.sizes:
            return logits
        fields = zip(torch.split(logits, list(self.sizes), dim=1), self.kinds, strict=True)
        return torch.cat([gated(field[:, :-1], field[:, -1:], kind) for field, kind in fields], dim=1)


def gated(labels: Tensor, outside: Tensor, kind: str) -> Tensor:
    """Logits of labels (batch, n) and of the gate (batch, 1) -> (batch, n + 1), of which softmax or sigmoid is taken.

    "single": softmax gives label k the probability softmax(labels)[k] * sigmoid(-outside), the gate sigmoid(outside).
    "multi": sigmoid gives label k sigmoid(labels[k]) * sigmoid(-outside).
    """
    if kind == "single":
        return torch.cat([labels.log_softmax(dim=1), outside], dim=1)
    log_p = nn.functional.logsigmoid(labels) + nn.functional.logsigmoid(-outside)
    log_rest = torch.log1p(-log_p.exp().clamp(max=1 - 1e-6))
    return torch.cat([log_p - log_rest, outside], dim=1)
