"""Samples to one row of statistics a segment: the columns of the UCI origin set, and those of the GTZAN table.

Both tables were published without the sound; what is here computes the same columns from sound, batched, on CPU or
GPU, so that a model learned from the published rows can be asked about files.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from geoclass.config.frontends import LogMelConfig, StatisticsConfig
from geoclass.features.banks import Bank, chroma_bank, dct_matrix, slaney_bank
from geoclass.features.base import FrontEnd, power_spectrum

_CACHED = 2**19  # samples of a block of frames: two megabytes


class Statistics(FrontEnd):
    """The columns of the GTZAN table that need no source separation and no beat: (52,) a segment.

    Mean and variance over the frames of what librosa computes by default of 22,050 Hz: chroma of the STFT, RMS,
    spectral centroid, bandwidth and roll-off, zero crossing rate, MFCC 1 to 20. harmony, perceptr and tempo are left
    out: they take nearly all of librosa's time. Chroma takes A as 440 Hz, where librosa estimates the tuning.
    """

    window: Tensor  # (n_fft,)
    chroma: Tensor  # (12, n_bins)
    moments: Tensor  # (2, n_bins): frequency in kHz, and its square
    dct: Tensor  # (20, 128)

    def __init__(self, config: StatisticsConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        half = config.sample_rate / 2
        mel = LogMelConfig(sample_rate=config.sample_rate, n_fft=config.n_fft, n_mels=128, f_min_hz=0.0, f_max_hz=half)
        frequency = torch.linspace(0.0, half / 1_000, config.n_fft // 2 + 1)
        self.bank = Bank(slaney_bank(mel))
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("chroma", chroma_bank(config.sample_rate, config.n_fft), persistent=False)
        self.register_buffer("moments", torch.stack([frequency, frequency.square()]), persistent=False)
        self.register_buffer("dct", dct_matrix(20, 128), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 52)."""
        n_fft, hop = self.config.n_fft, self.config.hop_length
        padded = pad(waveform, (n_fft // 2, n_fft // 2))
        crossings = _sign_changes(waveform, n_fft, hop)  # (batch, n_frames), as what follows
        rms = padded.square().unfold(1, n_fft, hop).mean(2).sqrt()
        spectra = [self._spectral(frames) for frames in _in_blocks(padded.unfold(1, n_fft, hop))]
        shape, chroma, mel = (torch.cat(parts, dim=2) for parts in zip(*spectra, strict=True))
        decibel = 10 * mel.clamp(min=1e-10).log10()
        decibel = decibel.maximum(decibel.amax((1, 2), keepdim=True) - 80.0)
        cepstrum = self.dct @ decibel  # (batch, 20, n_frames)
        rows = torch.cat([rms[:, None], shape, crossings[:, None], cepstrum], dim=1)
        statistics = torch.stack([rows.mean(2), rows.var(2, correction=0)], dim=2).flatten(1)  # mean, var, mean, …
        notes = chroma.flatten(1)
        return torch.cat([torch.stack([notes.mean(1), notes.var(1, correction=0)], dim=1), statistics], dim=1)

    def _spectral(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, n_frames, n_fft) -> centroid, bandwidth, roll-off in Hz (batch, 3, n_frames); chroma; mel power."""
        power = power_spectrum(frames * self.window)  # (batch, n_frames, n_bins)
        magnitude = power.sqrt()
        cumulated = magnitude.cumsum(2)
        total = cumulated[..., -1:].clamp(min=1e-10)
        first, second = (magnitude @ self.moments.T / total).unbind(2)  # (batch, n_frames), as what follows
        bandwidth = (second - first.square()).clamp(min=0).sqrt()
        rolloff = torch.searchsorted(cumulated, 0.85 * total)[..., 0].clamp(max=magnitude.shape[2] - 1)
        shape = 1_000 * torch.stack([first, bandwidth, self.moments[0][rolloff]], dim=1)
        power = power.transpose(1, 2)
        chroma = self.chroma @ power
        return shape, chroma / chroma.amax(1, keepdim=True).clamp(min=1e-10), self.bank(power)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


def _in_blocks(frames: Tensor) -> tuple[Tensor, ...]:
    """(batch, n_frames, length), on a CPU some frames at a time: what is computed of them stays in its cache."""
    if frames.device.type != "cpu":
        return (frames,)
    return torch.split(frames, max(1, _CACHED // frames[:, 0].numel()), dim=1)


def _sign_changes(waveform: Tensor, length: int, hop: int) -> Tensor:
    """(batch, n_samples) -> (batch, n_frames): part of the samples of a centred frame whose sign is not the last one's.

    As in librosa: zero counts as positive, the first sample of a frame never counts, and beyond its ends the sound
    stays what it is there.
    """
    negative = waveform < 0
    changed = pad(negative[:, 1:] != negative[:, :-1], (length // 2, length // 2))
    counts = changed.unfold(1, length - 1, hop).sum(2, dtype=torch.int32)  # int32: twenty times as fast as int64
    return counts / length
