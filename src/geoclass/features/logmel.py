"""Samples to features, batched, on the model's device. What is here runs alike in training and in tagging."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from geoclass.config.frontends import LogMelConfig
from geoclass.features.banks import Bank, decibels, slaney_bank
from geoclass.features.base import FrontEnd, each_segment, power_spectrum


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
        return each_segment(self._decibel, waveform)

    def _decibel(self, waveform: Tensor) -> Tensor:
        n_fft = self.config.n_fft
        padded = pad(waveform, (n_fft // 2, n_fft // 2))  # with silence, librosa's default
        frames = padded.unfold(1, n_fft, self.config.hop_length) * self.window
        decibel = decibels(self.bank.bands_first(power_spectrum(frames, n_bins=self.bank.n_bins)))
        decibel -= decibel.amax(dim=(1, 2), keepdim=True)
        return decibel.clamp_(min=-self.config.top_db)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (self.config.n_mels, 1 + n_samples // self.config.hop_length)
