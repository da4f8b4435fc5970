"""What a frozen pretrained encoder makes of a segment: one row, its hidden states pooled over time."""

from dataclasses import replace

import torch
from torch import Tensor

from geoclass.config.frontends import EmbeddingConfig
from geoclass.errors import ModelError
from geoclass.features.base import FrontEnd, in_half_precision
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
        self.config = config
        self.sample_rate = encoder.sample_rate
        self.encoder = encoder.model
        self._extractor = encoder.extractor
        self.resolved = replace(
            config,
            backbone=encoder.backbone,
            revision=encoder.revision or config.revision,
            sample_rate=encoder.sample_rate,
            width=(config.width if config.weights_sha256 else 0) or self._listen(),
            weights_sha256=encoder.weights_sha256,
        )

    def forward(self, waveform: Tensor) -> Tensor:
        n_at_once = max(1, round(_AT_ONCE_S * self.sample_rate) // max(1, waveform.shape[1]))
        return torch.cat([self._rows(part) for part in torch.split(waveform, n_at_once)])

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.resolved.columns),)

    def _listen(self) -> int:
        """The width of the hidden states, from one second of sound, which shows that the encoder hears at all."""
        shape: tuple[int, ...] = ()
        why: Exception | None = None
        try:
            with torch.no_grad():
                shape = self._states(self._inputs(torch.sin(0.1 * torch.arange(self.sample_rate))[None])).shape
        except ModelError:
            raise
        except Exception as error:  # whatever a model of something else says of sound
            why = error
        if len(shape) != 3 or shape[0] != 1 or self.encoder.config.is_encoder_decoder:
            raise ModelError(
                f"{self.config.backbone!r} ({type(self.encoder).__name__}) is not an audio encoder",
                hint="docs/encoders.md lists some, such as facebook/w2v-bert-2.0",
            ) from why
        return shape[2]

    def _rows(self, waveform: Tensor) -> Tensor:
        inputs = self._inputs(waveform)

        def rows() -> Tensor:
            return _pool(self._states(inputs).float(), inputs.get("attention_mask"), self.config.pooling)

        with torch.no_grad():
            return in_half_precision(rows, self._device)

    @property
    def _device(self) -> torch.device:
        device: torch.device = next(self.encoder.parameters()).device
        return device

    def _inputs(self, waveform: Tensor) -> dict[str, Tensor]:
        sounds = [*waveform.cpu().float().numpy()]
        prepared = self._extractor(sounds, sampling_rate=self.sample_rate, return_tensors="pt")
        return {name: values.to(self._device) for name, values in prepared.items()}

    def _states(self, inputs: dict[str, Tensor]) -> Tensor:
        """The mean of the chosen hidden states, (batch, n_frames, width)."""
        if set(self.config.layers) == {-1}:
            last: Tensor = self.encoder(**inputs).last_hidden_state
            return last
        output = self.encoder(**inputs, output_hidden_states=True)
        states = [*output.hidden_states[:-1], output.last_hidden_state]  # the last as the encoder gives it out
        chosen = [states[layer] for layer in self._existing(len(states))]
        if len({state.shape for state in chosen}) > 1:
            raise ModelError(
                f"front_end.layers: the last hidden state of {self.config.backbone!r} has another shape than the "
                "others",
                hint="name it alone, or the others without it",
            )
        return torch.stack(chosen).mean(dim=0)

    def _existing(self, n_states: int) -> tuple[int, ...]:
        if wrong := [layer for layer in self.config.layers if not -n_states <= layer < n_states]:
            raise ModelError(
                f"front_end.layers: {self.config.backbone!r} has no layer {wrong[0]}",
                hint=f"layers are numbered from 0, the input of the first, to {n_states - 1}; -1 is the last",
            )
        return self.config.layers


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
