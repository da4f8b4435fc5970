"""The filter bank of W2V-BERT 2.0."""

import torch
from torch import Tensor

from geoclass.config.frontends import W2vBertConfig
from geoclass.features.base import FrontEnd


class W2vBert(FrontEnd):
    """What the feature extractor of W2V-BERT 2.0 computes: (stride * n_mels, n_frames // stride).

    Kaldi's filter bank (25 ms frames every 10 ms, Povey window) of samples scaled to 16-bit integers, each mel band
    of the segment standardized, neighbouring frames concatenated: the numbers of transformers'
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
