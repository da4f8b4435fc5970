"""Pitch: which intervals sound, in whatever key and tuning; how the peaks of the spectrum move."""

import torch
from torch import Tensor, nn

_N_FFT, _HOP = 4_096, 2_048  # samples
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 2_500.0
_PEAK_DEPTH = 6.9  # a peak has at least a thousandth of the loudest bin of its frame (natural logarithm)
_BINS = 120  # of an octave, 10 cents each
_N_HARMONICS = 48  # of the Fourier series of the histogram
_SHARES = (0, 1, 2, 3, 5, 7, 9, 11, 14, 19, 24, 29)  # of the whole, for so many of the strongest bins (of 20 cents)


class Pitch(nn.Module):
    """Peaks of the spectrum as a histogram over the octave, and what of it neither key nor tuning changes."""

    window: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.low, self.high = (int(hz * _N_FFT / sample_rate) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
        self.register_buffer("window", torch.hann_window(_N_FFT), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 96)."""
        magnitude = torch.fft.rfft(waveform.unfold(1, _N_FFT, _HOP) * self.window).abs()
        frequency, weight = self._peaks(magnitude)
        share = weight / weight.sum(2, keepdim=True).clamp(min=1e-9)
        place = (_BINS * (frequency.clamp(min=20) / 440).log2()).remainder(_BINS)
        below = place.floor()
        first, part = below.long() % _BINS, place - below
        frames = torch.zeros(*magnitude.shape[:2], _BINS, device=waveform.device)  # (batch, n_frames, bins)
        frames.scatter_add_(2, first, share * (1 - part))
        frames.scatter_add_(2, (first + 1) % _BINS, share * part)
        motion = self._motion(frames, frequency, weight)
        return torch.cat([_without_key(frames.mean(1)), motion], dim=1)

    def _peaks(self, magnitude: Tensor) -> tuple[Tensor, Tensor]:
        """Frequency in Hz and weight (0: no peak) of every bin: (batch, n_frames, n_bins), by parabolas."""
        level = (magnitude[..., self.low - 1 : self.high + 1] + 1e-9).log()
        left, centre, right = level[..., :-2], level[..., 1:-1], level[..., 2:]
        loudest = (magnitude.amax(2, keepdim=True) + 1e-9).log()
        is_peak = (centre > left) & (centre >= right) & (centre > loudest - _PEAK_DEPTH)
        shift = 0.5 * (left - right) / (left - 2 * centre + right - 1e-9)
        bins = torch.arange(self.low, self.high, device=magnitude.device)
        weight = magnitude[..., self.low : self.high].sqrt()
        return (bins + shift) * self.sample_rate / _N_FFT, torch.where(is_peak, weight, 0.0)

    def _motion(self, frames: Tensor, frequency: Tensor, weight: Tensor) -> Tensor:
        """(batch, 6): mean and std of the change between frames, of the number of peaks and of their height."""
        change = (frames[:, 1:] - frames[:, :-1]).abs().sum(2)
        n_peaks = (weight > 0).float().sum(2)
        height = (weight * frequency.clamp(min=20).log2()).sum(2) / weight.sum(2).clamp(min=1e-9)
        return torch.stack([moment for row in (change, n_peaks, height) for moment in (row.mean(1), row.std(1))], dim=1)


def _without_key(histogram: Tensor) -> Tensor:
    """(batch, _BINS) -> (batch, 90): magnitudes of the Fourier series, autocorrelation, shares of strong bins."""
    series = torch.fft.rfft(histogram).abs()
    correlation = torch.fft.irfft(series.square(), _BINS)[:, 1 : _BINS // 2 + 1]
    intervals = correlation.reshape(len(histogram), -1, 2).sum(2) / correlation.sum(1, keepdim=True).clamp(min=1e-9)
    strongest = histogram.reshape(len(histogram), -1, 2).sum(2).sort(dim=1, descending=True).values.cumsum(1)
    return torch.cat([(series[:, 1 : _N_HARMONICS + 1] + 1e-4).log(), intervals, strongest[:, list(_SHARES)]], dim=1)
