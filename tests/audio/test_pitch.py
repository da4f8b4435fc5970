"""A pitch moved by semitones: where it lands, how long it lasts."""

import pytest
import torch

from geoclass.audio.pitch import pitch_shift

RATE = 22_050  # Hz


@pytest.mark.parametrize("semitones", [-12.0, -2.0, -0.5, 0.5, 2.0, 7.0])
@pytest.mark.parametrize("rate", [16_000, RATE])
def test_pitch_shift_moves_the_pitch_and_keeps_the_length(semitones, rate):
    time = torch.arange(3 * rate) / rate
    waveform = 0.5 * torch.sin(2 * torch.pi * 440.0 * time)
    shifted = pitch_shift(waveform, sample_rate=rate, semitones=semitones)
    assert shifted.shape == waveform.shape
    steady = shifted[rate : 2 * rate] * torch.hann_window(rate)
    peak_hz = torch.fft.rfft(steady, n=8 * rate).abs().argmax().item() / 8
    assert 12 * torch.tensor(peak_hz / 440.0).log2().item() == pytest.approx(semitones, abs=0.02)
    assert steady.abs().max() == pytest.approx(0.5, abs=0.08), "a tone keeps its strength"


def test_pitch_shift_of_a_batch_is_that_of_its_rows():
    batch = torch.randn(2, 3, 8000, generator=torch.Generator().manual_seed(0)) * 0.1
    shifted = pitch_shift(batch, sample_rate=16_000, semitones=2.0)
    assert torch.allclose(shifted[1, 2], pitch_shift(batch[1, 2], sample_rate=16_000, semitones=2.0), atol=1e-5)


def test_no_semitones_is_no_change():
    waveform = torch.randn(1000) * 0.1
    assert torch.equal(pitch_shift(waveform, sample_rate=RATE, semitones=0.0), waveform)
