"""Decoding: the seconds that are asked for, and what happens when they are not there."""

import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from geoclass.audio.decode import load_audio, load_excerpt
from geoclass.errors import AudioError

RATE = 22_050


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """Four seconds that rise from 0 to 0.8 on the left and stay at 0 on the right."""
    left = np.linspace(0, 0.8, 4 * RATE)
    soundfile.write(tmp_path / "ramp.wav", np.stack([left, np.zeros_like(left)], axis=1), RATE, subtype="FLOAT")
    return tmp_path / "ramp.wav"


def test_channels_are_averaged_and_offsets_kept(ramp: Path) -> None:
    sound = load_audio(ramp, sample_rate=RATE, offset_s=1, duration_s=2)
    assert (sound.dtype, sound.shape) == (np.float32, (2 * RATE,))
    np.testing.assert_allclose(sound[[0, -1]], [0.1, 0.3], atol=1e-4)


def test_an_excerpt_is_the_middle_and_all_of_what_is_shorter(ramp: Path) -> None:
    np.testing.assert_array_equal(
        load_excerpt(ramp, sample_rate=RATE, duration_s=1),
        load_audio(ramp, sample_rate=RATE, offset_s=1.5, duration_s=1),
    )
    assert len(load_excerpt(ramp, sample_rate=RATE, duration_s=30)) == 4 * RATE


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_what_was_decoded_stays_as_it_is_while_the_thread_decodes_on(tmp_path: Path, channels: int) -> None:
    levels = {"first.wav": (0.1, 5), "longer.wav": (0.2, 7), "shorter.wav": (0.3, 4)}
    for name, (level, seconds) in levels.items():
        soundfile.write(tmp_path / name, np.full((seconds * RATE, channels), level), RATE, subtype="FLOAT")
    sounds = {name: load_excerpt(tmp_path / name, sample_rate=RATE, duration_s=6) for name in levels}
    for name, (level, seconds) in levels.items():
        assert len(sounds[name]) == min(seconds, 6) * RATE
        np.testing.assert_allclose(sounds[name], level, rtol=1e-6)


@pytest.mark.parametrize("place", [0, RATE, -1])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("sample_rate", [RATE, RATE // 2, 48_000])
def test_one_sample_that_is_no_number_is_refused(tmp_path: Path, sample_rate: int, number: float, place: int) -> None:
    sound = np.full(4 * RATE, 0.1)
    sound[place] = number
    soundfile.write(tmp_path / "odd.wav", sound, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"odd\.wav: the samples are not finite numbers"):
        load_excerpt(tmp_path / "odd.wav", sample_rate=sample_rate, duration_s=30)


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".wv"])
def test_a_name_that_is_not_utf_8_is_a_name(ramp: Path, suffix: str) -> None:
    """As files from older systems have them."""
    sound, rate = soundfile.read(ramp, dtype="float32")
    plain, strange = ramp.with_name(f"plain{suffix}"), ramp.with_name(os.fsdecode(b"caf\xe9" + suffix.encode()))
    if suffix == ".wv":
        with av.open(plain, "w", format="wv") as container:
            stream = container.add_stream("wavpack", rate=rate)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), format="fltp", layout="stereo")
            frame.rate = rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    else:
        soundfile.write(plain, sound, rate)
    expected = load_excerpt(plain, sample_rate=RATE, duration_s=1)
    try:
        plain.rename(strange)
    except OSError:
        pytest.skip("this system has no such names")
    np.testing.assert_array_equal(load_excerpt(strange, sample_rate=RATE, duration_s=1), expected)


@pytest.mark.parametrize("offset_s", [4.0, 100.0])
def test_nothing_is_left_after_the_end(ramp: Path, offset_s: float) -> None:
    with pytest.raises(AudioError, match=f"no sound could be decoded after {offset_s:g} s"):
        load_audio(ramp, sample_rate=RATE, offset_s=offset_s)


def test_a_header_that_promises_more_gives_what_there_is(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.mp3", np.random.default_rng(0).normal(0, 0.1, RATE), RATE, format="MP3")
    content = bytearray((tmp_path / "whole.mp3").read_bytes())
    count = content.index(b"Info" if b"Info" in content else b"Xing") + 8  # after the name and the flags
    content[count : count + 4] = struct.pack(">I", 4_000)  # frames of 26 ms
    (tmp_path / "much.mp3").write_bytes(content)
    assert soundfile.info(tmp_path / "much.mp3").duration > 60
    assert len(load_excerpt(tmp_path / "much.mp3", sample_rate=RATE, duration_s=0.5)) == RATE // 2


def test_a_decoder_that_lands_beyond_the_end_starts_over(ramp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As libsndfile's does in some damaged MP3s."""
    seek = soundfile.SoundFile.seek
    lost: list[soundfile.SoundFile] = []

    def astray(file: soundfile.SoundFile, frames: int, whence: int = soundfile.SEEK_SET) -> int:
        if not lost:
            lost.append(file)
        return file.frames + 134 if any(file is one for one in lost) else seek(file, frames, whence)

    monkeypatch.setattr(soundfile.SoundFile, "seek", astray)
    sound = load_excerpt(ramp, sample_rate=RATE, duration_s=1)
    assert (len(sound), sound[0]) == (RATE, 0.0)
