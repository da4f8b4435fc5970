"""Silence and noise are named; music is not."""

import numpy as np
import pytest
from scipy import signal

from geoclass.audio.quality import describe

RATE = 22_050
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence(level):
    assert describe((level * RANDOM.standard_normal(10 * RATE)).astype(np.float32)) == "silence"


@pytest.mark.parametrize("pole", [0.0, 0.95, 0.999])
def test_noise_of_any_colour(pole):
    noise = signal.lfilter([1], [1, -pole], RANDOM.standard_normal(10 * RATE))
    assert describe((0.3 * noise / np.abs(noise).max()).astype(np.float32)) == "noise"


def test_notes_in_noise_are_not_noise():
    times = np.arange(10 * RATE) / RATE
    melody = np.sin(2 * np.pi * 220 * 2 ** (np.floor(times * 3) % 8 / 12) * times) * np.exp(-4 * (times * 3 % 1))
    sound = 0.3 * melody + 0.01 * RANDOM.standard_normal(len(times))
    assert describe(sound.astype(np.float32)) == ""
