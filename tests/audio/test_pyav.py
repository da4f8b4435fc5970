"""What libsndfile does not read, to the second: files of 20 s, each of which has a pitch of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from geoclass.audio.decode import load_audio, load_excerpt

RATE, SECONDS = 22_050, 20
CODECS = {"m4a": "aac", "wma": "wmav2", "aac": "aac", "wv": "wavpack", "tta": "tta"}


def pitch(second: int) -> int:
    """In Hz: 400, 500, …, the same note never twice."""
    return 400 + 100 * second


def stairs() -> np.ndarray:
    """(n_samples,) a tone a second, each higher than the last."""
    time = np.arange(SECONDS * RATE) / RATE
    return 0.4 * np.sin(2 * np.pi * np.array([pitch(int(second)) for second in time]) * time)


def write(path: Path, channels: list[np.ndarray], codec: str) -> Path:
    """Encode channels (n_samples,) each."""
    layout = {1: "mono", 2: "stereo"}[len(channels)]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=RATE, layout=layout)
        if codec.startswith("wma"):
            stream.bit_rate = 64_000
        wanted = stream.codec_context.format.name
        for start in range(0, len(channels[0]), 1_024):
            block = np.stack([channel[start : start + 1_024] for channel in channels])
            frame = av.AudioFrame.from_ndarray(block.astype(np.float32), format="fltp", layout=layout)
            frame.sample_rate, frame.pts = RATE, start
            for converted in av.AudioResampler(format=wanted, layout=layout, rate=RATE).resample(frame):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module", params=CODECS)
def song(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("songs") / f"song.{request.param}"
    return write(path, [stairs()], CODECS[request.param])


def loudest(sound: np.ndarray) -> float:
    """The frequency of a sound, in Hz."""
    return float(np.fft.rfftfreq(len(sound), 1 / RATE)[np.abs(np.fft.rfft(sound)).argmax()])


@pytest.mark.parametrize("offset", [0, 1, 7, 18])
def test_the_seconds_that_are_asked_for(song: Path, offset: int) -> None:
    sound = load_audio(song, sample_rate=RATE, offset_s=offset, duration_s=2)
    assert sound.shape == (2 * RATE,)
    for second in range(2):
        middle = sound[round((second + 0.1) * RATE) : round((second + 0.9) * RATE)]
        assert loudest(middle) == pytest.approx(pitch(offset + second), abs=3)


def test_the_middle_is_the_middle(song: Path) -> None:
    sound = load_excerpt(song, sample_rate=RATE, duration_s=4)
    assert sound.shape == (4 * RATE,)
    heard = [loudest(sound[round((second + 0.1) * RATE) : round((second + 0.9) * RATE)]) for second in range(4)]
    assert heard == pytest.approx([pitch(second) for second in (8, 9, 10, 11)], abs=3)


def test_all_of_a_file_is_read_without_an_offset_and_to_its_end_with_one(song: Path) -> None:
    whole = len(load_audio(song, sample_rate=RATE))
    assert whole == pytest.approx(SECONDS * RATE, abs=0.2 * RATE)
    assert len(load_audio(song, sample_rate=RATE, offset_s=15)) == pytest.approx(whole - 15 * RATE, abs=0.1 * RATE)


def test_what_lies_before_the_excerpt_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = write(tmp_path / "song.m4a", [stairs()], "aac")
    opened, n_samples = av.open, 0

    class Counting:
        def __init__(self, container: Any) -> None:
            self._container = container

        def __getattr__(self, name: str) -> Any:
            return getattr(self._container, name)

        def __enter__(self) -> "Counting":
            return self

        def __exit__(self, *_: object) -> None:
            self._container.close()

        def decode(self, stream: Any) -> Iterator[Any]:
            nonlocal n_samples
            for frame in self._container.decode(stream):
                n_samples += frame.samples
                yield frame

    monkeypatch.setattr(av, "open", lambda *words, **options: Counting(opened(*words, **options)))
    assert len(load_excerpt(song, sample_rate=RATE, duration_s=1)) == RATE
    assert n_samples < 2 * RATE


@pytest.mark.parametrize("suffix", ["m4a", "wv", "wav"])
def test_channels_are_averaged_whatever_each_holds(tmp_path: Path, suffix: str) -> None:
    time = np.arange(4 * RATE) / RATE
    left, right = 0.6 * np.sin(2 * np.pi * 500 * time), 0.2 * np.sin(2 * np.pi * 1_500 * time)
    codec = {"wav": "pcm_s16le"}.get(suffix) or CODECS[suffix]
    song = write(tmp_path / f"song.{suffix}", [left, right], codec)
    sound = load_audio(song, sample_rate=RATE, offset_s=1, duration_s=2)
    strength = 2 * np.abs(np.fft.rfft(sound)) / len(sound)
    assert strength[[2 * 500, 2 * 1_500]] == pytest.approx([0.3, 0.1], rel=0.1)
