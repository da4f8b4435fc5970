"""MP4: where the free space is, which offsets move, which items stay."""

import io
import struct
from pathlib import Path

import mutagen.mp4
import pytest
from tagging_helpers import RATE, patched, round_trip, spliced, tone

from geoclass.audio.decode import load_audio
from geoclass.tagging.formats import mp4
from geoclass.tagging.tags import read_tags


def m4a(path: Path, **options: str) -> Path:
    """A second of AAC, muxed with FFmpeg's options."""
    import av

    with av.open(str(path), "w", format="ipod", options=options) as container:
        stream = container.add_stream("aac", rate=RATE)
        stream.layout = "mono"
        for start in range(0, RATE, 1_024):
            frame = av.AudioFrame.from_ndarray(tone()[None, start : start + 1_024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_offsets_move_with_the_sound(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a", movflags="faststart")
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert round_trip(path, tmp_path) == "written"


def test_offsets_of_64_bits_move_too(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a", movflags="faststart")
    data = path.read_bytes()
    place = data.index(b"stco") - 4
    size, _, flags, count = struct.unpack_from(">I4sII", data, place)
    offsets = struct.unpack_from(f">{count}I", data, place + 16)
    grown = 4 * count
    wide = struct.pack(">I4sII", size + grown, b"co64", flags, count)
    wide += struct.pack(f">{count}Q", *(offset + grown for offset in offsets))
    new = bytearray(data[:place] + wide + data[place + size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        (length,) = struct.unpack_from(">I", new, new.index(name) - 4)
        struct.pack_into(">I", new, new.index(name) - 4, length + grown)
    path.write_bytes(new)
    assert round_trip(path, tmp_path) == "written"


CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"meta")


def widened(atom: bytes, moved: int = 0) -> bytes:
    """An atom with a header of 16 bytes, its children as well; chunk offsets are raised by `moved` bytes.

    Items keep theirs: mutagen reads no others.
    """
    name, content = atom[4:8], atom[8:]
    if name == b"stco":
        offsets = struct.unpack_from(f">{len(content) // 4 - 2}I", content, 8)
        content = content[:8] + struct.pack(f">{len(offsets)}I", *(offset + moved for offset in offsets))
    if name in CONTAINERS:
        head = 4 if name == b"meta" else 0
        parts, position = [content[:head]], head
        while position < len(content):
            (size,) = struct.unpack_from(">I", content, position)
            parts.append(widened(content[position : position + size], moved))
            position += size
        content = b"".join(parts)
    return struct.pack(">I4sQ", 1, name, 16 + len(content)) + content


@pytest.mark.parametrize("tagged", [False, True])
def test_atoms_with_sizes_of_64_bits(tmp_path: Path, tagged: bool) -> None:
    path = m4a(tmp_path / "a.m4a", movflags="faststart")
    if tagged:
        patched(path, genre=("Pop",), region=("x" * 50,))
    data = path.read_bytes()
    start = data.index(b"moov") - 4
    (size,) = struct.unpack_from(">I", data, start)
    moov = data[start : start + size]
    growth = len(widened(moov)) - size
    path.write_bytes(data[:start] + widened(moov, growth) + data[start + size :])
    assert load_audio(path, sample_rate=RATE).any()  # PyAV finds the sound
    assert round_trip(path, tmp_path) == "written"
    patched(path, genre=("Folk", "Rock"), country=("TR",))
    tags = mutagen.mp4.MP4(path)
    assert tags["©gen"] == ["Folk", "Rock"]
    assert tags["----:com.apple.iTunes:ARTISTCOUNTRY"] == [b"TR"]
    assert path.read_bytes().count(b"\xa9gen") == 1


def test_free_space_behind_moov_keeps_the_sound_in_place(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a", moov_size="8000")  # FFmpeg leaves the rest of the 8,000 bytes free
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"free") < data.index(b"mdat")
    patched(path, country=("TR",))
    assert path.read_bytes().index(b"mdat") == data.index(b"mdat")
    assert len(path.read_bytes()) == len(data)
    assert read_tags(path).values["country"] == ("TR",)


def test_a_second_change_uses_the_space_that_the_first_left(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a")
    patched(path, country=("TR",))
    size = path.stat().st_size
    patched(path, genre=("Folk", "Rock"))
    assert path.stat().st_size == size
    assert mutagen.mp4.MP4(path)["©gen"] == ["Folk", "Rock"]


def test_a_fragmented_file(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a", movflags="frag_keyframe+empty_moov")
    assert "fragmented" in round_trip(path, tmp_path)


def test_a_numbered_genre_is_a_genre(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a")
    patched(path, genre=("XX",))
    text = struct.pack(">I4sI4sII", 26, b"\xa9gen", 18, b"data", 1, 0) + b"XX"
    number = struct.pack(">I4sI4sIIH", 26, b"gnre", 18, b"data", 0, 0, 18)  # 18: Rock
    path.write_bytes(path.read_bytes().replace(text, number))
    assert read_tags(path).values["genre"] == ("Rock",)
    patched(path, genre=("Pop",))
    assert b"gnre" not in path.read_bytes()
    assert read_tags(path).values["genre"] == ("Pop",)


def test_other_items_keep_their_bytes(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a")
    tags = mutagen.mp4.MP4(path)
    tags["©nam"], tags["trkn"], tags["tmpo"] = "Şarkı", [(3, 9)], [120]
    tags["covr"] = [mutagen.mp4.MP4Cover(b"\x89PNG" + bytes(500), mutagen.mp4.MP4Cover.FORMAT_PNG)]
    tags["----:com.apple.iTunes:artistcountry"] = [b"GR"]
    tags.save()
    before = items(path)
    assert read_tags(path).values["country"] == ("GR",)
    assert round_trip(path, tmp_path) == "written"
    patched(path, country=("TR",))
    after = items(path)
    assert [item for item in before if b"artistcountry" not in item] == after[:-1]
    assert read_tags(path).values["country"] == ("TR",)


def items(path: Path) -> list[bytes]:
    data = path.read_bytes()
    start = data.index(b"ilst") - 4
    (size,) = struct.unpack_from(">I", data, start)
    ilst = data[start : start + size]
    return [ilst[child.offset : child.end] for child in mp4._children(ilst, 8, size)]


def test_text_that_is_not_utf8_does_not_stop_decoding(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a")
    patched(path, region=("cafX",))
    path.write_bytes(path.read_bytes().replace(b"cafX", b"caf\xe9"))
    assert len(load_audio(path, sample_rate=RATE)) >= RATE


# ---- atoms by hand ----------------------------------------------------------------------------------------------

FTYP = b"\0\0\0\x10ftypM4A \0\0\0\0"
HDLR = b"\0\0\0\x21hdlr" + bytes(8) + b"mdirappl" + bytes(9)
MDAT = b"\0\0\0\x10mdat12345678"
OVERLONG = b"\0\0\0\x14stco" + bytes(4) + b"\0\0\1\0" + bytes(4)  # a table of 256 offsets in an atom for one


def atom(name: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), name) + data


def text(name: str, *values: str) -> bytes:
    data = [atom(b"data", struct.pack(">II", 1, 0), value.encode()) for value in values]
    if not name.startswith("----"):
        return atom(name.encode("latin-1"), *data)
    _, mean, key = name.split(":")
    return atom(b"----", atom(b"mean", bytes(4), mean.encode()), atom(b"name", bytes(4), key.encode()), *data)


def offsets(*values: int, wide: bool = False) -> bytes:
    """The way from `trak` to a table of chunk offsets."""
    name, letter = (b"co64", "Q") if wide else (b"stco", "I")
    table = atom(name, bytes(4), struct.pack(f">I{len(values)}{letter}", len(values), *values))
    stbl = atom(b"stbl", atom(b"stts", bytes(8)), table)
    return atom(b"trak", atom(b"tkhd", bytes(20)), atom(b"mdia", atom(b"minf", stbl)))


def moov(*items: bytes, room: int | None = 0, trak: bytes = b"", tail: bytes = b"") -> bytes:
    """`room`: bytes of free space in `meta`; None: no free atom, 0: an empty one of 8 bytes."""
    free = b"" if room is None else atom(b"free", bytes(room))
    meta = atom(b"meta", bytes(4), HDLR, atom(b"ilst", *items), free)
    return atom(b"moov", atom(b"mvhd", bytes(20)), trak, atom(b"udta", meta, tail))


def changed(data: bytes, **changes: tuple[str, ...]) -> bytes:
    keys = {"genre": "©gen", "country": "----:com.apple.iTunes:ARTISTCOUNTRY"}
    return spliced(lambda file: mp4.edits(file, {keys[name]: values for name, values in changes.items()}), data)


TITLE, COVER = text("©nam", "Title"), atom(b"covr", atom(b"data", struct.pack(">II", 14, 0), bytes(range(200))))
COUNTRY = text("----:com.apple.iTunes:ARTISTCOUNTRY", "TR")


def test_items_are_added_behind_those_of_others_and_take_free_space() -> None:
    old = FTYP + moov(TITLE, COVER, room=100) + MDAT
    assert changed(old, country=("TR",)) == FTYP + moov(TITLE, COVER, COUNTRY, room=100 - len(COUNTRY)) + MDAT
    genre = text("©gen", "Folk", "Türkü")
    assert changed(old, genre=("Folk", "Türkü")) == FTYP + moov(TITLE, COVER, genre, room=100 - len(genre)) + MDAT


def test_free_space_of_just_the_right_size_goes() -> None:
    old = FTYP + moov(TITLE, room=len(COUNTRY) - 8) + MDAT
    assert changed(old, country=("TR",)) == FTYP + moov(TITLE, COUNTRY, room=None) + MDAT


@pytest.mark.parametrize("missing", range(1, 8))
def test_free_space_cannot_be_smaller_than_its_header(missing: int) -> None:
    """With 1 to 7 bytes left over no free atom can be made of them: the file grows instead, and gets new room."""
    room = len(COUNTRY) - 8 + missing
    new = changed(FTYP + moov(TITLE, room=room) + MDAT, country=("TR",))
    meta = atom(b"meta", bytes(4), HDLR, atom(b"ilst", TITLE, COUNTRY), atom(b"free", bytes(1_024)))
    wanted = atom(
        b"moov",
        atom(b"mvhd", bytes(20)),
        atom(b"udta", atom(b"meta", meta[8:], atom(b"free", bytes(room)))),
    )
    assert new == FTYP + wanted + MDAT


def test_space_that_items_leave_is_free() -> None:
    old = FTYP + moov(TITLE, COUNTRY, COVER, room=10) + MDAT
    assert changed(old, country=()) == FTYP + moov(TITLE, COVER, room=10 + len(COUNTRY)) + MDAT
    without = FTYP + moov(TITLE, COUNTRY, room=None) + MDAT
    assert changed(without, country=()) == FTYP + moov(TITLE, room=None) + MDAT


def test_free_space_behind_moov_gives_what_meta_has_not() -> None:
    old = FTYP + moov(TITLE, room=None) + atom(b"free", bytes(2_000)) + MDAT
    growth = len(COUNTRY) + 8 + 1_024
    new = moov(TITLE, COUNTRY, room=1_024) + atom(b"free", bytes(2_000 - growth)) + MDAT
    assert changed(old, country=("TR",)) == FTYP + new
    skip = FTYP + moov(TITLE, room=None) + atom(b"skip", bytes(2_000)) + MDAT
    assert len(changed(skip, country=("TR",))) == len(skip)


@pytest.mark.parametrize("wide", [False, True])
def test_only_offsets_behind_the_change_move(wide: bool) -> None:
    before, after = atom(b"mdat", b"sound before"), MDAT
    growth = len(COUNTRY) + 8 + 1_024

    def file(move: int, *items: bytes, room: int | None) -> bytes:
        made = moov(*items, room=room, trak=offsets(*places(move), wide=wide))
        return FTYP + before + made + after

    def places(move: int) -> tuple[int, ...]:
        end = len(FTYP + before) + len(moov(TITLE, room=None, trak=offsets(0, 0, 0, wide=wide)))
        return (len(FTYP) + 8, end + move, end + 8 + move)

    assert changed(file(0, TITLE, room=None), country=("TR",)) == file(growth, TITLE, COUNTRY, room=1_024)


def test_sound_in_front_of_moov_stays_where_it_is() -> None:
    trak = offsets(len(FTYP) + 8)
    old = FTYP + MDAT + moov(TITLE, room=None, trak=trak)
    assert changed(old, country=("TR",)) == FTYP + MDAT + moov(TITLE, COUNTRY, room=1_024, trak=trak)


def test_a_file_without_items_gets_all_that_leads_to_them() -> None:
    made = atom(b"meta", bytes(4), HDLR, atom(b"ilst", COUNTRY), atom(b"free", bytes(1_024)))
    bare = atom(b"moov", atom(b"mvhd", bytes(20)))
    wanted = atom(b"moov", atom(b"mvhd", bytes(20)), atom(b"udta", made))
    assert changed(FTYP + MDAT + bare, country=("TR",)) == FTYP + MDAT + wanted
    with_udta = atom(b"moov", atom(b"udta", atom(b"name", b"Sound"), bytes(4)))
    wanted = atom(b"moov", atom(b"udta", atom(b"name", b"Sound"), made, bytes(4)))  # QuickTime's zeros stay last
    assert changed(FTYP + MDAT + with_udta, country=("TR",)) == FTYP + MDAT + wanted
    foreign = atom(b"meta", bytes(4), b"\0\0\0\x21hdlr" + bytes(8) + b"ID32" + bytes(13))
    with_foreign = atom(b"moov", atom(b"udta", foreign))
    assert changed(FTYP + MDAT + with_foreign, country=("TR",)) == FTYP + MDAT + atom(
        b"moov", atom(b"udta", foreign, made)
    )
    without_list = atom(b"moov", atom(b"udta", atom(b"meta", bytes(4), HDLR)))
    assert changed(FTYP + MDAT + without_list, country=("TR",)) == FTYP + MDAT + atom(b"moov", atom(b"udta", made))


def test_meta_of_quicktime_has_no_version() -> None:
    old = atom(b"moov", atom(b"udta", atom(b"meta", HDLR, atom(b"ilst", TITLE), atom(b"free", bytes(200)))))
    left = 200 - len(COUNTRY)
    new = atom(b"moov", atom(b"udta", atom(b"meta", HDLR, atom(b"ilst", TITLE, COUNTRY), atom(b"free", bytes(left)))))
    assert changed(FTYP + MDAT + old, country=("TR",)) == FTYP + MDAT + new


def test_items_are_found_whatever_their_case_and_number() -> None:
    number = atom(b"gnre", atom(b"data", struct.pack(">II", 0, 0), b"\0\x12"))
    lower = text("----:com.apple.iTunes:artistcountry", "GR")
    other = text("----:org.example:ARTISTCOUNTRY", "GR")  # another mean, another field
    old = FTYP + moov(number, lower, other, TITLE, room=200) + MDAT
    new = changed(old, genre=("Folk",), country=("TR",))
    freed = len(number) + len(lower) - len(text("©gen", "Folk")) - len(COUNTRY)
    assert new == FTYP + moov(other, TITLE, text("©gen", "Folk"), COUNTRY, room=200 + freed) + MDAT


def test_the_last_atom_may_reach_to_the_end_of_the_file() -> None:
    last = b"\0\0\0\0mdatsound"
    old = FTYP + moov(TITLE, room=100) + last
    assert changed(old, country=("TR",)) == FTYP + moov(TITLE, COUNTRY, room=100 - len(COUNTRY)) + last
    wide = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"sound"
    old = FTYP + moov(TITLE, room=100) + wide
    assert changed(old, country=("TR",)) == FTYP + moov(TITLE, COUNTRY, room=100 - len(COUNTRY)) + wide


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (FTYP + MDAT, r"^0 moov atoms instead of one$"),
        (FTYP + moov() + moov(), r"^2 moov atoms instead of one$"),
        (FTYP + b"\0\0\0\7mdat", r"^the atom b'mdat' at byte 16 has an impossible size$"),
        (FTYP + struct.pack(">I4sQ", 1, b"mdat", 15), r"^the atom b'mdat' at byte 16 has an impossible size$"),
        (FTYP + b"\0\0\1\0mdat", r"^the atom b'mdat' at byte 16 has an impossible size$"),
        (FTYP + atom(b"moov", b"\0\0\0\7udta"), r"^the atom b'udta' has an impossible size$"),
        (FTYP + atom(b"moov", b"\0\0\0\x20udta"), r"^the atom b'udta' has an impossible size$"),
        (FTYP + atom(b"moov", b"\0\0\0\0udta"), r"^the atom b'udta' has an impossible size$"),
        (FTYP + moov(room=None) + atom(b"moof", bytes(20)) + MDAT, r"^a fragmented MP4 without free space: its tags"),
        (
            FTYP + moov(room=None, trak=atom(b"trak", atom(b"mdia", atom(b"minf", atom(b"stbl", OVERLONG))))) + MDAT,
            r"^a table of chunk offsets is longer than its atom$",
        ),
    ],
)
def test_atoms_that_cannot_be_followed_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        mp4.edits(io.BytesIO(data), {"©gen": ("Folk",)})
