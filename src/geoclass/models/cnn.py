"""A plain 2-D convolutional network on the log-mel spectrogram taken as a picture."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig
from geoclass.models.network import Network


class Cnn(Network):
    """Four blocks of 32, 64, 128, 256 channels, each halving bands and frames; mean over what is left; dropout."""

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        channels: Sequence[int] = (32, 64, 128, 256),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(_block(n_in, n_out) for n_in, n_out in pairwise((1, *channels))))
        self.dropout = nn.Dropout(dropout)
        self.embedding_dim = channels[-1]
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def embed(self, x: Tensor) -> Tensor:
        x = self.blocks(x[:, None])  # (batch, 256, n_bands / 16, n_frames / 16)
        pooled: Tensor = self.dropout(x.mean(dim=(2, 3)))
        return pooled


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),  # an axis shorter than 16 never shrinks to nothing
    )
