"""The tags of a file, and what is said of files whose tags cannot be read or changed."""

import io
import struct
from pathlib import Path

import mutagen.id3
import pytest
from tagging_helpers import encode

from geoclass.errors import TaggingError
from geoclass.tagging import tags as tags_module
from geoclass.tagging.formats.edit import copy_patched
from geoclass.tagging.tags import read_duration_s, read_tags, tag_edits

FRAMES = (b"\xff\xfb\x90\x64" + bytes(413)) * 50  # of an MP3: 128 kbit/s at 44,100 Hz, 1152 samples each
FRAMES_S = 50 * 1_152 / 44_100


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "a.mp3"
    path.write_bytes(FRAMES)
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TPE1(encoding=3, text=["Selda"]))
    tags.add(mutagen.id3.TXXX(encoding=3, desc="ARTISTCOUNTRY", text=["TR"]))
    tags.save(path, v2_version=3)
    return path


def edited(path: Path, **options) -> bytes:
    """What `tag_edits` makes of a file."""
    out = io.BytesIO()
    with open(path, "rb") as file:
        edits = tag_edits(path, file, {"country": ("GR",)}, **options)
        copy_patched(file, out, edits, size=path.stat().st_size)
    return out.getvalue()


def test_tags_are_read_and_changed(song: Path, tmp_path: Path) -> None:
    found = read_tags(song)
    assert (found.kind, found.id3_version) == ("mp3", 3)
    assert found.values == {"artist": ("Selda",), "country": ("TR",)}
    song.write_bytes(edited(song))
    assert read_tags(song).values == {"artist": ("Selda",), "country": ("GR",)}
    assert song.read_bytes()[:4] == b"ID3\3"
    song.write_bytes(edited(song, id3_version=4))
    assert song.read_bytes()[:4] == b"ID3\4"


@pytest.mark.parametrize(
    ("name", "suffix", "kind"), [("a.mp3", None, "mp3"), ("a.tmp", ".mp3", "mp3"), ("a.tmp", ".aac", "mp3")]
)
def test_a_suffix_may_stand_for_the_name(tmp_path: Path, name: str, suffix: str | None, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(FRAMES)
    assert read_tags(path, suffix=suffix).kind == kind


def test_without_its_suffix_a_file_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "a.tmp"
    path.write_bytes(FRAMES)
    for attempt in (lambda: read_tags(path), lambda: edited(path), lambda: read_tags(path, suffix=".flac")):
        with pytest.raises(TaggingError) as error:
            attempt()
        assert error.value.message == f"{path}: not a format whose tags geoclass can write"


@pytest.mark.parametrize("content", [b"", b"x"])
def test_a_file_without_content_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(TaggingError) as error:
        read_tags(path)
    words = "not a format whose tags geoclass can write" if content else "the file is empty"
    assert error.value.message == f"{path}: {words}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TaggingError) as error:
        read_tags(tmp_path / "none.mp3")
    assert error.value.message == f"{tmp_path / 'none.mp3'}: No such file or directory"
    assert read_duration_s(tmp_path / "none.mp3") is None


class Broken:
    """A format whose every act ends in an error."""

    kind = "broken"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, *_arguments: object) -> None:
        raise self.error

    def edits(self, *_arguments: object, **_options: object) -> None:
        raise self.error


OURS = TaggingError("a.mp3: ours", hint="do that")


@pytest.mark.parametrize(
    ("error", "reading", "changing"),
    [
        (OSError(5, "Input/output error"), "Input/output error", "Input/output error"),
        (OSError("torn cable"), "torn cable", "torn cable"),
        (KeyError("TIT2"), "the tags cannot be read ('TIT2')", "the tag cannot be converted ('TIT2')"),
        (MemoryError(), "the tags cannot be read (MemoryError)", "the tag cannot be converted (MemoryError)"),
        (struct.error("short"), "the tags cannot be read (short)", "the tags cannot be changed safely (short)"),
        (ValueError("odd"), "the tags cannot be read (odd)", "the tags cannot be changed safely (odd)"),
        (IndexError("out"), "the tags cannot be read (out)", "the tags cannot be changed safely (out)"),
        (RecursionError("deep"), "the tags cannot be read (deep)", "the tags cannot be changed safely (deep)"),
    ],
)
def test_whatever_goes_wrong_is_an_error_with_the_name_of_the_file(
    song: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reading: str, changing: str
) -> None:
    monkeypatch.setattr(tags_module, "detect_format", lambda *_arguments: Broken(error))
    with pytest.raises(TaggingError) as found:
        read_tags(song)
    assert found.value.message == f"{song}: {reading}"
    assert found.value.__cause__ is error
    with pytest.raises(TaggingError) as found:
        edited(song)
    assert found.value.message == f"{song}: {changing}"
    assert found.value.__cause__ is error


@pytest.mark.parametrize("error", [OSError("torn cable"), struct.error("short"), KeyError("x"), MemoryError()])
def test_headers_that_cannot_be_read_say_no_length(
    song: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_arguments: object, **_options: object) -> float:
        raise error

    monkeypatch.setattr(tags_module.reading, "duration_s", failing)
    assert read_duration_s(song) is None


def test_errors_of_ours_are_passed_on(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags_module, "detect_format", lambda *_arguments: Broken(OURS))
    for attempt in (read_tags, edited):
        with pytest.raises(TaggingError) as found:
            attempt(song)
        assert found.value is OURS


def test_how_long_it_plays_without_the_tag_in_front(song: Path, tmp_path: Path) -> None:
    tags = mutagen.id3.ID3(song)
    tags.add(mutagen.id3.APIC(encoding=0, mime="image/png", data=b"\xff\xfb\x90\x64" * 20_000))
    tags.save(song)
    assert read_duration_s(song) == pytest.approx(FRAMES_S, rel=0.02)
    bare = tmp_path / "b.mp3"
    bare.write_bytes(FRAMES)
    assert read_duration_s(bare) == pytest.approx(FRAMES_S, rel=0.02)
    other = tmp_path / "b.txt"
    other.write_bytes(FRAMES)
    assert read_duration_s(other) is None


@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a"])
@pytest.mark.parametrize("lie", ["mp3", "flac", "m4a", "ogg"])
def test_how_long_it_plays_whatever_its_name_says(tmp_path: Path, suffix: str, lie: str) -> None:
    path = tmp_path / f"a.{lie}"
    tag = b"ID3\4\0\0\0\0\0\x0a" + bytes(10) if suffix == "mp3" else b""
    path.write_bytes(tag + encode(suffix))
    assert read_duration_s(path) == pytest.approx(1, abs=0.2)
