"""The network of the MIRAGE system: fully connected, for rows of numbers, published or computed from sound."""

from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig
from geoclass.models.columns import ENCODERS, FRONT_ENDS, N_PREPARE
from geoclass.models.network import Network, n_bands


class Fcnn(Network):
    """Columns -> 256 -> 128 -> 64 -> classes, each layer with batch norm, ReLU and dropout.

    With `asinh` the columns pass through asinh first: straight near zero, a logarithm far from it, so that the
    long tails of variances and of damaged sound do not decide. `encoding` goes further, by quantiles of the training
    rows: "bins" gives each bin of a column a separate input, "whiten" makes the columns normal and uncorrelated.

    `members` networks form an ensemble. In training each row goes to one of them, so that they learn from
    different batches and disagree where they are uncertain: an ensemble in one model, which needs `members` times the
    epochs, at batches `members` times as large, and no more time. With several encodings, members take them in turn
    and disagree the more.
    """

    front_ends: ClassVar[tuple[str, ...]] = FRONT_ENDS
    n_prepare: ClassVar[int] = N_PREPARE

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        hidden: Sequence[int] = (256, 128, 64),
        dropout: float = 0.3,
        asinh: bool = False,
        encoding: str | Sequence[str] = "plain",
        n_bins: int = 8,
        members: int = 1,
    ) -> None:
        super().__init__()
        kinds = (encoding,) if isinstance(encoding, str) else tuple(encoding)
        if not kinds or not set(kinds) <= set(ENCODERS):
            raise ValueError(f"encoding must be of {', '.join(ENCODERS)}, not {encoding!r}")
        if members < len(kinds):
            raise ValueError(f"members must be at least {len(kinds)}")
        self.asinh = asinh
        self.kinds = tuple(islice(cycle(kinds), members))  # what each member reads
        encoders = {kind: ENCODERS[kind](n_bands(front_end), n_bins) for kind in kinds}
        self.encoders = nn.ModuleDict(encoders)
        widths = [[encoders[kind].n_features, *hidden] for kind in self.kinds]
        self.dense = _layers(widths[0], dropout)
        self.others = nn.ModuleList(_layers(of_member, dropout) for of_member in widths[1:])
        self.embedding_dim = sum(of_member[-1] for of_member in widths)
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def prepare(self, x: Tensor) -> None:
        x = self._scaled(x)
        for encoder in self.encoders.values():
            encoder.prepare(x)  # type: ignore[operator]

    def embed(self, x: Tensor) -> Tensor:
        x = self._scaled(x)
        members: list[nn.Module] = [self.dense, *self.others]
        if self.training and len(members) > 1 and len(x) >= 2 * len(members):  # batch norm needs two rows
            # Blocks of rows by blocks of the embedding: of each row the head sees one member alone.
            turns = zip(members, self.kinds, x.tensor_split(len(members)), strict=True)
            parts = [member(self.encoders[kind](part)) for member, kind, part in turns]
            blocks: Tensor = torch.block_diag(*parts)  # type: ignore[no-untyped-call]
            return blocks
        read = {kind: encoder(x) for kind, encoder in self.encoders.items()}
        parts = [member(read[kind]) for member, kind in zip(members, self.kinds, strict=True)]
        return torch.cat(parts, dim=1) / len(members)

    def _scaled(self, x: Tensor) -> Tensor:
        return x.asinh() if self.asinh else x


def _layers(widths: Sequence[int], dropout: float) -> nn.Sequential:
    return nn.Sequential(
        *(
            nn.Sequential(nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(dropout))
            for n_in, n_out in pairwise(widths)
        )
    )
