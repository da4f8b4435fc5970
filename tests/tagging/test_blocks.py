"""FLAC, WAV, AIFF and DSF: blocks, chunks and pointers around a tag."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import mutagen
import mutagen.flac
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagging_helpers import patched, round_trip, spliced

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


# FLAC by hand: blocks of a kind, the last one marked; behind them a frame.
INFO, FRAMES = bytes(34), b"\xff\xf8" + bytes(60)


def flac(*blocks: tuple[int, bytes], front: bytes = b"") -> bytes:
    data = front + b"fLaC"
    for index, (kind, content) in enumerate([(0, INFO), *blocks]):
        last = 0x80 if index == len(blocks) else 0
        data += bytes([kind | last]) + len(content).to_bytes(3, "big") + content
    return data + FRAMES


def comments(*texts: str, vendor: bytes = b"reference libFLAC", rest: bytes = b"") -> bytes:
    raw = [text.encode() for text in texts]
    data = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(raw))
    return data + b"".join(struct.pack("<I", len(text)) + text for text in raw) + rest


def flac_changed(data: bytes, **changes: tuple[str, ...]) -> bytes:
    return spliced(lambda file: vorbis.flac_edits(file, changes), data)


PICTURE = (6, bytes(range(256)))


@pytest.mark.parametrize("front", [b"", b"ID3\4\0\0\0\0\0\x05" + bytes(5)])
def test_flac_blocks_of_others_stay_where_they_are(front: bytes) -> None:
    old = flac(PICTURE, (4, comments("TITLE=Title", "genre=Pop")), (2, b"appl"), front=front)
    new = flac_changed(old, GENRE=("Folk", "Türkü"))
    wanted = comments("TITLE=Title", "GENRE=Folk", "GENRE=Türkü")
    assert new == flac(PICTURE, (4, wanted), (2, b"appl"), front=front)
    last = flac((2, b"appl"), (4, comments("genre=Pop", rest=b"rest")))
    assert flac_changed(last, GENRE=()) == flac((2, b"appl"), (4, comments(rest=b"rest")))


def test_flac_without_comments_gets_them_behind_the_stream_information() -> None:
    made = (4, comments("ARTISTCOUNTRY=TR", vendor=b"geoclass"))
    assert flac_changed(flac(PICTURE), ARTISTCOUNTRY=("TR",)) == flac(made, PICTURE)
    assert flac_changed(flac(), ARTISTCOUNTRY=("TR",)) == flac(made)


@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize(("padding", "left"), [(100, 80), (20, 0), (19, 19), (0, 0)])
def test_flac_padding_gives_what_it_has_or_nothing(where: str, padding: int, left: int) -> None:
    """ "ARTISTCOUNTRY=TR" takes 20 bytes: 16 and its length."""
    old, new = (4, comments("TITLE=Title")), (4, comments("TITLE=Title", "ARTISTCOUNTRY=TR"))
    before, after = (1, bytes(padding)), (1, bytes(left))
    pair = (lambda block, free: (free, block)) if where == "before" else (lambda block, free: (block, free))
    assert flac_changed(flac(*pair(old, before)), ARTISTCOUNTRY=("TR",)) == flac(*pair(new, after))


def test_flac_padding_takes_what_comments_leave() -> None:
    old = flac((4, comments("GENRE=Pop")), (1, bytes(10)), (1, bytes(7)))
    assert flac_changed(old, GENRE=()) == flac((4, comments()), (1, bytes(10 + 4 + 9)), (1, bytes(7)))


def test_only_the_first_comments_of_a_flac_file_are_changed() -> None:
    old = flac((4, comments("GENRE=Pop")), (4, comments("GENRE=Rock")))
    assert flac_changed(old, GENRE=("Folk",)) == flac((4, comments("GENRE=Folk")), (4, comments("GENRE=Rock")))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"fLaC\x04\0\1\0" + bytes(100), "^the file ends inside a tag"),
        (b"fLaC\x00\0\1\0" + bytes(100), "^the FLAC metadata is longer than the file$"),
        (b"fLaC\x00\0\0\x22" + INFO, "^the file ends inside a tag"),
        (
            flac((4, struct.pack("<I", 3) + b"lib" + struct.pack("<II", 1, 100) + b"short")),
            "^a Vorbis comment is longer",
        ),
        (flac((4, struct.pack("<I", 300) + b"lib")), "^a Vorbis comment is longer than the block that holds it$"),
    ],
)
def test_flac_that_cannot_be_followed_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        vorbis.flac_edits(io.BytesIO(data), {"GENRE": ("Folk",)})


def test_the_longest_comments_of_a_flac_file() -> None:
    room = (1 << 24) - 1 - len(comments()) - len("    GENRE=")
    assert flac_changed(flac((4, comments())), GENRE=("x" * room,)) == flac((4, comments("GENRE=" + "x" * room)))
    with pytest.raises(ValueError, match=r"^the comments would become larger than 16 MiB$"):
        vorbis.flac_edits(io.BytesIO(flac((4, comments()))), {"GENRE": ("x" * (room + 1),)})


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


# WAV and AIFF by hand.
ORDERS = {b"RIFF": "<I", b"FORM": ">I"}


def form(kind: bytes, *chunks: bytes, behind: bytes = b"", total: int | None = None) -> bytes:
    """A RIFF or FORM file with chunks, each padded to an even length; `behind` is no part of it."""
    body = {b"RIFF": b"WAVE", b"FORM": b"AIFF"}[kind] + b"".join(chunks)
    return kind + struct.pack(ORDERS[kind], len(body) if total is None else total) + body + behind


def chunk(kind: bytes, name: bytes, content: bytes, *, pad: bool = True) -> bytes:
    return name + struct.pack(ORDERS[kind], len(content)) + content + bytes(len(content) & 1 if pad else 0)


def id3_tag(country: bytes = b"TR", padding: int = 1_024) -> bytes:
    body = b"TXXX\0\0\0\x11\0\0\0ARTISTCOUNTRY\0" + country + bytes(padding)
    return b"ID3\4\0\0" + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def form_changed(data: bytes, country: str = "TR") -> bytes:
    return spliced(lambda file: riff.edits(file, {"TXXX:ARTISTCOUNTRY": (country,)}, new_version=4), data)


@pytest.mark.parametrize(("kind", "name"), [(b"RIFF", b"id3 "), (b"FORM", b"ID3 ")])
@pytest.mark.parametrize("behind", [b"", b"something that is no part of the file"])
def test_a_chunk_is_added_at_the_end(kind: bytes, name: bytes, behind: bytes) -> None:
    sound = chunk(kind, b"data", b"odd")
    new = form_changed(form(kind, sound, behind=behind))
    assert new == form(kind, sound, chunk(kind, name, id3_tag()), behind=behind)


@pytest.mark.parametrize(("kind", "name"), [(b"RIFF", b"id3 "), (b"FORM", b"ID3 ")])
def test_a_last_chunk_without_its_padding_gets_it(kind: bytes, name: bytes) -> None:
    old = form(kind, chunk(kind, b"data", b"odd", pad=False))
    assert form_changed(old) == form(kind, chunk(kind, b"data", b"odd"), chunk(kind, name, id3_tag()))


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("name", [b"ID3 ", b"id3 "])
@pytest.mark.parametrize("padding", [0, 1, 7, 100])
def test_a_chunk_that_is_there_is_changed_in_its_place(kind: bytes, name: bytes, padding: int) -> None:
    first, last = chunk(kind, b"fmt ", b"12345"), chunk(kind, b"data", b"sound")
    old = form(kind, first, chunk(kind, name, id3_tag(padding=padding)), last)
    assert form_changed(old, "GR") == form(kind, first, chunk(kind, name, id3_tag(b"GR", padding)), last)


@pytest.mark.parametrize("kind", ORDERS)
def test_a_tag_that_grows_moves_the_chunks_behind_it(kind: bytes) -> None:
    """By an odd number of bytes, too."""
    last = chunk(kind, b"data", b"sound")
    for old_text, new_text in ((b"TR", b"GR"), (b"TR", b"LONGER"), (b"TR", b"LONGEST")):
        old = form(kind, chunk(kind, b"id3 ", id3_tag(old_text, padding=0)), last)
        new = form_changed(old, new_text.decode())
        assert new.endswith(last)
        assert struct.unpack_from(ORDERS[kind], new, 4)[0] == len(new) - 8
        (size,) = struct.unpack_from(ORDERS[kind], new, 16)
        assert new[20 + size + (size & 1) :] == last
        assert riff.tag_of(io.BytesIO(new)) == new[20 : 20 + size]
        assert b"ARTISTCOUNTRY\0" + new_text in new


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda kind, data: data[:4] + struct.pack(ORDERS[kind], len(data)) + data[8:],
            r"^the header says 38 bytes, but the file has 30$",
        ),
        (
            lambda kind, data: data[:16] + struct.pack(ORDERS[kind], len(data)) + data[20:],
            r"^the chunk b.data. at byte 12 is longer than the file$",
        ),
        (lambda kind, data: data[:11], "the file ends inside a tag"),
    ],
)
def test_chunks_that_lie_are_refused(kind: bytes, spoil: Callable[[bytes, bytes], bytes], words: str) -> None:
    data = spoil(kind, form(kind, chunk(kind, b"data", b"some sound")))
    with pytest.raises(ValueError, match=words):
        riff.edits(io.BytesIO(data), {"TXXX:ARTISTCOUNTRY": ("TR",)}, new_version=4)


def test_a_file_of_4_gib_cannot_grow(tmp_path: Path) -> None:
    size = (1 << 32) - 8
    for spare, fits in ((0, False), (1_200, True)):
        with open(tmp_path / "large.wav", "wb") as file:  # sparse
            file.write(form(b"RIFF", b"data" + struct.pack("<I", size - spare - 12), total=size - spare))
            file.truncate(8 + size - spare)
        with open(tmp_path / "large.wav", "rb") as source:
            if fits:
                assert riff.edits(source, {"TXXX:ARTISTCOUNTRY": ("TR",)}, new_version=4)
                continue
            with pytest.raises(ValueError, match=r"^the file would become larger than its format allows \(4 GiB\)$"):
                riff.edits(source, {"TXXX:ARTISTCOUNTRY": ("TR",)}, new_version=4)


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
        (4, 29, "says"),
        (12, 100, "says 100 bytes, but"),
        (20, 90, "byte 90 as the place of a tag"),
        (20, 2**40, "says"),
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
