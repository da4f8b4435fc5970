"""The network of the MIRAGE system: fully connected, for rows of numbers, published or computed from sound."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from geoclass.config import FrontEndConfig
from geoclass.models.columns import Bins, Whiten
from geoclass.models.network import Network, n_bands


class Fcnn(Network):
    """Columns -> 256 -> 128 -> 64 -> classes, each layer with batch norm, ReLU and dropout.

    With `compress` the columns pass through asinh first: straight near zero, a logarithm far from it, so that the
    long tails of variances and of damaged sound do not decide. `columns` goes further, by quantiles of the training
    rows: "bins" gives each bin of a column an input of its own, "whiten" makes the columns normal and uncorrelated.

    `members` networks side by side answer together. In training each row goes to one of them, so that they learn from
    other batches and disagree where they do not know: an ensemble in one model, which needs `members` times the
    epochs, at batches `members` times as large, and no more time.
    """

    front_ends: ClassVar[tuple[str, ...]] = ("table", "texture", "statistics")
    n_prepare: ClassVar[int] = 20_000

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        hidden: Sequence[int] = (256, 128, 64),
        dropout: float = 0.3,
        compress: bool = False,
        columns: Literal["plain", "bins", "whiten"] = "plain",
        n_bins: int = 8,
        members: int = 1,
    ) -> None:
        super().__init__()
        if members < 1:
            raise ValueError("members must be at least 1")
        self.compress = compress
        n_columns = n_bands(front_end)
        self.encoder: Bins | Whiten | None = None
        if columns != "plain":
            self.encoder = Bins(n_columns, n_bins) if columns == "bins" else Whiten(n_columns, n_bins)
        widths = [self.encoder.n_features if self.encoder is not None else n_columns, *hidden]
        self.dense = _layers(widths, dropout)
        self.others = nn.ModuleList(_layers(widths, dropout) for _ in range(members - 1))
        self.embedding_dim = members * widths[-1]
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def prepare(self, x: Tensor) -> None:
        if self.encoder is not None:
            self.encoder.prepare(self._compressed(x))

    def embed(self, x: Tensor) -> Tensor:
        x = self._compressed(x)
        x = self.encoder(x) if self.encoder is not None else x
        members: list[nn.Module] = [self.dense, *self.others]
        if self.training and len(members) > 1 and len(x) >= 2 * len(members):  # batch norm needs two rows
            # Blocks of rows by blocks of the embedding: of each row the head sees one member alone.
            parts = [member(part) for member, part in zip(members, x.tensor_split(len(members)), strict=True)]
            blocks: Tensor = torch.block_diag(*parts)  # type: ignore[no-untyped-call]
            return blocks
        return torch.cat([member(x) for member in members], dim=1) / len(members)

    def _compressed(self, x: Tensor) -> Tensor:
        return x.asinh() if self.compress else x


def _layers(widths: Sequence[int], dropout: float) -> nn.Sequential:
    return nn.Sequential(
        *(
            nn.Sequential(nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(dropout))
            for n_in, n_out in pairwise(widths)
        )
    )
