"""Samples to one row of statistics per segment: the columns of the UCI origin set."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from geoclass.config.frontends import TextureConfig
from geoclass.errors import AudioError
from geoclass.features.banks import auditory_toolbox_bank, dct_matrix
from geoclass.features.base import FrontEnd, power_spectrum


class TextureStatistics(FrontEnd):
    """MARSYAS' texture statistics (Tzanetakis and Cook, 2002): (4 blocks of 17 columns,) per segment.

    Of each frame: zero crossings, spectral centroid, roll-off, flux and MFCC 0 to 12, as in MARSYAS' ZeroCrossings,
    Centroid, Rolloff, Flux and MFCC. Of each of these, mean and standard deviation over a memory of 40 frames; of
    each of those, mean and standard deviation over the segment (`bextract -sv`). Frames do not overlap; power spectrum,
    Hamming window.

    The files of the UCI set were analysed at 44,100 Hz with frames of 512 samples: with frames of 11.6 ms, and not of
    23.2 ms, the columns correlate with each other as those of the set do. Frames of 256 samples at 22,050 Hz are the
    same frames without what lies above 11 kHz, which many recordings do not have and codecs cut.
    """

    window: Tensor  # (frame_length,)
    filters: Tensor  # (n_bins, 42): ones, the number of the bin, 40 mel bands
    dct: Tensor  # (40, 13)

    def __init__(self, config: TextureConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        window = torch.hamming_window(config.frame_length, periodic=False)
        self.register_buffer("window", window / config.frame_length, persistent=False)  # MARSYAS' FFT divides by N
        bank = auditory_toolbox_bank(config.sample_rate, config.frame_length)
        bins = torch.arange(bank.shape[1], dtype=bank.dtype)
        filters = torch.cat([torch.ones_like(bins)[None], bins[None], bank])
        self.register_buffer("filters", filters.T.contiguous(), persistent=False)
        self.register_buffer("dct", dct_matrix(13, len(bank)).T.contiguous(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 68).

        Raises:
            AudioError: Shorter than the memory.
        """
        length = self.config.frame_length
        if waveform.shape[1] < length * self.config.memory_frames:
            raise AudioError(f"{waveform.shape[1]} samples are too few for texture statistics")
        frames = waveform.unfold(1, self.config.frame_length, self.config.frame_length)  # (batch, n_frames, length)
        power = power_spectrum(frames * self.window)  # (batch, n_frames, n_bins)
        sums = power @ self.filters
        # Nothing below the noise of 16 bits: what is quieter depends on the decoder, and silence has no logarithm.
        cepstrum = sums[..., 2:].clamp(min=1e-12).log10_() @ self.dct  # (batch, n_frames, 13)
        centroid, rolloff = _centroid(sums[..., 0], sums[..., 1], power.shape[2]), _rolloff(power, part=0.9)
        shape = torch.stack([_crossings(frames), centroid, rolloff, _flux(power)], dim=2)
        low_level = torch.cat([shape, cepstrum], dim=2).transpose(1, 2)  # (batch, 17, n_frames)
        running = _running(low_level, self.config.memory_frames)
        return torch.cat([running.mean(2), _deviation(running)], dim=1)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


def _crossings(frames: Tensor) -> Tensor:
    """(batch, n_frames, length) -> (batch, n_frames): from above to below zero or back, plus one, a sample."""
    product = torch.addcmul(frames.new_zeros(()), frames[..., :-1], frames[..., 1:])  # a sum is no negative zero
    below = product.view(torch.int32).bitwise_right_shift_(31)  # -1 at a crossing; comparisons are slower
    return (1 - below.sum(2, dtype=torch.int32)) / frames.shape[2]


def _centroid(total: Tensor, moment: Tensor, n_bins: int) -> Tensor:
    """The power's first moment over its sum, as a part of the axis; 0.5 in silence."""
    return torch.where(total > 1e-20, moment / total.clamp(min=1e-20) / n_bins, 0.5)


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
    logarithm = power[..., 1:].clamp(min=1e-14).log_()
    change = (logarithm[:, 1:] - logarithm[:, :-1]).square_()
    flux = change.sum(2) / change.amax(2).clamp(min=1e-9) / power.shape[2]
    return torch.cat([flux[:, :1], flux], dim=1)


def _running(values: Tensor, memory: int) -> Tensor:
    """(batch, n_columns, n_frames) -> (batch, 2 n_columns, n_frames): means and stds of the last `memory` frames.

    Before the first frame MARSYAS' Memory holds copies of it.
    """
    centre = values.mean(2, keepdim=True)  # near zero the two sums lose no digits against each other
    filled = pad(values - centre, (memory - 1, 0), mode="replicate")
    mean, square = (_moving_sum(torch.cat([filled, filled.square()], dim=1), memory) / memory).chunk(2, dim=1)
    return torch.cat([mean + centre, (square - mean.square()).clamp_(min=0).sqrt_()], dim=1)


def _moving_sum(values: Tensor, length: int) -> Tensor:
    """(…, n) -> (…, n - length + 1): sums of `length` neighbours: twice the half as many, and one more if odd."""
    if length == 1:
        return values
    half = _moving_sum(values, length // 2)
    total = half[..., : -(length // 2)] + half[..., length // 2 :]
    return total if length % 2 == 0 else total[..., :-1] + values[..., length - 1 :]


def _deviation(values: Tensor) -> Tensor:
    """(batch, n_columns, n_frames) -> (batch, n_columns); many times as fast as `std`."""
    return (values - values.mean(2, keepdim=True)).square_().mean(2).sqrt()
