"""MP4: where the free space is, which offsets move, which items stay."""

import struct
from pathlib import Path

import mutagen
import mutagen.flac
import mutagen.mp4
import mutagen.oggspeex
import mutagen.oggvorbis
import pytest
from tagging_helpers import RATE, patched, round_trip, tone

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
