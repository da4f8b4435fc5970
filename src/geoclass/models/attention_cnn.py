"""The network of the FMA country system: 1-D convolutions over time, with attention to frames and to channels."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig
from geoclass.models.network import Network, n_bands, stretch_to_frames


class AttentionCnn(Network):
    """Mel bands are the channels of 1-D convolutions: n_mels -> 512 -> 256 -> 128, each kernel 3, halving time.

    A sigmoid gate weighs the frames after the first block. After pooling over time, a softmax weighs the channels.
    Three linear layers (64, 32, classes) decide. Sizes are those of the published system at 256 mels; a front end
    with another number of bands changes the first layer alone.
    """

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        channels: Sequence[int] = (512, 256, 128),
        hidden: Sequence[int] = (64, 32),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.first = _block(n_bands(front_end), channels[0])
        self.frame_gate = nn.Conv1d(channels[0], 1, kernel_size=1)
        self.rest = nn.Sequential(*map(_block, channels[:-1], channels[1:]))
        self.channel_scores = nn.Linear(channels[-1], channels[-1])
        widths = [channels[-1], *hidden]
        self.dense = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout))
                for before, after in pairwise(widths)
            )
        )
        self.embedding_dim = widths[-1]
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def embed(self, x: Tensor) -> Tensor:
        x = self.first(x)  # (batch, 512, n_frames // 2)
        x = x * self._gate(x)
        x = self.rest(x)  # (batch, 128, n_frames // 8)
        pooled = x.mean(dim=2)
        # Softmax weights average 1 / n_channels; scaled to average 1 they leave the size of the activations alone.
        weights = torch.softmax(self.channel_scores(pooled), dim=1) * pooled.shape[1]
        embedding: Tensor = self.dense(pooled * weights)
        return embedding

    def attention_map(self, x: Tensor) -> Tensor:
        return stretch_to_frames(self._gate(self.first(x))[:, 0], x.shape[2])

    def _gate(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.frame_gate(x))  # (batch, 1, n_frames // 2)


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(n_in, n_out, kernel_size=3, padding=1, bias=False),  # batch norm has a bias of its own
        nn.BatchNorm1d(n_out),
        nn.ReLU(),
        nn.MaxPool1d(2),
    )
