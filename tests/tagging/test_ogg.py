"""Ogg: pages stay numbered and summed, those of the sound untouched; streams beside each other."""

import base64
import io
import struct
from pathlib import Path

import mutagen
import mutagen.oggspeex
import pytest
import rare_sounds
from tagging_helpers import patched, round_trip, spliced

from geoclass.errors import TaggingError
from geoclass.tagging.formats import ogg
from geoclass.tagging.tags import tag_edits


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
@pytest.mark.parametrize("size", [10, 4_000, 64_700, 65_020, 65_200, 200_000])
def test_comments_of_any_length(make, tmp_path: Path, suffix: str, size: int) -> None:
    """Up to where a page is full, and beyond: then the pages of sound get new numbers."""
    path = make(f"a.{suffix}")
    tags = mutagen.File(path)
    tags["METADATA_BLOCK_PICTURE"] = base64.b64encode(bytes(size)).decode()[:size]
    tags["TITLE"] = "Şarkı"
    tags.save()
    before = {key: list(values) for key, values in mutagen.File(path).items()}
    assert round_trip(path, tmp_path) == "written"
    patched(path, country=("TR",))
    assert {key: list(values) for key, values in mutagen.File(path).items() if key != "artistcountry"} == before


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
def test_pages_stay_numbered_and_summed(make, suffix: str) -> None:
    path = make(f"a.{suffix}")
    patched(path, region=("x" * 70_000,))  # more pages than before
    with open(path, "rb") as file:
        pages = list(ogg._pages(file))
        assert [page.sequence for page in pages] == list(range(len(pages)))
        for page in pages:
            file.seek(page.offset)
            assert file.read(page.length) == page.raw


def test_pages_of_sound_are_not_touched_where_the_comments_fit(make) -> None:
    path = make("a.ogg")
    old = path.read_bytes()
    with open(path, "rb") as file:
        edits = tag_edits(path, file, {"country": ("TR",)})
        sound = list(ogg._pages(file))[2]
    assert len(edits) >= 1
    assert all(edit.offset + len(edit.old) <= sound.offset for edit in edits)
    assert len(old) > sound.offset


def test_sound_behind_another_stream(tmp_path: Path) -> None:
    """As a skeleton or a picture stands beside the sound: its pages begin first, and stay as they are."""
    path = tmp_path / "a.spx"
    other = rare_sounds.ogg_page(b"fishead\0" + bytes(56), serial=99, sequence=0, flags=2)
    path.write_bytes(rare_sounds.speex(1.0, streams_before=(other,)))
    patched(path, country=("TR",), region=("x" * 70_000,))
    assert path.read_bytes().startswith(other)
    assert mutagen.oggspeex.OggSpeex(path)["ARTISTCOUNTRY"] == ["TR"]
    with open(path, "rb") as file:
        pages = [page for page in ogg._pages(file) if page.serial != 99]
        assert [page.sequence for page in pages] == list(range(len(pages)))
        assert ogg.codec_of(file) == "speex"


@pytest.mark.parametrize(("suffix", "codec"), [("ogg", "vorbis"), ("opus", "opus"), ("oga", "flac"), ("spx", "speex")])
def test_the_codec_of_an_ogg_file(make, suffix: str, codec: str) -> None:
    with open(make(f"a.{suffix}"), "rb") as file:
        assert ogg.codec_of(file) == codec


def test_an_ogg_file_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    page = rare_sounds.ogg_page(b"\x80theora" + bytes(40), serial=1, sequence=0, flags=2)
    path.write_bytes(page + rare_sounds.ogg_page(b"Speex   ", serial=1, sequence=1))
    with open(path, "rb") as file, pytest.raises(TaggingError, match="no Ogg stream"):
        tag_edits(path, file, {"country": ("TR",)})


# ---- pages by hand ----------------------------------------------------------------------------------------------

SPEEX = b"Speex   " + bytes(72)


def tags(*texts: str, rest: bytes = b"") -> bytes:
    raw = [text.encode() for text in texts]
    data = struct.pack("<I", 3) + b"lib" + struct.pack("<I", len(raw))
    return data + b"".join(struct.pack("<I", len(text)) + text for text in raw) + rest


def stream(comments: bytes, *, first: bytes = SPEEX, n_sound: int = 3) -> bytes:
    """One page for each packet, those of more than 255 segments excepted."""
    pages = [rare_sounds.ogg_page(first, serial=7, sequence=0, flags=2), *laid(comments)]
    begin = len(pages)
    for index in range(n_sound):
        granule = 160 * (index + 1)
        pages.append(rare_sounds.ogg_page(bytes([index]) * 20, serial=7, sequence=begin + index, granule=granule))
    return b"".join(pages)


