"""What sets one container apart: where it keeps its free space, its offsets, its page numbers."""

import base64
import io
import struct
import subprocess
import sys
from pathlib import Path

import mutagen
import mutagen.flac
import mutagen.mp4
import mutagen.oggspeex
import mutagen.oggvorbis
import numpy as np
import pytest
import rare_sounds
from hypothesis import given, settings
from hypothesis import strategies as st
from tagging_helpers import RATE, FakeClassifier, tone

from geoclass.audio.decode import load_audio
from geoclass.errors import TaggingError
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.formats import edit as splice
from geoclass.tagging.formats import mp4, ogg, riff, vorbis
from geoclass.tagging.plan import Policy, plan_tags
from geoclass.tagging.tags import read_tags, tag_edits
from geoclass.tagging.undo import undo


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


def round_trip(path: Path, folder: Path) -> str:
    """Tag (both fields, whatever is there) and undo; the sound must not change, and the way back must be exact."""
    original, samples = path.read_bytes(), load_audio(path, sample_rate=RATE)
    policy = Policy(overwrite=frozenset({"country", "genre"}))
    (result,) = apply_plan(plan_tags(FakeClassifier(), paths=[path], policy=policy), journal=folder / "journal")
    np.testing.assert_array_equal(load_audio(path, sample_rate=RATE), samples)
    if result.status == "written":
        assert read_tags(path).values["genre"] == ("Folk", "Hip-Hop Rap")
        assert [done.status for done in undo(folder / "journal")] == ["restored"]
    assert path.read_bytes() == original
    return result.reason or result.status


def patched(path: Path, **changes: tuple[str, ...]) -> None:
    """Change tags without a plan."""
    with open(path, "rb") as file:
        edits, out = tag_edits(path, file, changes), io.BytesIO()
        splice.copy_patched(file, out, edits, size=path.stat().st_size)
        assert splice.is_patched(file, out, edits, size=path.stat().st_size)
    path.write_bytes(out.getvalue())


# ---- MP4 --------------------------------------------------------------------------------------------------------


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


# ---- Ogg --------------------------------------------------------------------------------------------------------


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


# ---- FLAC, WAV, AIFF --------------------------------------------------------------------------------------------


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


def test_text_that_is_not_utf8_does_not_stop_decoding(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a")
    patched(path, region=("cafX",))
    path.write_bytes(path.read_bytes().replace(b"cafX", b"caf\xe9"))
    assert len(load_audio(path, sample_rate=RATE)) >= RATE


@pytest.mark.parametrize(("layout", "n_channels"), [("stereo", 2), ("5.1", 6), ("7.1", 8)])
def test_channels_are_averaged(tmp_path: Path, layout: str, n_channels: int) -> None:
    """In a process of its own: with eight channels PyAV once took it down."""
    import av

    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=RATE)
        stream.layout = layout
        for start in range(0, RATE, 1_024):
            sound = np.repeat(tone()[start : start + 1_024], n_channels)[None]
            frame = av.AudioFrame.from_ndarray(sound, format="flt", layout=layout)
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    script = (
        "import sys; from geoclass.audio.decode import load_audio; import numpy as np;"
        f"print(np.abs(load_audio(sys.argv[1], sample_rate={RATE})).mean())"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0.1


# ---- laws of patches --------------------------------------------------------------------------------------------

PIECES = st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30)), max_size=5)


@given(PIECES, st.binary(max_size=30))
def test_a_patch_and_its_inverse(pieces: list[tuple[bytes, bytes, bytes]], tail: bytes) -> None:
    old = b"".join(kept + before for kept, before, _ in pieces) + tail
    new = b"".join(kept + after for kept, _, after in pieces) + tail
    edits, position = [], 0
    for kept, before, after in pieces:
        position += len(kept)
        edits.append(splice.Edit(position, before, after))
        position += len(before)
    try:
        edits = splice.compact(edits)
    except ValueError:  # insertions at one place have no order
        return
    assert apply(old, edits) == new
    assert apply(new, splice.inverse(edits)) == old
    assert splice.growth(edits) == len(new) - len(old)


def apply(data: bytes, edits: list[splice.Edit]) -> bytes:
    out = io.BytesIO()
    splice.copy_patched(io.BytesIO(data), out, edits, size=len(data))
    assert splice.is_patched(io.BytesIO(data), out, edits, size=len(data))
    return out.getvalue()


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=20), max_size=6), st.binary(max_size=5))
def test_comments_that_are_not_ours_keep_their_bytes(comments: list[bytes], rest: bytes) -> None:
    comments = [comment for comment in comments if not comment.lower().startswith(b"genre=")]
    data = struct.pack("<I", 3) + b"lib" + struct.pack("<I", len(comments))
    data += b"".join(struct.pack("<I", len(comment)) + comment for comment in comments) + rest
    new = vorbis.rewrite(data, {"GENRE": ("Folk", "Rock")})
    assert vorbis.split(new) == (b"lib", [*comments, b"GENRE=Folk", b"GENRE=Rock"], rest)
    assert vorbis.rewrite(new, {"genre": ()}) == data


# ---- DSF --------------------------------------------------------------------------------------------------------


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


# ---- Speex, and streams beside each other -----------------------------------------------------------------------


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
