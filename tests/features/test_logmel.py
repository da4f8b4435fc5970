"""The log-mel front end against librosa, which it must agree with, and against itself in other batches."""

import librosa
import numpy as np
import pytest
import torch

from geoclass.config.frontends import LogMelConfig
from geoclass.features.banks import slaney_bank
from geoclass.features.registry import create_front_end

CONFIGS = [
    LogMelConfig(),
    LogMelConfig(n_mels=40, n_fft=512, hop_length=160, sample_rate=16_000, f_min_hz=0.0, f_max_hz=8_000),
    LogMelConfig(n_mels=256, n_fft=512),  # narrower than the bins: some bands hold none
]


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("config", CONFIGS, ids=["default", "speech", "narrow"])
def test_bank_is_librosas(config: LogMelConfig) -> None:
    expected = librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.f_min_hz, fmax=config.f_max_hz
    )
    bank = slaney_bank(config)
    assert bank.shape == expected.shape
    np.testing.assert_allclose(bank.numpy(), expected, atol=1e-4 * expected.max())


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("config", CONFIGS, ids=["default", "speech", "narrow"])
def test_decibels_are_librosas(config: LogMelConfig) -> None:
    rng = np.random.default_rng(0)
    time_s = np.arange(2 * config.sample_rate) / config.sample_rate
    waves = 0.3 * np.sin(2 * np.pi * rng.uniform(100, 4_000, (3, 1)) * time_s) + rng.normal(0, 0.01, (3, len(time_s)))
    waves = waves.astype(np.float32)
    features = create_front_end(config)(torch.from_numpy(waves)).numpy()
    for wave, own in zip(waves, features, strict=True):
        mel = librosa.feature.melspectrogram(
            y=wave, sr=config.sample_rate, n_fft=config.n_fft, hop_length=config.hop_length, n_mels=config.n_mels,
            fmin=config.f_min_hz, fmax=config.f_max_hz,
        )  # fmt: skip
        np.testing.assert_allclose(own, librosa.power_to_db(mel, ref=np.max, top_db=config.top_db), atol=0.01)


def test_a_segment_does_not_depend_on_its_batch() -> None:
    front_end = create_front_end(LogMelConfig(n_mels=32, n_fft=1024))
    waves = torch.randn(5, 22_050, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    together = front_end(waves)
    assert together.shape == (5, *front_end.feature_shape(22_050))
    assert torch.equal(together, torch.cat([front_end(wave[None]) for wave in waves]))


def test_silence_and_loudness() -> None:
    front_end = create_front_end(LogMelConfig())
    assert torch.equal(front_end(torch.zeros(1, 22_050)), torch.zeros(1, *front_end.feature_shape(22_050)))
    wave = torch.randn(1, 22_050, generator=torch.Generator().manual_seed(0)) * 0.1
    torch.testing.assert_close(front_end(wave), front_end(wave * 0.125), atol=1e-3, rtol=0)
