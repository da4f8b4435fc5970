"""What every front end is: samples to features, batched, on the model's device, alike in training and in tagging."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class FrontEnd(nn.Module, ABC):
    """Turns segments of sound into features. Deterministic and without weights to learn."""

    sample_rate: int  # Hz, of the samples that go in

    @abstractmethod
    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) float32 in [-1, 1] -> (batch, *feature_shape(n_samples)) float32."""

    @abstractmethod
    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        """Shape of one segment's features; the first axis is what normalization runs along (bands, columns)."""


def power_spectrum(frames: Tensor) -> Tensor:
    """(batch, n_frames, length) -> (batch, n_frames, n_bins); four times as fast as the square of a complex abs."""
    spectrum: Tensor = torch.fft.rfft(frames)
    return spectrum.real.square() + spectrum.imag.square()
