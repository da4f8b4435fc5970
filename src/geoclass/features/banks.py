"""Filter banks and transforms that several front ends share."""

import math
import warnings

import torch
from torch import Tensor, nn

from geoclass.config.frontends import LogMelConfig


class Bank(nn.Module):
    """Triangular filters over a spectrum: (…, n_frames, n_bins) -> (…, n_frames, n_bands).

    A band covers few bins: blocks of bands without their columns of zeros are a tenth of the multiplications, and twice
    as fast as torchaudio's MelSpectrogram, which multiplies by the whole bank.

    Args:
        filters: (n_bands, n_bins), from low to high.
    """

    _BANDS = 32  # of a block

    def __init__(self, filters: Tensor) -> None:
        super().__init__()
        self._n_bands = len(filters)
        self._bins: list[slice] = []
        for index, block in enumerate(torch.split(filters, self._BANDS)):
            covered = block.any(dim=0).nonzero()[:, 0].tolist() or [0]  # none: the bands lie between two bins
            self._bins.append(slice(covered[0], covered[-1] + 1))
            self.register_buffer(f"block{index}", block[:, self._bins[-1]].T.contiguous(), persistent=False)
        self.n_bins = max(bins.stop for bins in self._bins)  # what lies above is not needed

    def forward(self, power: Tensor) -> Tensor:
        blocks = [power[..., bins] @ self.get_buffer(f"block{index}") for index, bins in enumerate(self._bins)]
        return torch.cat(blocks, dim=-1)

    def bands_first(self, power: Tensor) -> Tensor:
        """The same as (…, n_bands, n_frames): bands one below the other take no time to turn."""
        bands = power.new_empty(*power.shape[:-2], self._n_bands, power.shape[-2])
        for index, (bins, rows) in enumerate(zip(self._bins, torch.split(bands, self._BANDS, dim=-2), strict=True)):
            torch.matmul(self.get_buffer(f"block{index}").T, power[..., bins].mT, out=rows)
        return bands


def decibels(power: Tensor) -> Tensor:
    """10 log10, nothing below -100."""
    return power.clamp(min=1e-10).log10_().mul_(10)


def slaney_bank(config: LogMelConfig) -> Tensor:
    """Triangles of equal area on Slaney's mel scale (Auditory Toolbox, 1998): (n_mels, n_bins)."""
    from torchaudio.functional import melscale_fbanks

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bands between two bins are empty; librosa has them too
        bank: Tensor = melscale_fbanks(
            config.n_fft // 2 + 1,
            config.f_min_hz,
            config.f_max_hz,
            config.n_mels,
            config.sample_rate,
            norm="slaney",
            mel_scale="slaney",
        )
    return bank.T


def auditory_toolbox_bank(sample_rate: int, n_fft: int) -> Tensor:
    """Slaney's 13 linear and 27 logarithmic triangles from 133 to 6,854 Hz (Auditory Toolbox, 1998): (40, n_bins)."""
    linear = 133.3333 + 66.66666 * torch.arange(13, dtype=torch.float64)
    edges = torch.cat([linear, linear[-1] * 1.0711703 ** torch.arange(1, 30, dtype=torch.float64)])
    lower, centre, upper = (edges[start : start + 40, None] for start in range(3))
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * sample_rate / n_fft
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    return (torch.minimum(rising, falling).clamp(min=0) * 2 / (upper - lower)).float()


def chroma_bank(sample_rate: int, n_fft: int) -> Tensor:
    """Weights of the FFT bins for the twelve pitch classes from C, A at 440 Hz: (12, n_bins).

    Ellis' fft2chromamx (Chroma feature analysis and synthesis, 2007), as in librosa.filters.chroma, whose import
    takes seconds: a Gaussian over the distance in semitones with a standard deviation of half a semitone or half a bin,
    whichever is larger; each bin scaled to length 1, then weighted by a Gaussian over octaves around 880 Hz with a
    standard deviation of two.
    """
    frequency = torch.arange(1, n_fft, dtype=torch.float64) * sample_rate / n_fft
    pitch = 12 * (frequency / (440 / 16)).log2()  # in semitones above the A at 27.5 Hz
    pitch = torch.cat([pitch[:1] - 18, pitch])  # the bin at 0 Hz has no pitch: an octave and a half below the first
    width = torch.cat([pitch.diff().clamp(min=1), torch.ones(1, dtype=torch.float64)])
    distance = torch.remainder(pitch - torch.arange(12)[:, None] + 6, 12) - 6
    bank: Tensor = torch.exp(-0.5 * (2 * distance / width).square())
    bank = bank / bank.norm(dim=0) * torch.exp(-0.5 * ((pitch / 12 - 5) / 2).square())
    return bank.roll(-3, 0)[:, : n_fft // 2 + 1].float()


def dct_matrix(n_coefficients: int, n_bands: int) -> Tensor:
    """Orthonormal DCT-II: (n_coefficients, n_bands)."""
    order = torch.arange(n_coefficients, dtype=torch.float64)[:, None]
    phase = math.pi * order * (2 * torch.arange(n_bands, dtype=torch.float64) + 1) / (2 * n_bands)
    scale = torch.full((n_coefficients, 1), math.sqrt(2 / n_bands), dtype=torch.float64)
    scale[0] = math.sqrt(1 / n_bands)
    return (scale * torch.cos(phase)).float()
