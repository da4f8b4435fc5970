"""How long files play, by their headers."""

from pathlib import Path

import pytest
from mutagen.id3 import APIC, ID3
from tagging_helpers import SUFFIXES, encode

from geoclass.tagging.tags import read_duration_s


@pytest.mark.parametrize("suffix", sorted(set(SUFFIXES) - {"ape", "mpc", "ofr", "tak"}))  # of these, only headers
def test_how_long_it_plays_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(encode(suffix, seconds=3))
    assert read_duration_s(path) == pytest.approx(3, abs=0.3)


def test_a_picture_does_not_count_as_sound(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(encode("mp3", seconds=2))
    tags = ID3()
    tags.add(APIC(mime="image/jpeg", data=b"\xff\xfb\x90\x00" * 100_000))
    tags.save(path)
    assert read_duration_s(path) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("content", [b"", b"no sound", b"fLaC\x80", b"RIFF\xff\xff\xff\xffWAVE"])
def test_what_has_no_length_has_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(content)
    assert read_duration_s(path) is None
    assert read_duration_s(tmp_path / "none.mp3") is None
