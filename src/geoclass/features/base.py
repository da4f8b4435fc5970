"""What every front end is: samples to features, batched, on the model's device, alike in training and in tagging."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

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


def power_spectrum(frames: Tensor, *, n_bins: int | None = None) -> Tensor:
    """(…, length) -> (…, n_bins), the lowest, or all; several times as fast as the square of a complex abs."""
    squares = torch.view_as_real(torch.fft.rfft(frames))[..., :n_bins, :].square_()  # real, imaginary
    return squares[..., 0] + squares[..., 1]


def each_segment(function: Callable[[Tensor], Tensor], waveform: Tensor) -> Tensor:
    """`function` of (batch, n_samples), on a CPU of one segment after the other.

    For frames that overlap: those of one segment stay in the processor's cache, which makes this up to three times as
    fast. Where there is less to compute, more calls cost more than they save.
    """
    if waveform.device.type != "cpu" or len(waveform) < 2:
        return function(waveform)
    return torch.cat([function(segment) for segment in torch.split(waveform, 1)])


def together(front_end: FrontEnd, files: Sequence[Tensor]) -> list[Tensor]:
    """The features of several files, whose segments go through the front end in one batch: what a GPU needs.

    Args:
        front_end: Of any kind.
        files: (n_segments, n_samples) each.

    Returns:
        (n_segments, *feature_shape) each, on the CPU.
    """
    if not files:
        return []
    with torch.inference_mode():
        return [*front_end(torch.cat([*files])).cpu().split([len(segments) for segments in files])]
