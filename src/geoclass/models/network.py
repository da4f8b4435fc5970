"""What every network of the package can do, whatever is inside."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig, LogMelConfig, RowConfig, W2vBertConfig


class Network(nn.Module, ABC):
    """Normalized features in, logits out, in two steps: `embed` to a vector, `classify` the vector.

    A subclass sets `self.embedding_dim` and `self.head` and implements `embed`. Its constructor takes the front end
    and the number of classes, then keyword-only arguments with defaults: these are what `create_model` and
    `--set model.KEY=VALUE` accept.

    Attributes:
        front_ends: Kinds of front end whose features the network can read.
        name: Under which the registry made it.
        arguments: With which `create_model` makes the same network again, as plain JSON data.
        embedding_dim: Length of what `embed` returns.
        n_prepare: How many training segments `prepare` wants to see at most; 0: none.
    """

    front_ends: ClassVar[tuple[str, ...]] = ("log-mel",)
    n_prepare: ClassVar[int] = 0

    name: str
    arguments: dict[str, Any]
    embedding_dim: int
    head: nn.Linear  # (embedding_dim) -> (n_classes)

    def prepare(self, x: Tensor) -> None:
        """Look once, before the first epoch, at normalized features of the training split: what is not learned."""

    @abstractmethod
    def embed(self, x: Tensor) -> Tensor:
        """(batch, n_bands, n_frames), or (batch, n_columns) of a table -> (batch, embedding_dim)."""

    def classify(self, embedding: Tensor) -> Tensor:
        """(batch, embedding_dim) -> (batch, n_classes) logits, before softmax or sigmoid."""
        logits: Tensor = self.head(embedding)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_bands, n_frames), or (batch, n_columns) of a table -> (batch, n_classes) logits."""
        return self.classify(self.embed(x))

    def attention_map(self, x: Tensor) -> Tensor | None:
        """Which frames the network looks at: (batch, n_frames), not negative, sum 1; None when it does not say."""
        return None


def n_bands(front_end: FrontEndConfig) -> int:
    """Length of the first axis of a segment's features: mel bands, or columns of a row."""
    if isinstance(front_end, LogMelConfig):
        return front_end.n_mels
    if isinstance(front_end, W2vBertConfig):
        return front_end.n_mels * front_end.stride
    assert isinstance(front_end, RowConfig)
    return len(front_end.columns)


def stretch_to_frames(weights: Tensor, n_frames: int) -> Tensor:
    """Spread weights of a shortened time axis over the frames of the input: (batch, t) -> (batch, n_frames), sum 1."""
    stretched = nn.functional.interpolate(weights[:, None, :].float(), size=n_frames, mode="linear")[:, 0]
    return stretched / stretched.sum(dim=1, keepdim=True)
