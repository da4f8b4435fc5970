"""The network of the MIRAGE system: fully connected, for rows of numbers, published or computed from sound."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from geoclass.config import FrontEndConfig
from geoclass.models.network import Network, n_bands


class Fcnn(Network):
    """Columns -> 256 -> 128 -> 64 -> classes, each layer with batch norm, ReLU and dropout.

    With `compress` the columns pass through asinh first: straight near zero, a logarithm far from it, so that the
    long tails of variances and of damaged sound do not decide.
    """

    front_ends = ("table", "texture", "statistics")

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        hidden: Sequence[int] = (256, 128, 64),
        dropout: float = 0.3,
        compress: bool = False,
    ) -> None:
        super().__init__()
        self.compress = compress
        widths = [n_bands(front_end), *hidden]
        self.dense = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(dropout))
                for n_in, n_out in pairwise(widths)
            )
        )
        self.embedding_dim = widths[-1]
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def embed(self, x: Tensor) -> Tensor:
        embedding: Tensor = self.dense(x.asinh() if self.compress else x)
        return embedding
