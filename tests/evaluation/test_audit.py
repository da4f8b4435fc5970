"""Planted leaks are found, and different recordings are told apart."""

import io
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from geoclass.config.frontends import LogMelConfig
from geoclass.dataset.audit import audit
from geoclass.dataset.fingerprints import SAME, reduce_log_mels, similarity
from geoclass.features.registry import create_front_end

CONFIG = LogMelConfig(sample_rate=16_000, n_fft=1024, hop_length=512, n_mels=64, f_max_hz=8_000)
RATE, SECONDS, SHIFT_S = CONFIG.sample_rate, 5, 0.3
Make = Callable[..., Any]


def song(seed: int, *, seconds: float = SECONDS + 1) -> np.ndarray:
    """Notes of decaying harmonics on a random scale over a noisy beat: (n_samples,)."""
    generator = np.random.default_rng(seed)
    sound = 0.003 * generator.normal(size=round(seconds * RATE))
    scale = 110 * 2 ** (np.sort(generator.choice(24, 7, replace=False)) / 12)
    at, step = 0.0, generator.uniform(0.12, 0.4)
    while at < seconds:
        part = sound[round(at * RATE) : round((at + 1.5) * RATE)]
        since = np.arange(len(part)) / RATE
        envelope = np.exp(-since * generator.uniform(2, 8))
        pitch = generator.choice(scale)
        for harmonic in range(1, 6):
            part += 0.2 * generator.random() * envelope * np.sin(2 * np.pi * pitch * harmonic * since) / harmonic
        if generator.random() < 0.4:
            part += 0.2 * np.exp(-since * 30) * generator.normal(size=len(part))
        at += step * generator.choice([1, 1, 2])
    return (0.7 * sound / np.abs(sound).max()).astype(np.float32)


def log_mel(sound: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return create_front_end(CONFIG)(torch.from_numpy(sound[None, : SECONDS * RATE]))[0].numpy().astype(np.float16)


def through_mp3(sound: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=0.8)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


PLANTS = {
    "re-encoded": through_mp3,
    "shifted": lambda sound: sound[round(SHIFT_S * RATE) :],
    "quieter": lambda sound: sound * 0.5,
    "all": lambda sound: through_mp3(sound[round(SHIFT_S * RATE) :] * 0.5),
}


def tracks_of(sounds: dict[str, tuple[str, np.ndarray]], **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "track_id": name,
            "path": f"{name}.mp3",
            "artist_id": name,
            "artist": name,
            "split": split,
            "rows": [log_mel(s)],
        }
        | more
        for name, (split, s) in sounds.items()
    ]


@pytest.fixture(scope="module")
def songs() -> list[np.ndarray]:
    return [song(seed) for seed in range(48)]


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_copies_are_found_and_nothing_else(songs: list[np.ndarray], write_dataset: Make, plant: str) -> None:
    sounds = {f"train{k}": ("train", sound) for k, sound in enumerate(songs[:24])}
    sounds |= {f"copy{k}": ("test", PLANTS[plant](sound)) for k, sound in enumerate(songs[:20])}
    sounds |= {f"other{k}": ("test", sound) for k, sound in enumerate(songs[24:])}
    dataset = write_dataset(tracks_of(sounds, country="FR"), labels={"country": ("FR", "DE")}, front_end=CONFIG)
    result = audit(dataset)
    pairs = {(copy.first_track, copy.second_track) for copy in result.copies}
    planted = {(f"train{k}", f"copy{k}") for k in range(20)}
    assert len(pairs & planted) >= 19
    assert pairs <= planted
    sound = next(entry for entry in result.shared if entry.kind == "sound")
    assert (sound.tracks, sound.of) == (len(pairs), 44)
    assert not result.clean


def test_no_false_alarm_on_a_thousand_pairs(songs: list[np.ndarray]) -> None:
    reduced = reduce_log_mels(np.stack([log_mel(sound) for sound in songs]), CONFIG)
    a, b = np.array(list(combinations(range(len(songs)), 2))).T
    assert len(a) > 1000
    assert similarity(reduced[a], reduced[b], CONFIG).max() < SAME - 0.1


def test_silence_is_no_copy_of_silence(songs: list[np.ndarray]) -> None:
    quiet = reduce_log_mels(np.full((2, 64, 100), -80, np.float16), CONFIG)
    assert similarity(quiet[:1], quiet[1:], CONFIG)[0] == 0


def test_names_on_both_sides(write_dataset: Make) -> None:
    def track(name: str, split: str, **more: str) -> dict[str, Any]:
        return {
            "track_id": name,
            "path": f"{name}.mp3",
            "split": split,
            "country": "FR",
            "rows": [[float(name), 1.0]],
        } | more

    dataset = write_dataset(
        [
            track("1", "train", artist_id="7", artist="Béla Fleck", album="Live", title="Intro"),
            track("2", "train", artist_id="8", artist="Someone", album="", title="Blue Train"),
            track("3", "test", artist_id="9", artist="bela  FLECK", album="LIVE!", title="intro"),
            track("4", "test", artist_id="8", artist="", album="", title="Other"),
            track("5", "test", artist_id="10", artist="New", album="Live", title="blue train"),
            track("6", "valid", artist_id="", artist="", album="", title=""),
        ],
        labels={"country": ("FR", "DE")},
    )
    result = audit(dataset)
    found = {e.kind: e for e in result.shared if (e.first, e.second) == ("train", "test")}
    assert (found["artist"].shared, found["artist"].tracks, found["artist"].of) == (2, 2, 3)
    assert (found["album"].tracks, found["album"].examples) == (1, ("bela fleck: live",))
    assert found["title"].examples == ("blue train",)
    assert found["recording"].shared == 0
    assert all(e.shared == 0 for e in result.shared if e.second == "valid")


def test_equal_rows_of_a_table_are_copies(write_dataset: Make) -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(12, 5)).astype(np.float32)
    tracks = [
        {"track_id": str(k), "path": "", "country": "FR", "split": "train" if k < 8 else "test", "rows": [row]}
        for k, row in enumerate([*rows[:8], rows[3], rows[9], rows[10], rows[3] * 1.01])
    ]
    copies = audit(write_dataset(tracks, labels={"country": ("FR", "DE")})).copies
    assert [(copy.first_track, copy.second_track) for copy in copies] == [("3", "8")]