def laid(packet: bytes) -> list[bytes]:
    """A packet on as few pages as it takes, from page 1 on; the segments are spread evenly, as ours are."""
    lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    n_pages = -(-len(lacing) // 255)
    pages, position, begin = [], 0, 0
    for index in range(n_pages):
        part = lacing[begin : len(lacing) * (index + 1) // n_pages]
        begin += len(part)
        body = packet[position : position + sum(part)]
        position += len(body)
        granule = 0 if min(part) < 255 else -1
        pages.append(page_of(body, part, sequence=1 + index, flags=1 if index else 0, granule=granule))
    return pages


def page_of(body: bytes, lacing: bytes, *, sequence: int, flags: int, granule: int) -> bytes:
    header = struct.pack("<4sBBqII", b"OggS", 0, flags, granule, 7, sequence)
    tail = bytes([len(lacing)]) + lacing + body
    return header + struct.pack("<I", rare_sounds.crc(header + bytes(4) + tail)) + tail


def changed(data: bytes, **changes: tuple[str, ...]) -> bytes:
    return spliced(lambda file: ogg.edits(file, changes), data)


def test_comments_that_fit_leave_all_other_pages_alone() -> None:
    old, new = stream(tags("TITLE=Title", "genre=Pop")), stream(tags("TITLE=Title", "GENRE=Folk"))
    assert changed(old, GENRE=("Folk",)) == new
    edits = ogg.edits(io.BytesIO(old), {"GENRE": ("Folk",)})
    begin, end = old.index(b"OggS", 4), old.index(b"OggS", 4 + old.index(b"OggS", 4))
    assert all(begin <= edit.offset and edit.offset + len(edit.old) <= end for edit in edits)


@pytest.mark.parametrize("n_bytes", [60_000, 65_025 - 40, 65_025, 65_025 + 255, 3 * 65_025, 200_000])
def test_comments_that_take_more_pages_renumber_the_sound(n_bytes: int) -> None:
    old, new = stream(tags("TITLE=Title")), stream(tags("TITLE=Title", "GENRE=" + "x" * n_bytes))
    assert changed(old, GENRE=("x" * n_bytes,)) == new


def test_comments_that_shrink_keep_the_number_of_their_pages() -> None:
    """So that the pages of sound stay as they are."""
    old = stream(tags("TITLE=" + "t" * 1_000, "GENRE=" + "x" * 100_000))
    new = changed(old, GENRE=("Folk",))
    pages = list(ogg._pages(io.BytesIO(new)))
    assert len(pages) == old.count(b"OggS")
    assert [page.sequence for page in pages] == list(range(len(pages)))
    held = pages[1:-3]
    assert b"".join(page.body for page in held) == tags("TITLE=" + "t" * 1_000, "GENRE=Folk")
    assert [(page.flags, page.granule) for page in held] == [(0, -1), (1, 0)]
    assert new[pages[-3].offset :] == old[-len(new[pages[-3].offset :]) :]
    for page in pages:
        assert new[page.offset : page.offset + page.length] == page.raw


def test_comments_of_one_segment_take_one_page() -> None:
    assert changed(stream(tags("GENRE=" + "x" * 100_000)), GENRE=("Folk",)) == stream(tags("GENRE=Folk"))


def test_ogg_flac_says_how_long_its_comments_are() -> None:
    first = b"\x7fFLAC\1\0" + bytes(40)

    def block(text: bytes) -> bytes:
        return b"\x84" + len(text).to_bytes(3, "big") + text

    old = stream(block(tags("TITLE=Title")), first=first)
    assert changed(old, GENRE=("Folk",)) == stream(block(tags("TITLE=Title", "GENRE=Folk")), first=first)
    with pytest.raises(ValueError, match=r"^the second Ogg packet holds no comments$"):
        ogg.edits(io.BytesIO(stream(b"\x86" + tags(), first=first)), {})


def test_opus_keeps_what_stands_behind_its_comments() -> None:
    first, head = b"OpusHead" + bytes(11), b"OpusTags"
    old = stream(head + tags("TITLE=Title", rest=b"\1rest"), first=first)
    new = stream(head + tags("TITLE=Title", "GENRE=Folk", rest=b"\1rest"), first=first)
    assert changed(old, GENRE=("Folk",)) == new


def page(packet: bytes, sequence: int, *, serial: int = 7, flags: int = 0, granule: int = 0) -> bytes:
    return rare_sounds.ogg_page(packet, serial=serial, sequence=sequence, flags=flags, granule=granule)


FIRST = page(SPEEX, 0, flags=2)
OPUS = page(b"OpusHead" + bytes(11), 0, flags=2)
LONG = b"\xff" * 255


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"^no Ogg stream"),
        (b"OggS", r"^no Ogg page at byte 0$"),
        (FIRST[:-1], r"^the Ogg page at byte 0 is cut off$"),
        (FIRST[:27], r"^the Ogg page at byte 0 is cut off$"),
        (FIRST + b"xxxx" + bytes(30), r"^no Ogg page at byte 108$"),
        (FIRST, r"^the Ogg file ends within its comments$"),
        (OPUS + page(b"OpusHead", 1), r"^the second Ogg packet holds no comments$"),
        (FIRST + page(tags(), 1, granule=160), r"^the comments share an Ogg page with sound$"),
        (
            FIRST + page_of(LONG, b"\xff", sequence=1, flags=0, granule=-1) + page(b"other", 0, serial=8),
            r"^the comments are interleaved with another Ogg stream$",
        ),
        (page(b"theora", 0, flags=2) + page(b"Speex   ", 1), r"^no Ogg stream that is Vorbis, Opus, Speex or FLAC$"),
    ],
)
def test_pages_that_cannot_be_followed_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ogg.edits(io.BytesIO(data), {"GENRE": ("Folk",)})


def test_pages_of_another_stream_keep_their_numbers() -> None:
    """Sound beside sound: only the stream with the comments is numbered anew."""
    other = [page(b"fishead\0" + bytes(20), 0, serial=8, flags=2), page(b"more", 1, serial=8, granule=5)]
    old, new = stream(tags()), stream(tags("GENRE=" + "x" * 70_000))
    size = len(FIRST)
    old = other[0] + old + other[1]
    assert changed(old, GENRE=("x" * 70_000,)) == other[0] + new + other[1]
    assert old[len(other[0]) :][:size] == FIRST
