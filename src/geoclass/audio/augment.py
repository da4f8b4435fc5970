"""Random changes to a batch that leave its labels true. Every number comes from the batch's own generator.

The numbers are drawn on the processor and then sent to the device: one seed gives the same masks everywhere, and the
global random state is neither read nor changed.
"""

from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from geoclass.storage import fingerprint


def batch_generator(seed: int, *, epoch: int, batch: int) -> torch.Generator:
    """A generator of its own for each batch, so that a resumed run changes its batches as the unbroken one.

    Args:
        seed: Of the run.
        epoch: Counted from 0.
        batch: Index in the epoch over all ranks (`step * world_size + rank`).
    """
    return torch.Generator().manual_seed(int(fingerprint("augment", seed, epoch, batch)[:15], 16))


def mask_bands(x: Tensor, generator: torch.Generator, *, fraction: float, value: float = 0.0) -> Tensor:
    """Hide a random run of frequency bands in each sample (SpecAugment, Park et al. 2019).

    Args:
        x: (batch, n_bands, n_frames).
        generator: Of the batch.
        fraction: Widest mask, as a part of all bands; the width is uniform from 0 to it.
        value: What the mask holds; 0 is the mean of normalized features.
    """
    return _mask(x, generator, axis=1, fraction=fraction, value=value)


def mask_frames(x: Tensor, generator: torch.Generator, *, fraction: float, value: float = 0.0) -> Tensor:
    """Hide a random run of frames in each sample. Arguments as `mask_bands`."""
    return _mask(x, generator, axis=2, fraction=fraction, value=value)


def _mask(x: Tensor, generator: torch.Generator, *, axis: int, fraction: float, value: float) -> Tensor:
    # The law of torchaudio.functional.mask_along_axis_iid, which can draw only from the global random state.
    size = x.shape[axis]
    widest = int(size * fraction)
    if widest < 1:
        return x
    width = torch.rand(x.shape[0], generator=generator) * widest
    start = (torch.rand(x.shape[0], generator=generator) * (size - width)).long()
    position = torch.arange(size)
    masked = (position >= start[:, None]) & (position < (start + width.long())[:, None])  # (batch, size)
    return x.masked_fill(masked.to(x.device, non_blocking=True).unsqueeze(3 - axis), value)


class Mixed(NamedTuple):
    """A mixed batch. Its loss is `weight * loss(y) + (1 - weight) * loss(y[partner])`."""

    x: Tensor  # as the batch
    partner: Tensor  # (batch,) int64 index of the sample that was mixed in, on the batch's device
    weight: float  # of the sample itself, in [0.5, 1]


def mixup(x: Tensor, generator: torch.Generator, *, alpha: float) -> Mixed:
    """Blend each sample with another one of the batch (Zhang et al. 2018).

    Args:
        x: (batch, …) normalized features.
        generator: Of the batch.
        alpha: Of the Beta(alpha, alpha) distribution of the weight, positive.
    """
    # Beta by two Gammas; torch.distributions cannot take a generator, torch._standard_gamma can.
    first, second = torch._standard_gamma(torch.full((2,), alpha, dtype=torch.float64), generator=generator).tolist()
    # Tiny alphas underflow to 0 / 0: then one of the two has all the weight, and which one does not matter.
    weight = max(first, second) / (first + second) if first + second > 0 else 1.0
    partner = torch.randperm(x.shape[0], generator=generator).to(x.device, non_blocking=True)
    return Mixed(weight * x + (1.0 - weight) * x[partner], partner, weight)


def gain(decibel: Tensor, generator: torch.Generator, *, gain_db: float) -> Tensor:
    """Make each sample louder or softer by up to `gain_db`: features in dB, before they are normalized.

    Args:
        decibel: (batch, n_bands, n_frames) in dB.
        generator: Of the batch.
        gain_db: Largest change in dB, uniform in both directions.
    """
    offset = (torch.rand(decibel.shape[0], generator=generator) * 2 - 1) * gain_db
    return decibel + offset.to(decibel, non_blocking=True)[:, None, None]


def pitch_shift(waveform: Tensor, *, sample_rate: int, semitones: float) -> Tensor:
    """Raise or lower the pitch and keep the length: phase vocoder, then resampling.

    Args:
        waveform: (…, n_samples) in [-1, 1].
        sample_rate: In Hz; sets the length of the vocoder's window (about 93 ms).
        semitones: Upward when positive.

    Returns:
        As `waveform`.
    """
    from torchaudio.functional import phase_vocoder, resample

    # A ratio of small numbers: torchaudio's own pitch_shift resamples by sample_rate : int(sample_rate * ratio), whose
    # filter bank takes gigabytes when the two share no divisor. 1 / 200 is off by less than a hundredth of a semitone.
    ratio = Fraction(2.0 ** (semitones / 12)).limit_denominator(200)
    if ratio == 1:
        return waveform
    n_fft = 2 ** round(torch.tensor(sample_rate * 0.093).log2().item())  # samples
    hop_length = n_fft // 4
    window = torch.hann_window(n_fft, device=waveform.device)
    n_samples = waveform.shape[-1]
    # Silence before the start, not its mirror image: the vocoder keeps the first frame's phases, and those of a
    # mirrored tone cancel (at 440 Hz two thirds of the amplitude are lost).
    spectrum = torch.stft(
        waveform.reshape(-1, n_samples), n_fft, hop_length, window=window, pad_mode="constant", return_complex=True
    )
    advance = torch.linspace(0, torch.pi * hop_length, n_fft // 2 + 1, device=waveform.device)[:, None]
    slower = phase_vocoder(spectrum, float(1 / ratio), advance)
    long = torch.istft(slower, n_fft, hop_length, window=window, length=round(n_samples * ratio))
    shifted = resample(long, ratio.numerator, ratio.denominator)[..., :n_samples]
    missing = n_samples - shifted.shape[-1]
    return torch.nn.functional.pad(shifted, (0, missing)).clamp(-1.0, 1.0).reshape(waveform.shape)
