"""Silence, noise and speech are named; music is not."""

import numpy as np
import pytest
from scipy import signal

from geoclass.audio.quality import _pitch, describe

RATE = 22_050
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence(level):
    assert describe((level * RANDOM.standard_normal(10 * RATE)).astype(np.float32), sample_rate=RATE) == "silence"


@pytest.mark.parametrize("pole", [0.0, 0.95, 0.999])
def test_noise_of_any_colour(pole):
    noise = signal.lfilter([1], [1, -pole], RANDOM.standard_normal(10 * RATE))
    assert describe((0.3 * noise / np.abs(noise).max()).astype(np.float32), sample_rate=RATE) == "noise"


@pytest.mark.parametrize(("power", "expected"), [(0.3, ""), (0.15, ""), (0.75, "noise")])
def test_noise_of_two_levels(power, expected):
    """Half of it at `power` lowers the mean logarithm by log((1 + power) / 2) - log(power) / 2: to -0.75, -0.97, -0.59.

    The first is within the bounds of the first look, not within those of the second.
    """
    noise = 0.1 * RANDOM.standard_normal(20 * RATE)
    noise[10 * RATE :] *= np.sqrt(power)
    assert describe(noise.astype(np.float32), sample_rate=RATE) == expected


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("n_samples", [0, 1, 500, 1_023])
def test_what_is_shorter_than_a_frame_is_silence(sample_rate, n_samples):
    assert describe(np.ones(n_samples, np.float32), sample_rate=sample_rate) == "silence"


def test_notes_in_noise_are_not_noise():
    times = np.arange(10 * RATE) / RATE
    melody = np.sin(2 * np.pi * 220 * 2 ** (np.floor(times * 3) % 8 / 12) * times) * np.exp(-4 * (times * 3 % 1))
    sound = 0.3 * melody + 0.01 * RANDOM.standard_normal(len(times))
    assert describe(sound.astype(np.float32), sample_rate=RATE) == ""


def voice(cents: np.ndarray, loudness: np.ndarray, sample_rate: int) -> np.ndarray:
    """Pulses of a glottis at a pitch (cents above 120 Hz) through the resonances of a mouth."""
    phase = np.cumsum(120 * 2 ** (cents / 1200)) / sample_rate
    pulses = np.diff(np.floor(phase), prepend=0)
    for hz, width_hz in ((650, 90), (1_100, 110), (2_500, 160)):
        radius = np.exp(-np.pi * width_hz / sample_rate)
        pulses = signal.lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * hz / sample_rate), radius**2], pulses)
    sound = pulses * loudness + 1e-4 * np.random.default_rng(1).standard_normal(len(pulses))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def syllables(sample_rate: int, *, per_s: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Time within each of ten seconds' syllables in [0, 1), and a loudness that pauses after every sixth."""
    times = np.arange(10 * sample_rate) / sample_rate * per_s
    within = times % 1
    return within, np.sin(np.pi * within) ** 0.5 * (times % 6 < 4.5)


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 44_100])
def test_a_voice_whose_pitch_never_rests_speaks(sample_rate):
    within, loudness = syllables(sample_rate)
    spoken = voice(150 * np.sin(2 * np.pi * within) - 100 * within, loudness, sample_rate)
    assert describe(spoken, sample_rate=sample_rate) == "speech"


def test_a_voice_that_holds_its_notes_sings():
    within, loudness = syllables(RATE)
    note = np.cumsum(np.diff(within, prepend=0) < 0) * 700 % 1200
    assert describe(voice(note.astype(float), loudness, RATE), sample_rate=RATE) == ""


def test_a_voice_over_instruments_is_music():
    within, loudness = syllables(RATE)
    spoken = voice(150 * np.sin(2 * np.pi * within), loudness, RATE)
    times = np.arange(len(spoken)) / RATE
    chord = sum(np.sin(2 * np.pi * hz * times) for hz in (196, 247, 294)) / 30
    assert describe((spoken + chord).astype(np.float32), sample_rate=RATE) == ""


def test_drums_are_music():
    times = np.arange(10 * RATE) / RATE
    drum = np.sin(2 * np.pi * 80 * times) + RANDOM.standard_normal(len(times))
    assert describe((0.2 * drum * np.exp(-20 * (times * 3 % 1) / 3)).astype(np.float32), sample_rate=RATE) == ""


@pytest.mark.parametrize("after", ["sings", "drums"])
def test_a_recording_that_only_begins_with_a_voice_is_music(after):
    within, loudness = syllables(RATE)
    spoken = voice(150 * np.sin(2 * np.pi * within) - 100 * within, loudness, RATE)
    times = np.arange(len(spoken)) / RATE
    drum = 0.2 * RANDOM.standard_normal(len(times)) * np.exp(-20 * (times * 3 % 1) / 3)
    sung = voice(np.cumsum(np.diff(within, prepend=0) < 0) * 700.0 % 1200, loudness, RATE)
    rest = {"sings": sung, "drums": drum.astype(np.float32)}[after]
    assert describe(spoken, sample_rate=RATE) == "speech"
    assert describe(np.concatenate([spoken[: 2 * RATE], rest, rest]), sample_rate=RATE) == ""


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 44_100])
@pytest.mark.parametrize("hz", [71.3, 123.4, 220.0, 311.1, 392.0])
def test_the_pitch_of_a_tone_is_found_between_two_lags(sample_rate, hz):
    """Within 5 cents; a lag more or less is 31 at 392 Hz and 22 kHz."""
    times = np.arange(4 * round(0.0116 * sample_rate)) / sample_rate
    tone = sum(np.cos(2 * np.pi * hz * n * times) / n for n in (1, 2, 3)).astype(np.float32)
    cents, strength = _pitch(np.stack([tone, 0.001 * tone]), sample_rate)
    assert cents == pytest.approx(1200 * np.log2(hz), abs=5)
    assert (strength > 0.9).all()


@pytest.mark.parametrize("first_s", [0, 2, 4, 6])
def test_one_loud_second_is_music(first_s):
    """All frames that the look for speech takes first are quiet, or not."""
    times = np.arange(10 * RATE) / RATE
    sound = np.sin(2 * np.pi * 220 * times) * np.where((times >= first_s) & (times < first_s + 1), 0.5, 1e-4)
    assert describe(sound.astype(np.float32), sample_rate=RATE) == ""
