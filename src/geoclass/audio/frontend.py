"""Samples to features, batched, on the model's device. What is here runs alike in training and in tagging."""

import warnings
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from geoclass.config import (
    FrontEndConfig,
    LogMelConfig,
    StatisticsConfig,
    TableConfig,
    TextureConfig,
    W2vBertConfig,
)
from geoclass.errors import ModelError


class FrontEnd(nn.Module, ABC):
    """Turns segments of sound into features. Deterministic and without weights to learn."""

    sample_rate: int  # Hz, of the samples that go in

    @abstractmethod
    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) float32 in [-1, 1] -> (batch, *feature_shape(n_samples)) float32."""

    @abstractmethod
    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        """Shape of one segment's features; the first axis is what normalization runs along (bands, columns)."""


class Bank(nn.Module):
    """Triangular filters over a spectrum: (batch, n_bins, n_frames) -> (batch, n_bands, n_frames).

    A band covers few bins: blocks of bands without their columns of zeros are a tenth of the multiplications, and twice
    as fast as torchaudio's MelSpectrogram, which multiplies by the whole bank.

    Args:
        filters: (n_bands, n_bins), from low to high.
    """

    _BANDS = 32  # of a block

    def __init__(self, filters: Tensor) -> None:
        super().__init__()
        self._bins: list[slice] = []
        for index, block in enumerate(torch.split(filters, self._BANDS)):
            covered = block.any(dim=0).nonzero()[:, 0].tolist() or [0]  # none: the bands lie between two bins
            self._bins.append(slice(covered[0], covered[-1] + 1))
            self.register_buffer(f"block{index}", block[:, self._bins[-1]].contiguous(), persistent=False)

    def forward(self, power: Tensor) -> Tensor:
        blocks = [self.get_buffer(f"block{index}") @ power[:, bins] for index, bins in enumerate(self._bins)]
        return torch.cat(blocks, dim=1)


class LogMel(FrontEnd):
    """Log-mel spectrogram in dB below the segment's loudest bin: (n_mels, n_frames), 0 at the top, -top_db below.

    The mel bank is Slaney's (Auditory Toolbox, 1998), as in librosa: librosa.feature.melspectrogram followed by
    librosa.power_to_db(ref=np.max) gives the same numbers. Loudness of the recording cancels out.
    """

    window: Tensor  # (n_fft,)

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.bank = Bank(slaney_bank(config))

    def forward(self, waveform: Tensor) -> Tensor:
        if waveform.device.type != "cpu" or len(waveform) < 2:
            return self._decibel(waveform)
        # One by one: the frames of one segment stay in the processor's cache, which makes this three times as fast.
        return torch.cat([self._decibel(segment) for segment in torch.split(waveform, 1)])

    def _decibel(self, waveform: Tensor) -> Tensor:
        n_fft = self.config.n_fft
        padded = pad(waveform, (n_fft // 2, n_fft // 2))  # with silence, librosa's default
        power = power_spectrum(padded.unfold(1, n_fft, self.config.hop_length) * self.window)
        decibel: Tensor = 10.0 * self.bank(power.transpose(1, 2)).clamp(min=1e-10).log10()
        decibel = decibel - decibel.amax(dim=(1, 2), keepdim=True)
        return decibel.clamp(min=-self.config.top_db)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (self.config.n_mels, 1 + n_samples // self.config.hop_length)


def power_spectrum(frames: Tensor) -> Tensor:
    """(batch, n_frames, length) -> (batch, n_frames, n_bins); four times as fast as the square of a complex abs."""
    spectrum: Tensor = torch.fft.rfft(frames)
    return spectrum.real.square() + spectrum.imag.square()


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


class W2vBert(FrontEnd):
    """What the feature extractor of W2V-BERT 2.0 computes: (stride * n_mels, n_frames // stride).

    Kaldi's filter bank (25 ms frames every 10 ms, Povey window) of samples scaled to 16-bit integers, each mel band
    of the segment brought to mean 0 and deviation 1, neighbouring frames side by side: the numbers of transformers'
    SeamlessM4TFeatureExtractor, without its need for transformers.
    """

    def __init__(self, config: W2vBertConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate

    def forward(self, waveform: Tensor) -> Tensor:
        from torchaudio.compliance.kaldi import fbank

        banks = torch.stack(
            [
                fbank(samples[None] * 2**15, num_mel_bins=self.config.n_mels, sample_frequency=self.sample_rate)
                for samples in waveform
            ]
        )  # (batch, 10 ms frames, n_mels)
        banks = (banks - banks.mean(dim=1, keepdim=True)) / (banks.var(dim=1, keepdim=True) + 1e-7).sqrt()
        n_frames = banks.shape[1] // self.config.stride
        return banks[:, : n_frames * self.config.stride].reshape(len(banks), n_frames, -1).transpose(1, 2)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        n_frames = 1 + (n_samples - round(0.025 * self.sample_rate)) // round(0.010 * self.sample_rate)
        return (self.config.stride * self.config.n_mels, n_frames // self.config.stride)


def create_front_end(config: FrontEndConfig) -> FrontEnd:
    """The front end that a configuration describes.

    Raises:
        ModelError: It reads a table of published numbers; no such thing can be computed from sound.
    """
    if isinstance(config, LogMelConfig):
        return LogMel(config)
    if isinstance(config, W2vBertConfig):
        return W2vBert(config)
    if isinstance(config, TextureConfig | StatisticsConfig):
        from geoclass.audio.statistics import Statistics, TextureStatistics

        return TextureStatistics(config) if isinstance(config, TextureConfig) else Statistics(config)
    assert isinstance(config, TableConfig)
    raise ModelError(
        f"this model reads a table ({', '.join(config.columns[:3])}, …), not sound",
        hint="use a model whose front end is computed from audio: `geoclass models list`",
    )
