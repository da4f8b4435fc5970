"""What a frozen pretrained encoder makes of a segment: one row, its hidden states pooled over time."""

from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from geoclass.config.frontends import EmbeddingConfig
from geoclass.errors import ModelError
from geoclass.features.base import FrontEnd
from geoclass.features.pretrained import load_encoder

_AT_ONCE_S = 160.0  # of sound that go through the encoder together: some gigabytes of memory at the published sizes


class Embedding(FrontEnd):
    """(width,) means of the hidden states, or (2 * width,) means and standard deviations.

    Input is prepared by the encoder's own feature extractor. On a GPU it computes in half precision.

    Raises:
        ModelError: The encoder cannot be loaded, is another one than before, or lacks a layer.
    """

    def __init__(self, config: EmbeddingConfig) -> None:
        super().__init__()
        encoder = load_encoder(
            config.backbone,
            revision=config.revision,
            local_files_only=config.local_files_only,
            trust_remote_code=config.trust_remote_code,
            known=bool(config.weights_sha256),
        )
        if config.weights_sha256 and encoder.weights_sha256 != config.weights_sha256:
            raise ModelError(
                f"the encoder {config.backbone!r} has other weights ({encoder.weights_sha256[:8]}) than those that the "
                f"features were made with ({config.weights_sha256[:8]})",
                hint="restore the earlier weights, or build the data set and train again, or `learn` again",
            )
        n_states = len(encoder.shapes)
        if wrong := [layer for layer in config.layers if not -n_states <= layer < n_states]:
            raise ModelError(
                f"front_end.layers: {config.backbone!r} has no layer {wrong[0]}",
                hint=f"layers are numbered from 0, the input of the first, to {n_states - 1}; -1 is the last",
            )
        if len({encoder.shapes[layer] for layer in config.layers}) > 1:
            raise ModelError(
                f"front_end.layers: the last hidden state of {config.backbone!r} has another shape than the others",
                hint="name it alone, or the others without it",
            )
        self.resolved = replace(
            config,
            backbone=encoder.backbone,
            revision=encoder.revision or config.revision,
            sample_rate=encoder.sample_rate,
            width=encoder.shapes[config.layers[0]][1],
            weights_sha256=encoder.weights_sha256,
        )
        self.config = config
        self.sample_rate = encoder.sample_rate
        self.encoder = encoder.model
        self._extractor = encoder.extractor
        self._last_alone = {layer % n_states for layer in config.layers} == {n_states - 1}

    def forward(self, waveform: Tensor) -> Tensor:
        n_at_once = max(1, round(_AT_ONCE_S * self.sample_rate) // max(1, waveform.shape[1]))
        return torch.cat([self._rows(part) for part in torch.split(waveform, n_at_once)])

    def _rows(self, waveform: Tensor) -> Tensor:
        device = next(self.encoder.parameters()).device
        sounds = [*waveform.cpu().float().numpy()]
        prepared = self._extractor(sounds, sampling_rate=self.sample_rate, return_tensors="pt")
        inputs = {name: values.to(device) for name, values in prepared.items()}
        rows = self._pooled(inputs, half=device.type == "cuda")
        if device.type == "cuda" and not rows.isfinite().all():
            rows = self._pooled(inputs, half=False)  # numbers beyond the range of half precision
        return rows

    def _pooled(self, inputs: dict[str, Tensor], *, half: bool) -> Tensor:
        with torch.no_grad(), torch.autocast("cuda", torch.float16) if half else nullcontext():
            states = self._states(inputs).float()  # (batch, n_frames, width)
        return _pool(states, inputs.get("attention_mask"), self.config.pooling)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.resolved.columns),)

    def _states(self, inputs: dict[str, Tensor]) -> Tensor:
        if self._last_alone:
            last: Tensor = self.encoder(**inputs).last_hidden_state
            return last
        output = self.encoder(**inputs, output_hidden_states=True)
        states = [*output.hidden_states[:-1], output.last_hidden_state]  # the last as the encoder gives it out
        return torch.stack([states[layer] for layer in self.config.layers]).mean(dim=0)


def _pool(states: Tensor, mask: Tensor | None, pooling: str) -> Tensor:
    """(batch, n_frames, width) -> (batch, width) or (batch, 2 * width); padding does not count."""
    if mask is None or mask.shape[1] != states.shape[1]:
        mask = torch.ones(states.shape[:2], device=states.device)
    weights = (mask / mask.sum(dim=1, keepdim=True))[:, :, None].to(states)
    mean = (weights * states).sum(dim=1)
    if pooling == "mean":
        return mean
    deviation = (weights * (states - mean[:, None]).square()).sum(dim=1).sqrt()
    return torch.cat([mean, deviation], dim=1)
