"""Samples to features, batched, on the model's device. What is here runs alike in training and in tagging."""

import torch
from torch import Tensor

from geoclass.config.frontends import LogMelConfig
from geoclass.features.banks import Bank, decibels, slaney_bank
from geoclass.features.base import FrontEnd, at_once, power_spectrum


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
        n_fft = self.config.n_fft
        silence = waveform.new_zeros(len(waveform), n_fft // 2)  # librosa's default
        padded = torch.cat([silence, waveform, silence], dim=1)
        frames = padded.unfold(1, n_fft, self.config.hop_length)
        power = frames.new_empty(*frames.shape[:2], self.bank.n_bins)
        for part, its_power in zip(at_once(frames), at_once(power), strict=True):
            power_spectrum(part * self.window, out=its_power)
        decibel = decibels(self.bank.bands_first(power))
        decibel -= decibel.amax(dim=(1, 2), keepdim=True)
        return decibel.clamp_(min=-self.config.top_db)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (self.config.n_mels, 1 + n_samples // self.config.hop_length)
