"""FLAC, WAV, AIFF and DSF: blocks, chunks and pointers around a tag."""

import struct
from pathlib import Path

import mutagen
import mutagen.flac
import mutagen.mp4
import mutagen.oggspeex
import mutagen.oggvorbis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagging_helpers import patched, round_trip

from geoclass.errors import TaggingError
from geoclass.tagging.formats import edit as splice
from geoclass.tagging.formats import riff, vorbis
from geoclass.tagging.tags import read_tags, tag_edits


def test_flac_without_comments_or_padding(make, tmp_path: Path) -> None:
    path = make("a.flac")
    tags = mutagen.flac.FLAC(path)
    tags.metadata_blocks = tags.metadata_blocks[:1]
    tags.save(padding=lambda _info: 0)
    data = path.read_bytes()
    end = 4 + 4 + 34
    path.write_bytes(b"fLaC\x80" + data[5:end] + data[data.index(b"\xff\xf8", end) :])
    assert mutagen.flac.FLAC(path).tags is None
    assert round_trip(path, tmp_path) == "written"


def test_flac_padding_takes_up_the_change(make, tmp_path: Path) -> None:
    path = make("a.flac")
    tags = mutagen.flac.FLAC(path)
    tags["TITLE"] = "Şarkı"
    picture = mutagen.flac.Picture()
    picture.data = bytes(range(256)) * 10
    tags.add_picture(picture)
    tags.save(padding=lambda _info: 5_000)
    size = path.stat().st_size
    with open(path, "rb") as file:
        edits = tag_edits(path, file, {"country": ("TR",)})
    assert splice.growth(edits) == 0
    assert sum(len(edit.old) for edit in edits) < 1_000  # the picture is no part of it
    assert round_trip(path, tmp_path) == "written"
    patched(path, country=("TR",))
    assert path.stat().st_size == size
    assert mutagen.flac.FLAC(path).pictures[0].data == picture.data


def test_flac_behind_an_id3_tag(make, tmp_path: Path) -> None:
    path = make("a.flac", tag=b"ID3\4\0\0\0\0\0\x14" + bytes(20))
    assert round_trip(path, tmp_path) == "written"


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=20), max_size=6), st.binary(max_size=5))
def test_comments_that_are_not_ours_keep_their_bytes(comments: list[bytes], rest: bytes) -> None:
    comments = [comment for comment in comments if not comment.lower().startswith(b"genre=")]
    data = struct.pack("<I", 3) + b"lib" + struct.pack("<I", len(comments))
    data += b"".join(struct.pack("<I", len(comment)) + comment for comment in comments) + rest
    new = vorbis.rewrite(data, {"GENRE": ("Folk", "Rock")})
    assert vorbis.split(new) == (b"lib", [*comments, b"GENRE=Folk", b"GENRE=Rock"], rest)
    assert vorbis.rewrite(new, {"genre": ()}) == data


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
def test_chunks_behind_and_odd_sizes(make, tmp_path: Path, suffix: str) -> None:
    path = make(f"a.{suffix}")
    patched(path, country=("TR",))
    order = "<" if suffix == "wav" else ">"
    data = bytearray(path.read_bytes() + b"junk" + struct.pack(order + "I", 3) + b"odd\0")
    struct.pack_into(order + "I", data, 4, len(data) - 8)
    path.write_bytes(data)
    assert round_trip(path, tmp_path) == "written"
    patched(path, region=("x" * 3_001,))
    assert path.read_bytes().endswith(b"junk" + struct.pack(order + "I", 3) + b"odd\0")
    assert len(path.read_bytes()) == 8 + struct.unpack_from(order + "I", path.read_bytes(), 4)[0]
    with open(path, "rb") as file:
        assert riff.tag_of(file).startswith(b"ID3\4")


def dsf_header(data: bytes) -> tuple[bytes, int, int, int]:
    return struct.unpack_from("<4sQQQ", data)


def test_a_dsf_file_points_to_its_tag(make, tmp_path: Path) -> None:
    path = make("a.dsf")
    old = path.read_bytes()
    assert dsf_header(old)[2:] == (len(old), 0)
    patched(path, country=("TR",))
    new = path.read_bytes()
    assert dsf_header(new) == (b"DSD ", 28, len(new), len(old))
    assert new[28 : len(old)] == old[28:]
    assert new[len(old) :].startswith(b"ID3\4")
    patched(path, region=("x" * 3_000,))  # more than the padding
    again = path.read_bytes()
    assert dsf_header(again) == (b"DSD ", 28, len(again), len(old))
    assert len(again) > len(new)
    assert mutagen.File(path)["TXXX:ARTISTCOUNTRY"].text == ["TR"]
    assert round_trip(path, tmp_path) == "written"


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [
        (4, 29, "promises"),
        (12, 100, "promises"),
        (20, 90, "no tag|promises a tag"),
        (20, 2**40, "promises"),
    ],
)
def test_a_dsf_header_that_lies_is_refused(make, offset: int, value: int, words: str) -> None:
    path = make("a.dsf")
    data = bytearray(path.read_bytes())
    struct.pack_into("<Q", data, offset, value)
    path.write_bytes(data)
    with open(path, "rb") as file, pytest.raises(TaggingError, match=words):
        tag_edits(path, file, {"country": ("TR",)})


def test_a_dsf_tag_that_does_not_end_the_file_is_refused(make) -> None:
    path = make("a.dsf")
    patched(path, country=("TR",))
    data = bytearray(path.read_bytes())
    place = dsf_header(data)[3]
    data[place + 6 : place + 10] = b"\0\0\x7f\x7f"  # longer than the file
    path.write_bytes(data)
    with pytest.raises(TaggingError):
        read_tags(path)
