"""W2V-BERT 2.0, pretrained on 4.5 million hours of speech, fine-tuned."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig
from geoclass.errors import ModelError
from geoclass.features.pretrained import load_w2v_bert
from geoclass.models.network import Network, n_bands


class Wav2Vec2Bert(Network):
    """The pretrained trunk, the mean of its frames, a linear layer.

    `finetune` says how much of the trunk learns: none of it ("frozen"), the top `unfrozen_layers` ("partial"), or all
    ("full"). The trunk comes from `backbone` (a folder, or an id of the Hugging Face hub), unless `backbone_config`
    describes it: then it starts with random weights. A saved bundle does the latter, and fills the weights in from its
    own file, so that it loads without network.
    """

    front_ends = ("w2v-bert",)

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        backbone: str = "facebook/w2v-bert-2.0",
        backbone_config: Mapping[str, Any] | None = None,
        finetune: Literal["frozen", "partial", "full"] = "partial",
        unfrozen_layers: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.trunk = load_w2v_bert(backbone, backbone_config)
        if self.trunk.config.feature_projection_input_dim != n_bands(front_end):
            raise ModelError(
                f"the backbone reads {self.trunk.config.feature_projection_input_dim} values per frame, "
                f"the front end gives {n_bands(front_end)}"
            )
        self.frozen = finetune == "frozen"
        self.trunk.requires_grad_(finetune == "full")
        if finetune == "partial":
            for layer in self.trunk.encoder.layers[-unfrozen_layers:]:
                layer.requires_grad_(True)
        self.dropout = nn.Dropout(dropout)
        self.embedding_dim = int(self.trunk.config.hidden_size)
        self.head = nn.Linear(self.embedding_dim, n_classes)
        self.arguments = {
            "backbone": backbone,
            "backbone_config": self.trunk.config.to_diff_dict(),
            "finetune": finetune,
            "unfrozen_layers": unfrozen_layers,
            "dropout": dropout,
        }

    def embed(self, x: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            frames = self.trunk(input_features=x.transpose(1, 2)).last_hidden_state  # (batch, n_frames, hidden)
        embedding: Tensor = self.dropout(frames.mean(dim=1))
        return embedding

    def train(self, mode: bool = True) -> "Wav2Vec2Bert":
        super().train(mode)
        if self.frozen:
            self.trunk.eval()  # a trunk that does not learn has no use for its dropout
        return self
