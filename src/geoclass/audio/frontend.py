"""Samples to features, batched, on the model's device. What is here runs alike in training and in tagging."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

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


class LogMel(FrontEnd):
    """Log-mel spectrogram in dB below the segment's loudest bin: (n_mels, n_frames), 0 at the top, -top_db below.

    The mel bank is Slaney's (Auditory Toolbox, 1998), as in librosa: librosa.feature.melspectrogram followed by
    librosa.power_to_db(ref=np.max) gives the same numbers. Loudness of the recording cancels out.
    """

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__()
        from torchaudio.transforms import MelSpectrogram

        self.config = config
        self.sample_rate = config.sample_rate
        self.mel = MelSpectrogram(
            sample_rate=config.sample_rate,
            n_fft=config.n_fft,
            hop_length=config.hop_length,
            f_min=config.f_min_hz,
            f_max=config.f_max_hz,
            n_mels=config.n_mels,
            power=2.0,
            norm="slaney",
            mel_scale="slaney",
            pad_mode="constant",  # librosa's default
        )

    def forward(self, waveform: Tensor) -> Tensor:
        power: Tensor = self.mel(waveform)  # (batch, n_mels, n_frames)
        decibel = 10.0 * torch.log10(power.clamp(min=1e-10))
        decibel = decibel - decibel.amax(dim=(1, 2), keepdim=True)
        return decibel.clamp(min=-self.config.top_db)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (self.config.n_mels, 1 + n_samples // self.config.hop_length)


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
