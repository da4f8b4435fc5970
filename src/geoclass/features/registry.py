"""The front ends, by the kind of their configuration."""

from collections.abc import Callable
from typing import Any

from geoclass.config.frontends import EmbeddingConfig, FrontEndConfig, TableConfig
from geoclass.errors import ModelError
from geoclass.features.base import FrontEnd
from geoclass.features.descriptors import Descriptors
from geoclass.features.embedding import Embedding
from geoclass.features.gtzan import Statistics
from geoclass.features.logmel import LogMel
from geoclass.features.marsyas import TextureStatistics
from geoclass.features.w2v_bert import W2vBert
from geoclass.parallel.device import resolve_device

FRONT_ENDS: dict[str, Callable[[Any], FrontEnd]] = {
    "log-mel": LogMel,
    "w2v-bert": W2vBert,
    "texture": TextureStatistics,
    "statistics": Statistics,
    "descriptors": Descriptors,
    "embedding": Embedding,
}


def create_front_end(config: FrontEndConfig) -> FrontEnd:
    """The front end that a configuration describes.

    Raises:
        ModelError: It reads a table of published numbers, which cannot be computed from sound.
    """
    if isinstance(config, TableConfig):
        raise ModelError(
            f"this model reads a table ({', '.join(config.columns[:3])}, …), not sound",
            hint="use a model whose front end is computed from audio: `geoclass models list`",
        )
    return FRONT_ENDS[config.kind](config)


def resolve_front_end(config: FrontEndConfig) -> FrontEndConfig:
    """With what only the front end knows filled in: of a pretrained encoder its revision, rate, width and weights.

    Raises:
        ModelError: The encoder cannot be loaded.
    """
    return Embedding(config).resolved if isinstance(config, EmbeddingConfig) else config


def open_encoder(config: FrontEndConfig) -> FrontEnd:
    """The front end that computes the rows of a whole collection: an encoder on the GPU, where there is one.

    Raises:
        ModelError: As `create_front_end`.
    """
    front_end = create_front_end(config)
    return front_end.to(resolve_device("auto")) if isinstance(config, EmbeddingConfig) else front_end


def wants_batches(front_end: FrontEnd) -> bool:
    """Whether it is fed the segments of many files at once: on a GPU."""
    weights = next(front_end.parameters(), None)
    return weights is not None and weights.device.type != "cpu"
