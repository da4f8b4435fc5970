"""Samples to one row of statistics per segment: the columns of the UCI origin set, and those of the GTZAN table.

Both tables were published without the sound; what is here computes the same columns from sound, batched, on CPU or
GPU, so that a model learned from the published rows can be asked about files.
"""

import torch
from torch import Tensor

from geoclass.config.frontends import LogMelConfig, StatisticsConfig
from geoclass.features.banks import Bank, chroma_bank, dct_matrix, decibels, slaney_bank
from geoclass.features.base import FrontEnd, each_segment, power_spectrum


class Statistics(FrontEnd):
    """The columns of the GTZAN table that need no source separation and no beat: (52,) a segment.

    Mean and variance over the frames of what librosa computes by default of 22,050 Hz: chroma of the STFT, RMS,
    spectral centroid, bandwidth and roll-off, zero crossing rate, MFCC 1 to 20. harmony, perceptr and tempo are left
    out: they take nearly all of librosa's time. Chroma takes A as 440 Hz, where librosa estimates the tuning.
    """

    window: Tensor  # (n_fft,)
    chroma: Tensor  # (n_bins, 12)
    moments: Tensor  # (n_bins, 2): frequency in kHz, and its square
    dct: Tensor  # (128, 20)

    def __init__(self, config: StatisticsConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        half = config.sample_rate / 2
        mel = LogMelConfig(sample_rate=config.sample_rate, n_fft=config.n_fft, n_mels=128, f_min_hz=0.0, f_max_hz=half)
        frequency = torch.linspace(0.0, half / 1_000, config.n_fft // 2 + 1)
        self.bank = Bank(slaney_bank(mel))
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("chroma", chroma_bank(config.sample_rate, config.n_fft).T.contiguous(), persistent=False)
        self.register_buffer("moments", torch.stack([frequency, frequency.square()], dim=1), persistent=False)
        self.register_buffer("dct", dct_matrix(20, 128).T.contiguous(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 52)."""
        overlap = self.config.hop_length < self.config.n_fft
        return each_segment(self._statistics, waveform) if overlap else self._statistics(waveform)

    def _statistics(self, waveform: Tensor) -> Tensor:
        n_fft, hop = self.config.n_fft, self.config.hop_length
        padded = _padded(waveform, n_fft // 2)
        frames = padded.unfold(1, n_fft, hop)  # (batch, n_frames, n_fft)
        rms = torch.linalg.vector_norm(frames, dim=2) / n_fft**0.5  # (batch, n_frames)
        power = power_spectrum(frames * self.window)  # (batch, n_frames, n_bins)
        decibel = decibels(self.bank(power))
        decibel = decibel.maximum(decibel.amax((1, 2), keepdim=True) - 80.0)
        chroma = power @ self.chroma
        chroma /= chroma.amax(2, keepdim=True).clamp(min=1e-10)
        rows = torch.stack([rms, *self._shape(power.sqrt_()), _sign_changes(padded, n_fft, hop)], dim=2)
        rows = torch.cat([rows, decibel @ self.dct], dim=2)  # (batch, n_frames, 25)
        statistics = torch.stack([rows.mean(1), rows.var(1, correction=0)], dim=2).flatten(1)  # mean, var, mean, …
        notes = chroma.flatten(1)
        return torch.cat([torch.stack([notes.mean(1), notes.var(1, correction=0)], dim=1), statistics], dim=1)

    def _shape(self, magnitude: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, n_frames, n_bins) -> centroid, bandwidth, roll-off in Hz, each (batch, n_frames)."""
        cumulated = magnitude.cumsum(2)
        total = cumulated[..., -1:].clamp(min=1e-10)
        first, second = (magnitude @ self.moments / total).unbind(2)
        bandwidth = (second - first.square()).clamp(min=0).sqrt()
        rolloff = torch.searchsorted(cumulated, 0.85 * total)[..., 0].clamp(max=magnitude.shape[2] - 1)
        return 1_000 * first, 1_000 * bandwidth, 1_000 * self.moments[:, 0][rolloff]

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


def _padded(waveform: Tensor, half: int) -> Tensor:
    """(batch, n_samples) -> (batch, half + n_samples + half), with silence; without negative zeros."""
    padded = waveform.new_empty(len(waveform), waveform.shape[1] + 2 * half)
    padded[:, :half] = padded[:, -half:] = 0.0
    torch.add(waveform, 0.0, out=padded[:, half:-half])
    return padded


def _sign_changes(padded: Tensor, length: int, hop: int) -> Tensor:
    """(batch, n_samples) -> (batch, n_frames): part of the samples of a frame whose sign is not that of the last one.

    As in librosa: zero counts as positive, the first sample of a frame never counts, and beyond its ends the sound
    stays what it is there, which is written into the padding.
    """
    half = length // 2
    padded[:, :half], padded[:, -half:] = padded[:, half : half + 1], padded[:, -half - 1 : -half]
    bits = padded.view(torch.int32)
    changed = (bits[:, 1:] ^ bits[:, :-1]).bitwise_right_shift_(31)  # -1 or 0; comparisons are several times slower
    return changed.unfold(1, length - 1, hop).sum(2, dtype=torch.int32) / -length
