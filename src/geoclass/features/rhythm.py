"""Rhythm of a log-mel: at which rates its bands fluctuate, and how regular its onsets are."""

from itertools import pairwise

import torch
from torch import Tensor

_N_BANDS = 8  # of the modulation spectrum
_WINDOW = 128  # frames
_RATES_HZ = (0.3, 0.9, 1.5, 2.3, 3.2, 4.5, 6.3, 8.8, 12.0, 21.0)
_PERIODS_S = (0.1, 2.0)
_N_PERIODS = 33  # steps between them; those that fall together count once
_ONSET_DB = 12.0  # a rise of any band by so much is an onset


def modulation(decibel: Tensor, frame_rate: float) -> Tensor:
    """(batch, n_frames, n_mels) -> (batch, 72): log amplitude at nine rates in eight bands."""
    batch, n_frames, n_mels = decibel.shape
    bands = decibel.reshape(batch, n_frames, _N_BANDS, n_mels // _N_BANDS).mean(3)
    windows = bands.unfold(1, _WINDOW, _WINDOW // 2)  # (batch, n_windows, bands, frames)
    window = torch.hann_window(_WINDOW, device=decibel.device)
    spectrum = torch.fft.rfft((windows - windows.mean(-1, keepdim=True)) * window).abs().mean(1)
    rates = torch.fft.rfftfreq(_WINDOW, 1 / frame_rate).to(decibel.device)
    parts = [spectrum[..., (rates >= low) & (rates < high)].mean(-1) for low, high in pairwise(_RATES_HZ)]
    return (torch.stack(parts, dim=-1) + 1e-3).log().flatten(1)


def periodicity(decibel: Tensor, frame_rate: float) -> Tensor:
    """(batch, n_frames, n_mels) -> (batch, 34): autocorrelation of the onset strength by period; how regular it is."""
    rises = (decibel[:, 1:] - decibel[:, :-1]).clamp(min=0)  # (batch, n_frames - 1, n_mels)
    strength = rises.mean(2)
    strength = strength - strength.mean(1, keepdim=True)
    n_frames = strength.shape[1]
    power = torch.fft.rfft(strength, 2 * n_frames).abs().square()
    correlation = torch.fft.irfft(power, 2 * n_frames)[:, :n_frames]
    correlation = correlation / correlation[:, :1].clamp(min=1e-9)
    edges = _period_frames(frame_rate)
    by_period = [correlation[:, low : max(high, low + 1)].amax(1) for low, high in pairwise(edges)]
    strongest = correlation[:, 4:90].sort(dim=1, descending=True).values
    regular = [strongest[:, 0], strongest[:, :5].mean(1), strength.clamp(min=0).mean(1), rises.mean((1, 2))]
    onsets = (rises.amax(2) > _ONSET_DB).float().mean(1)
    return torch.stack([*by_period, *regular, onsets], dim=1)


def _period_frames(frame_rate: float) -> list[int]:
    low, high = _PERIODS_S
    steps = torch.logspace(0, 1, _N_PERIODS, base=high / low, dtype=torch.float64) * low * frame_rate
    return sorted({round(step) for step in steps.tolist()})
