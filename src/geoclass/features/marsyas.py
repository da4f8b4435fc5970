"""Samples to one row of statistics per segment: the columns of the UCI origin set."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from geoclass.config.frontends import TextureConfig
from geoclass.errors import AudioError
from geoclass.features.banks import auditory_toolbox_bank, dct_matrix
from geoclass.features.base import FrontEnd, power_spectrum


class TextureStatistics(FrontEnd):
    """MARSYAS' texture statistics (Tzanetakis and Cook, 2002): (4 blocks of 17 columns,) a segment.

    Of each frame: zero crossings, spectral centroid, roll-off, flux and MFCC 0 to 12, as in MARSYAS' ZeroCrossings,
    Centroid, Rolloff, Flux and MFCC. Of each of these, mean and deviation over a memory of 40 frames; of each of
    those, mean and deviation over the segment (`bextract -sv`). Frames do not overlap; power spectrum, Hamming window.

    The files of the UCI set were analysed at 44,100 Hz with frames of 512 samples: with frames of 11.6 ms, and not of
    23.2 ms, the columns correlate with each other as those of the set do. Frames of 256 samples at 22,050 Hz are the
    same frames without what lies above 11 kHz, which many recordings do not have and codecs cut.
    """

    window: Tensor  # (frame_length,)
    mel: Tensor  # (40, n_bins)
    dct: Tensor  # (13, 40)

    def __init__(self, config: TextureConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        window = torch.hamming_window(config.frame_length, periodic=False)
        self.register_buffer("window", window / config.frame_length, persistent=False)  # MARSYAS' FFT divides by N
        self.register_buffer("mel", auditory_toolbox_bank(config.sample_rate, config.frame_length), persistent=False)
        self.register_buffer("dct", dct_matrix(13, self.mel.shape[0]), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 68).

        Raises:
            AudioError: Shorter than the memory.
        """
        length = self.config.frame_length
        if waveform.shape[1] < length * self.config.memory_frames:
            raise AudioError(f"{waveform.shape[1]} samples are too few for texture statistics")
        frames = waveform.unfold(1, length, length)  # (batch, n_frames, length)
        power = power_spectrum(frames * self.window)  # (batch, n_frames, n_bins)
        # Nothing below the noise of 16 bits: what is quieter depends on the decoder, and silence has no logarithm.
        mel = (power @ self.mel.T).clamp(min=1e-12).log10()
        cepstrum = mel @ self.dct.T  # (batch, n_frames, 13)
        shape = torch.stack([_crossings(frames), _centroid(power), _rolloff(power, part=0.9), _flux(power)], dim=2)
        low_level = torch.cat([shape, cepstrum], dim=2).transpose(1, 2)  # (batch, 17, n_frames)
        mean, deviation = _running(low_level, self.config.memory_frames)
        return torch.cat([mean.mean(2), deviation.mean(2), _deviation(mean), _deviation(deviation)], dim=1)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


def _crossings(frames: Tensor) -> Tensor:
    """(batch, n_frames, length) -> (batch, n_frames): from above to below zero or back, plus one, a sample."""
    below = (frames[..., :-1] * frames[..., 1:]).sign().clamp(max=0)  # -1 at a crossing; a comparison is slower
    return (1.0 - below.sum(2)) / frames.shape[2]


def _centroid(power: Tensor) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, n_frames), as a part of the axis; 0.5 in silence."""
    n_bins = power.shape[2]
    total = power.sum(2)
    centroid = power @ torch.arange(n_bins, dtype=power.dtype, device=power.device) / total.clamp(min=1e-20) / n_bins
    return torch.where(total > 1e-20, centroid, 0.5)


def _rolloff(power: Tensor, *, part: float) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, n_frames): the last bin below which less than `part` of the power lies.

    As MARSYAS has it: 1 when that is one of the two lowest bins.
    """
    n_bins = power.shape[2]
    cumulated = power.cumsum(2)
    last = torch.searchsorted(cumulated, part * cumulated[..., -1:])[..., 0] - 1
    return torch.where(last > 1, last / n_bins, 1.0)


def _flux(power: Tensor) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, n_frames): squared change of the log spectrum over its largest change.

    The first frame has no predecessor and takes the value of the second.
    """
    logarithm = power[..., 1:].clamp(min=1e-14).log()
    change = (logarithm[:, 1:] - logarithm[:, :-1]).square()
    flux = change.sum(2) / change.amax(2).clamp(min=1e-9) / power.shape[2]
    return torch.cat([flux[:, :1], flux], dim=1)


def _running(values: Tensor, memory: int) -> tuple[Tensor, Tensor]:
    """(batch, n_columns, n_frames) -> mean and deviation of the last `memory` frames at each frame, same shape.

    Before the first frame MARSYAS' Memory holds copies of it.
    """
    centre = values.mean(2, keepdim=True)  # near zero the two sums lose no digits against each other
    filled = pad(values - centre, (memory - 1, 0), mode="replicate")
    mean = _moving_sum(filled, memory) / memory
    square = _moving_sum(filled.square(), memory) / memory
    return mean + centre, (square - mean.square()).clamp(min=0).sqrt()


def _moving_sum(values: Tensor, length: int) -> Tensor:
    """(…, n) -> (…, n - length + 1): sums of `length` neighbours, made of sums of 1, 2, 4, … of them."""
    n_sums = values.shape[-1] - length + 1
    total = torch.zeros_like(values[..., :n_sums])
    start, width = 0, 1
    while width <= length:
        if length & width:
            total += values[..., start : start + n_sums]
            start += width
        values = values[..., :-width] + values[..., width:]
        width *= 2
    return total


def _deviation(values: Tensor) -> Tensor:
    """(batch, n_columns, n_frames) -> (batch, n_columns); many times as fast as `std`."""
    return (values - values.mean(2, keepdim=True)).square().mean(2).sqrt()
