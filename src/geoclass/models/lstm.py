"""Recurrent networks over time, plain and with three kinds of attention."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig, TableConfig
from geoclass.errors import ModelError
from geoclass.models.network import Network, n_bands


class Lstm(Network):
    """Bidirectional LSTM, 2 layers of 128 units; the last states of both directions are the embedding.

    It reads log-mel frames, or a table whose columns hold `frames` moments one after the other (all numbers of the
    first moment, then all of the second, …).
    """

    front_ends = ("log-mel", "table")

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        hidden: int = 128,
        layers: int = 2,
        dropout: float = 0.3,
        frames: int = 0,
    ) -> None:
        super().__init__()
        self.frames = frames
        self.lstm = nn.LSTM(
            _frame_width(front_end, frames),
            hidden,
            num_layers=layers,
            dropout=dropout if layers > 1 else 0.0,
            batch_first=True,
            bidirectional=True,
        )
        self.dropout = nn.Dropout(dropout)
        self.embedding_dim = 2 * hidden
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def embed(self, x: Tensor) -> Tensor:
        _, last = self.states(x)
        embedding: Tensor = self.dropout(last)
        return embedding

    def states(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """States of the upper layer (batch, n_frames, 2 * hidden), and the last of each direction, side by side."""
        sequence = x.reshape(len(x), self.frames, -1) if self.frames else x.transpose(1, 2)
        # oneDNN has no bf16 LSTM on most processors. Mixed precision on a GPU is not concerned.
        with torch.autocast("cpu", enabled=False):
            states, (last, _) = self.lstm(sequence.float() if x.device.type == "cpu" else sequence)
        return states, torch.cat([last[-2], last[-1]], dim=1)


class AttentionLstm(Lstm):
    """The LSTM with the states of all frames weighed by attention, instead of the last ones alone.

    `attention` is one of
        self: scaled dot products between all pairs of frames, then the mean over frames (Vaswani et al. 2017);
        additive: a small network scores each frame (Bahdanau et al. 2015);
        dot: the last states are the query, the frames the keys (Luong et al. 2015).
    """

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        attention: Literal["self", "additive", "dot"] = "self",
        hidden: int = 128,
        layers: int = 2,
        dropout: float = 0.3,
        frames: int = 0,
    ) -> None:
        super().__init__(front_end, n_classes, hidden=hidden, layers=layers, dropout=dropout, frames=frames)
        self.attention = attention
        width = self.embedding_dim
        # No biases where a softmax over frames would cancel them.
        if attention == "self":
            self.query = nn.Linear(width, width)
            self.key = nn.Linear(width, width, bias=False)
            self.value = nn.Linear(width, width)
        elif attention == "additive":
            self.score = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))

    def embed(self, x: Tensor) -> Tensor:
        states, last = self.states(x)
        weights = self._weights(states, last)
        attended = self.value(states) if self.attention == "self" else states
        embedding: Tensor = self.dropout((weights[:, None] @ attended)[:, 0])
        return embedding

    def attention_map(self, x: Tensor) -> Tensor:
        return self._weights(*self.states(x))

    def _weights(self, states: Tensor, last: Tensor) -> Tensor:
        """(batch, n_frames) that sum to 1."""
        scale = 1.0 / math.sqrt(states.shape[2])
        if self.attention == "self":
            # The mean over asking frames of what they take from each frame: attending, then averaging, in one step.
            pairs = self.query(states) @ self.key(states).transpose(1, 2) * scale
            return torch.softmax(pairs, dim=2).mean(dim=1)
        scores = self.score(states) if self.attention == "additive" else states @ last[..., None] * scale
        return torch.softmax(scores[..., 0], dim=1)


def _frame_width(front_end: FrontEndConfig, frames: int) -> int:
    """How many numbers a moment has.

    Raises:
        ModelError: The table has no time, or its columns do not divide into the moments.
    """
    width = n_bands(front_end)
    if not isinstance(front_end, TableConfig):
        if frames:
            raise ModelError(
                f"frames={frames} applies to tables; {front_end.kind} features already have frames",
                hint="leave model.frames out",
            )
        return width
    if frames < 1 or width % frames:
        problem = "has no time" if frames < 1 else f"does not divide into frames={frames} moments"
        raise ModelError(
            f"a table of {width} columns {problem}",
            hint="use `--model fcnn`, or give the number of frames in a row with `--set model.frames=N`",
        )
    return width // frames
