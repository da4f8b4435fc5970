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
        sound = _with_margins(waveform, n_fft // 2) if self.config.center else waveform
        frames = (sound.unfold(1, n_fft, hop) + 0.0).flatten(0, 1)  # (batch x n_frames, n_fft); no negative zeros
        rms = torch.linalg.vector_norm(frames, dim=1) / n_fft**0.5
        crossings = _sign_changes(frames)
        power = power_spectrum(frames.mul_(self.window))  # (batch x n_frames, n_bins)
        decibel = decibels(self.bank(power)).view(len(waveform), -1, len(self.dct))
        decibel = decibel.maximum(decibel.amax((1, 2), keepdim=True) - 80.0)
        chroma = power @ self.chroma
        chroma /= chroma.amax(1, keepdim=True).clamp(min=1e-10)
        shape = torch.stack([rms, *self._shape(power.sqrt_()), crossings], dim=1)
        rows = torch.cat([shape.view(len(waveform), -1, 5), decibel @ self.dct], dim=2)  # (batch, n_frames, 25)
        notes = _moments(chroma.reshape(len(waveform), -1, 1))
        return torch.cat([notes, _moments(rows)], dim=1)

    def _shape(self, magnitude: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(n_frames, n_bins) -> centroid, bandwidth, roll-off in Hz, each (n_frames,)."""
        cumulated = magnitude.cumsum(1)
        total = cumulated[:, -1:].clamp(min=1e-10)
        first, second = (magnitude @ self.moments / total).unbind(1)
        bandwidth = (second - first.square()).clamp(min=0).sqrt()
        rolloff = torch.searchsorted(cumulated, 0.85 * total)[:, 0].clamp(max=magnitude.shape[1] - 1)
        return 1_000 * first, 1_000 * bandwidth, 1_000 * self.moments[:, 0][rolloff]

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


def _with_margins(waveform: Tensor, length: int) -> Tensor:
    """(batch, n_samples) -> (batch, length + n_samples + length), with silence.

    The silence is too quiet to be anything else in float32, but has the sign of the sample it is next to: librosa
    counts sign changes as if that sample went on.
    """
    first, last = (1e-30 * waveform[:, edge, None].expand(-1, length) for edge in (0, -1))
    return torch.cat([first, waveform, last], dim=1)


def _sign_changes(frames: Tensor) -> Tensor:
    """(n_frames, length) -> (n_frames,): part of the samples whose sign is not that of the one before."""
    bits = frames.view(torch.int32)  # of float32, whose first bit is the sign: twice as fast as signbit and booleans
    changed = (bits[:, 1:] ^ bits[:, :-1]).bitwise_right_shift_(31)  # -1 where the signs differ
    return changed.sum(1, dtype=torch.int32).neg_() / frames.shape[1]


def _moments(rows: Tensor) -> Tensor:
    """(batch, n, n_columns) -> (batch, 2 n_columns): mean, variance, mean, variance, …"""
    variance, mean = torch.var_mean(rows, 1, correction=0)
    return torch.stack([mean, variance], dim=2).flatten(1)
