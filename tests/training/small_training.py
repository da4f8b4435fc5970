"""A data set in memory and networks whose every number can be worked out: what the loop's tests train."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.frontends import LogMelConfig
from geoclass.config.settings import TrainingConfig
from geoclass.dataset.dataset import Split
from geoclass.dataset.loading import SegmentLoader
from geoclass.training.loop import Epoch, State, new_state, train_epochs
from geoclass.training.runtime import Runtime

CPU = Runtime(torch.device("cpu"), "fp32")
LABELS = ("A", "B", "C")
N_BANDS, N_FRAMES = 4, 10


class Probe(nn.Module):
    """A linear network that remembers what it was shown; `steps` is called with each training batch."""

    name, arguments, embedding_dim = "probe", {}, N_BANDS

    def __init__(self, n_classes: int = len(LABELS), *, dropout: float = 0.0) -> None:
        super().__init__()
        self.head = nn.Linear(N_BANDS, n_classes)
        self.dropout = nn.Dropout(dropout)
        self.shown: list[Tensor] = []
        self.answered: list[Tensor] = []

    def embed(self, x: Tensor) -> Tensor:
        if self.training:
            self.shown.append(x.detach().clone())
        pooled: Tensor = self.dropout(x).mean(dim=2)
        return pooled

    def classify(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.head(embedding)
        if self.training:
            self.answered.append(logits.detach().clone())
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.embed(x))


def head(kind: str = "single") -> Head:
    return Head(task="genre" if kind == "multi" else "country", kind=kind, labels=LABELS)


class Setting:
    """One way of training, ready to begin.

    Args:
        config: How to train.
        truth: The label of each track, or for "multi" its labels.
        segments: How many segments each track has.
        kind: "single" or "multi".
        dropout: Of the network.
        alike: Whether all segments sound the same, so that their order plays no part.
    """

    def __init__(
        self,
        config: TrainingConfig,
        *,
        truth: Sequence[Any] = (0, 1, 2, 0, 1, 0),
        segments: Sequence[int] = (2, 2, 2, 2, 2, 2),
        kind: str = "single",
        dropout: float = 0.0,
        alike: bool = False,
    ) -> None:
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        features = rng.normal(-30, 10, (sum(segments), N_BANDS, N_FRAMES)).astype(np.float16)
        if alike:
            features[:] = features[0]
        tracks = pd.DataFrame({"track_id": [f"t{number}" for number in range(len(truth))]})
        if kind == "single":
            tracks["country"] = [LABELS[label] for label in truth]
        else:
            tracks["genres"] = ["|".join(LABELS[label] for label in labels) for labels in truth]
        task = head(kind).task
        split = Split(
            "train", tracks, np.arange(sum(segments)), np.repeat(np.arange(len(truth)), segments),
            {task: LABELS}, {task: kind},
        )  # fmt: skip
        dataset: Any = SimpleNamespace(tasks=(task,), features=features)
        self.config, self.split, self.features = config, split, features
        load: Callable[..., SegmentLoader] = lambda **more: SegmentLoader(dataset, split, device=CPU.device, **more)  # noqa: E731
        self.train = load(batch_size=config.batch_size, seed=config.seed, partners=config.mixup > 0)
        self.valid = load(batch_size=100)
        self.model = Probe(dropout=dropout)
        self.mean: NDArray[np.float32] = np.linspace(-31, -29, N_BANDS).astype(np.float32)
        self.std: NDArray[np.float32] = np.linspace(9, 11, N_BANDS).astype(np.float32)
        self.bundle = Bundle(
            name="b", release="0", model=self.model, front_end_config=LogMelConfig(n_mels=N_BANDS),  # type: ignore[arg-type]
            segment_seconds=1.0, mean=self.mean, std=self.std, heads=(head(kind),),
        )  # fmt: skip
        self.state: State = new_state(self.model, config=config, steps_per_epoch=len(self.train), runtime=CPU)

    def epochs(self, on_step: Callable[[], None] = lambda: None) -> list[Epoch]:
        """Train to the end."""
        return list(
            train_epochs(
                self.bundle, state=self.state, train=self.train, valid=self.valid, config=self.config, runtime=CPU,
                on_step=on_step,
            )
        )  # fmt: skip

    def normalized(self) -> Tensor:
        """(n_segments, n_bands, n_frames) as the network should be shown them."""
        plain = (self.features.astype(np.float32) - self.mean[:, None]) / self.std[:, None]
        return torch.from_numpy(plain)
