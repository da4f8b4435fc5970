"""One small case for each registered network: a front end that it reads, a shape, arguments that make it cheap."""

from dataclasses import dataclass, field
from typing import Any

import torch

from geoclass.config.frontends import FrontEndConfig, LogMelConfig, TableConfig, W2vBertConfig
from geoclass.models.network import Network
from geoclass.models.registry import create_model

N_CLASSES = 5
TINY_BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_depthwise_kernel_size": 5,
}
_MEL = LogMelConfig(n_mels=32)
_TABLE = TableConfig(columns=tuple(f"c{number}" for number in range(12)))
_WIDE_TABLE = TableConfig(columns=tuple(f"c{number}" for number in range(200)))


@dataclass(frozen=True)
class Case:
    """How to make and feed a network."""

    model: str
    front_end: FrontEndConfig
    shape: tuple[int, ...]  # of one segment's features
    arguments: dict[str, Any] = field(default_factory=dict)

    def create(self, *, seed: int = 0, **more: Any) -> Network:
        torch.manual_seed(seed)
        return create_model(self.model, n_classes=N_CLASSES, front_end=self.front_end, **{**self.arguments, **more})

    def batch(self, n: int = 8, *, seed: int = 0) -> torch.Tensor:
        return torch.randn(n, *self.shape, generator=torch.Generator().manual_seed(seed))


CASES = {
    "attention-cnn": Case("attention-cnn", _MEL, (32, 64)),
    "attention-lstm": Case("attention-lstm", _MEL, (32, 40), {"attention": "self"}),
    "attention-lstm additive": Case("attention-lstm", _MEL, (32, 40), {"attention": "additive"}),
    "attention-lstm dot": Case("attention-lstm", _MEL, (32, 40), {"attention": "dot"}),
    "cnn": Case("cnn", _MEL, (32, 64)),
    "fcnn": Case("fcnn", _TABLE, (12,)),
    "fcnn bins": Case("fcnn", _TABLE, (12,), {"encoding": "bins"}),
    "fcnn whiten": Case("fcnn", _TABLE, (12,), {"encoding": "whiten"}),
    "gated-linear": Case("gated-linear", _WIDE_TABLE, (200,)),
    "fcnn members": Case("fcnn", _TABLE, (12,), {"members": 3}),
    "lstm": Case("lstm", _MEL, (32, 40)),
    "lstm table": Case("lstm", _TABLE, (12,), {"frames": 4}),
    "resnet": Case("resnet", _MEL, (32, 64)),
    "wav2vec2-bert": Case(
        "wav2vec2-bert", W2vBertConfig(), (160, 30), {"backbone_config": TINY_BERT, "finetune": "full"}
    ),
}
