"""The statistics of the GTZAN table against librosa, and texture statistics against what their definition says."""

import subprocess
import sys
from itertools import pairwise

import librosa
import numpy as np
import pytest
import scipy.fft
import torch

from geoclass.config.frontends import StatisticsConfig, TextureConfig
from geoclass.errors import AudioError
from geoclass.features.banks import auditory_toolbox_bank, chroma_bank
from geoclass.features.registry import create_front_end

RATE = 22_050


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    rng = np.random.default_rng(0)
    time_s = np.arange(4 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * hz * time_s * (1 + 0.01 * np.sin(5 * time_s))) for hz in (220, 554, 1320))
    return (0.1 * tones * (1.2 + np.sin(3 * time_s)) + 0.01 * rng.normal(size=len(time_s))).astype(np.float32)


@pytest.mark.parametrize(("hop", "center"), [(512, True), (2_048, True), (512, False), (4_096, False)])
def test_statistics_are_librosas(sound: np.ndarray, hop: int, center: bool) -> None:
    config = StatisticsConfig(hop_length=hop, center=center)
    found = dict(zip(config.columns, create_front_end(config)(torch.from_numpy(sound)[None])[0].tolist(), strict=True))
    frames = {"hop_length": hop, "center": center}
    expected = {
        "chroma_stft": librosa.feature.chroma_stft(y=sound, sr=RATE, tuning=0.0, **frames),
        "rms": librosa.feature.rms(y=sound, **frames),
        "spectral_centroid": librosa.feature.spectral_centroid(y=sound, sr=RATE, **frames),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(y=sound, sr=RATE, **frames),
        "rolloff": librosa.feature.spectral_rolloff(y=sound, sr=RATE, **frames),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y=sound, **frames),
    }
    for number, row in enumerate(librosa.feature.mfcc(y=sound, sr=RATE, n_mfcc=20, **frames), start=1):
        expected[f"mfcc{number}"] = row
    for name, values in expected.items():
        assert found[f"{name}_mean"] == pytest.approx(values.mean(), rel=2e-3, abs=2e-3), name
        assert found[f"{name}_var"] == pytest.approx(values.var(), rel=1e-2, abs=2e-3), name


@pytest.mark.parametrize(("rate", "n_fft"), [(22_050, 2_048), (44_100, 4_096), (8_000, 512)])
def test_the_chroma_bank_is_librosas(rate: int, n_fft: int) -> None:
    np.testing.assert_allclose(chroma_bank(rate, n_fft), librosa.filters.chroma(sr=rate, n_fft=n_fft), atol=1e-6)


def test_statistics_are_made_without_librosa() -> None:
    """Its numba takes seconds to import: longer than a file takes."""
    program = (
        "import sys; from geoclass.features.registry import create_front_end; from geoclass.config.frontends import *; "
        "create_front_end(StatisticsConfig()); create_front_end(TextureConfig()); "
        "sys.exit(' '.join({'librosa', 'numba', 'scipy'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_signs_are_counted_as_librosa_counts_them() -> None:
    """Digital silence, negative zeros, and a sound that begins and ends below zero."""
    rng = np.random.default_rng(1)
    sound = rng.choice(np.array([-0.2, -0.0, 0.0, 0.1], np.float32), 9_000, p=[0.1, 0.4, 0.4, 0.1])
    sound[[0, -1]] = -0.5
    expected = librosa.feature.zero_crossing_rate(y=sound)
    config = StatisticsConfig()
    found = dict(zip(config.columns, create_front_end(config)(torch.from_numpy(sound)[None])[0].tolist(), strict=True))
    assert found["zero_crossing_rate_mean"] == pytest.approx(expected.mean(), rel=1e-5)
    assert found["zero_crossing_rate_var"] == pytest.approx(expected.var(), rel=1e-4)


def test_texture_is_what_marsyas_computes(sound: np.ndarray) -> None:
    """Frame by frame, in double precision, as its sources say."""
    config = TextureConfig()
    length, memory = config.frame_length, config.memory_frames
    frames = sound[: len(sound) // length * length].reshape(-1, length).astype(np.float64)
    bank = auditory_toolbox_bank(config.sample_rate, length).numpy().astype(np.float64)
    rows, before = [], None
    for frame in frames:
        power = np.abs(np.fft.rfft(frame * np.hamming(length) / length)) ** 2
        crossings = 1 + sum(a * b < 0 for a, b in pairwise(frame))
        centroid = (power * np.arange(len(power))).sum() / power.sum()
        rolloff = next(n for n in reversed(range(len(power))) if power[: n + 1].sum() < 0.9 * power.sum())
        logarithm = np.log(np.maximum(power[1:], 1e-14))
        change = np.zeros(1) if before is None else (logarithm - before) ** 2
        before = logarithm
        cepstrum = scipy.fft.dct(np.log10(np.maximum(bank @ power, 1e-12)), norm="ortho")[:13]
        flux = change.sum() / max(change.max(), 1e-9) / len(power)
        n_bins = len(power)
        rows.append([crossings / length, centroid / n_bins, rolloff / n_bins if rolloff > 1 else 1, flux, *cepstrum])
    low_level = np.array(rows)
    low_level[0, 3] = low_level[1, 3]
    filled = np.concatenate([np.repeat(low_level[:1], memory - 1, axis=0), low_level])
    windows = np.lib.stride_tricks.sliding_window_view(filled, memory, axis=0)
    running = np.concatenate([windows.mean(axis=2), windows.std(axis=2)], axis=1)
    expected = np.concatenate([running.mean(axis=0), running.std(axis=0)])
    found = create_front_end(config)(torch.from_numpy(sound)[None])[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4)


def test_texture_of_a_steady_tone_does_not_move() -> None:
    config = TextureConfig()
    time_s = np.arange(5 * RATE) / RATE
    hz = RATE / config.frame_length * 16  # a whole number of periods a frame
    tone = torch.from_numpy((0.5 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32))[None]
    row = dict(zip(config.columns, create_front_end(config)(tone)[0].tolist(), strict=True))
    assert row["centroid_mean_of_means"] == pytest.approx(16 / 129, abs=0.01)
    assert row["centroid_deviation_of_means"] == pytest.approx(0, abs=1e-4)
    assert row["zero_crossings_mean_of_means"] == pytest.approx(32 / 256, abs=0.02)


def test_a_batch_is_its_segments(sound: np.ndarray) -> None:
    for config in (TextureConfig(), StatisticsConfig()):
        front_end = create_front_end(config)
        segments = torch.from_numpy(sound).reshape(2, -1)
        together = front_end(segments)
        assert together.shape == (2, *front_end.feature_shape(segments.shape[1]))
        assert torch.isfinite(together).all()
        torch.testing.assert_close(together[1:], front_end(segments[1:]), rtol=1e-4, atol=1e-4)


def test_silence_gives_finite_numbers_and_a_click_is_too_short() -> None:
    assert torch.isfinite(create_front_end(TextureConfig())(torch.zeros(1, RATE))).all()
    assert torch.isfinite(create_front_end(StatisticsConfig())(torch.zeros(1, RATE))).all()
    with pytest.raises(AudioError, match="too few"):
        create_front_end(TextureConfig())(torch.zeros(1, 1000))
