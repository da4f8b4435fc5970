"""ID3: the version that was found, other people's frames, and tags that bend the rules."""

import io
import re
import struct
from pathlib import Path

import mutagen.id3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tagging_helpers import FakeClassifier, answer

from geoclass.tagging.apply import apply_plan
from geoclass.tagging.formats import id3
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import read_tags
from geoclass.tagging.undo import undo

APE = b"APETAGEX" + struct.pack("<IIII", 2_000, 32 + 20, 1, 0x80000000) + bytes(8)


def tag_of(*frames: mutagen.id3.Frame, version: int = 4) -> bytes:
    """An ID3v2 tag as mutagen writes it."""
    tags, out = mutagen.id3.ID3(), io.BytesIO()
    for frame in frames:
        tags.add(frame)
    if version == 3:
        tags.update_to_v23()
    tags.save(out, v1=0, v2_version=version, v23_sep="; ")
    return out.getvalue()


def frames_of(tag: bytes) -> list[bytes]:
    """The raw frames of a v2.3 or v2.4 tag without flags of its own, headers included."""
    frames, position = [], 10
    while position + 10 <= len(tag) and tag[position]:
        digits = tag[position + 4 : position + 8]
        size = int.from_bytes(digits, "big") if tag[3] == 3 else sum(d << 7 * i for i, d in enumerate(digits[::-1]))
        frames.append(tag[position : position + 10 + size])
        position += 10 + size
    return frames


def run(path: Path, journal: Path, **policy: object):
    plan = plan_tags(FakeClassifier(), paths=[path], policy=Policy(**policy))
    return apply_plan(plan, journal=journal)[0]


def test_an_old_version_stays_and_two_genres_stay_two(make, tmp_path: Path) -> None:
    tag = tag_of(mutagen.id3.TIT2(encoding=1, text="Şarkı"), mutagen.id3.TYER(encoding=0, text="1971"), version=3)
    path = make("a.mp3", tag=tag)
    assert run(path, tmp_path / "journal").status == "written"
    raw = id3.tag_at(io.BytesIO(path.read_bytes()), 0)
    assert raw[3] == 3
    assert b"Folk; Hip-Hop Rap" in raw
    assert frames_of(raw)[:2] == frames_of(tag)
    assert read_tags(path).values["genre"] == ("Folk", "Hip-Hop Rap")


def test_a_new_tag_is_24_with_one_genre_frame_that_holds_a_list(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    run(path, tmp_path / "journal")
    tags = mutagen.id3.ID3(path, translate=False)
    assert tags.version == (2, 4, 0)
    assert [frame.text for frame in tags.getall("TCON")] == [["Folk", "Hip-Hop Rap"]]


def test_version_22_stays_too(make, tmp_path: Path) -> None:
    title = b"TT2\0\0\6\0Title"
    path = make("a.mp3", tag=b"ID3\2\0\0\0\0\0\x16" + title + bytes(10))
    original = path.read_bytes()
    assert run(path, tmp_path / "journal").status == "written"
    raw = id3.tag_at(io.BytesIO(path.read_bytes()), 0)
    assert raw[3] == 2
    assert raw[10:].startswith(title)
    assert read_tags(path).values["country"] == ("TR",)
    undo(tmp_path / "journal")
    assert path.read_bytes() == original


@pytest.mark.parametrize(("found", "asked"), [(3, 4), (4, 3)])
def test_another_version_on_request(make, tmp_path: Path, found: int, asked: int) -> None:
    path = make("a.mp3", tag=tag_of(mutagen.id3.TIT2(encoding=3, text="Şarkı"), version=found))
    original = path.read_bytes()
    plan = plan_tags(FakeClassifier(), paths=[path])
    assert apply_plan(plan, journal=tmp_path / "journal", id3_version=asked)[0].status == "written"
    tags = mutagen.id3.ID3(path, translate=False)
    assert tags.version == (2, asked, 0)
    assert tags["TIT2"].text == ["Şarkı"]
    undo(tmp_path / "journal")
    assert path.read_bytes() == original


def test_the_blocks_at_the_end_stay_and_their_genre_counts(make, tmp_path: Path) -> None:
    v1 = b"TAG" + b"Title".ljust(30, b"\0") + b"Artist".ljust(30, b"\0") + bytes(64) + b"\x11"  # 17: Rock
    path = make("a.mp3")
    item = struct.pack("<II", 4, 0) + b"Mood\0calm"
    block = b"APETAGEX" + struct.pack("<IIII", 2_000, len(item) + 32, 1, 0) + bytes(8)
    path.write_bytes(path.read_bytes() + item + block + v1)
    assert read_tags(path).get("genre") == ("Rock",)
    assert run(path, tmp_path / "journal").status == "written"
    assert path.read_bytes().endswith(item + block + v1)
    assert "genre" not in read_tags(path).values


def test_a_description_in_other_case_is_the_same_field(make, tmp_path: Path) -> None:
    path = make("a.mp3", tag=tag_of(mutagen.id3.TXXX(encoding=0, desc="ArtistCountry", text="GR")))
    assert run(path, tmp_path / "one").fields["country"].value == ("GR",)
    run(path, tmp_path / "two", overwrite=frozenset({"country"}))
    tags = mutagen.id3.ID3(path)
    assert [frame.text for frame in tags.getall("TXXX") if frame.desc.casefold() == "artistcountry"] == [["TR"]]


def test_an_unsynchronised_tag(make, tmp_path: Path) -> None:
    payload = b"\0\0" + b"\xff\xfb\x90" * 20
    body = b"PRIV" + struct.pack(">I", len(payload)) + b"\0\0" + payload
    body = body.replace(b"\xff", b"\xff\0")
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = make("a.mp3", tag=b"ID3\3\0\x80" + size + body)
    original = path.read_bytes()
    assert run(path, tmp_path / "journal").status == "written"
    tags = mutagen.id3.ID3(path)
    assert tags.getall("PRIV")[0].data == payload[1:]
    assert tags["TXXX:ARTISTCOUNTRY"].text == ["TR"]
    undo(tmp_path / "journal")
    assert path.read_bytes() == original


def test_sizes_in_plain_integers_in_24_are_read_and_kept(make, tmp_path: Path) -> None:
    """Old versions of iTunes wrote v2.4 frames with v2.3 sizes."""
    frames = b"".join(
        b"TIT2" + struct.pack(">I", 201) + b"\0\0\0" + letter * 200 if name else b""
        for letter, name in ((b"x", 1), (b"y", 1))
    )
    body = frames + b"TALB" + struct.pack(">I", 6) + b"\0\0\0Album" + bytes(20)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = make("a.mp3", tag=b"ID3\4\0\0" + size + body)
    assert run(path, tmp_path / "journal").status == "written"
    assert path.read_bytes()[10:].startswith(frames)
    assert read_tags(path).values["album"] == ("Album",)
    assert read_tags(path).values["country"] == ("TR",)


def test_a_tag_longer_than_the_file_is_left_alone(make, tmp_path: Path) -> None:
    path = make("a.mp3", tag=b"ID3\4\0\0\x02\0\0\0")
    original = path.read_bytes()
    result = run(path, tmp_path / "journal")
    assert result.status == "failed"
    assert "the file ends inside a tag" in result.reason
    assert path.read_bytes() == original


# ---- laws -------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
# ID3 reads "17" and "(17)" as numbers of genres, "CR" and "RX" as Cover and Remix.
GENRE = TEXT.filter(lambda text: not re.match(r"[\W\d]|CR$|RX$", text))
BYTES = st.binary(max_size=200)


def text_frame(version: int):
    encodings = (0, 1) if version < 4 else (0, 1, 2, 3)

    def build(name: str, text: str, encoding: int) -> bytes:
        codec = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}[encoding]
        return frame(version, name.encode(), bytes([encoding]) + text.encode(codec, "replace"))

    names = st.sampled_from(["TIT2", "TPE1", "TALB", "TDRC", "TBPM", "TCOM", "TXXX"])
    return st.builds(build, names, TEXT, st.sampled_from(encodings))


def frame(version: int, name: bytes, payload: bytes, flags: bytes = b"\0\0") -> bytes:
    size = len(payload)
    raw = struct.pack(">I", size) if version == 3 else bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return name + raw + flags + payload


@st.composite
def tags(draw: st.DrawFn) -> tuple[int, list[bytes], bytes]:
    """A version, raw frames of all kinds (pictures, private, unknown, flagged, doubled), and the whole tag."""
    version = draw(st.sampled_from([3, 4]))
    names = st.sampled_from([b"APIC", b"PRIV", b"POPM", b"COMM", b"CHAP", b"RVA2", b"XYZ9", b"UFID", b"GEOB", b"TXXX"])
    flags = st.sampled_from([b"\0\0", b"\x40\0", b"\x20\0"])
    other = st.builds(lambda name, data, flag: frame(version, name, data, flag), names, BYTES, flags)
    frames = draw(st.lists(text_frame(version) | other, max_size=8))
    body = b"".join(frames) + bytes(draw(st.sampled_from([0, 10, 300, 2_000])))
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return version, frames, b"ID3" + bytes([version, 0, 0]) + size + body


CALM = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@CALM
@given(made=tags(), genre=st.lists(GENRE, min_size=1, max_size=3), country=st.sampled_from(["TR", "US"]))
def test_foreign_frames_survive_and_undo_is_the_identity(make, tmp_path_factory, made, genre, country) -> None:
    version, frames, tag = made
    folder = tmp_path_factory.mktemp("law")
    path = make("law.mp3", tag=tag)
    original = path.read_bytes()
    classifier = FakeClassifier({"law.mp3": answer(path, country={country: 0.9}, genre=dict.fromkeys(genre, 0.8))})
    (result,) = apply_plan(plan_tags(classifier, paths=[path]), journal=folder / "one")
    assert result.reason == ""
    raw = id3.tag_at(io.BytesIO(path.read_bytes()), 0)
    if result.status == "written":
        assert raw[3] == version
        assert frames_of(raw)[: len(frames)] == frames
        assert path.read_bytes()[len(raw) :] == original[len(tag) :]
    again = path.read_bytes()
    (second,) = apply_plan(plan_tags(classifier, paths=[path]), journal=folder / "two")
    assert second.status in ("unchanged", "abstained")
    assert path.read_bytes() == again
    if result.status == "written":
        assert [done.status for done in undo(folder / "one")] == ["restored"]
    assert path.read_bytes() == original


@CALM
@given(data=st.binary(max_size=400), version=st.sampled_from([2, 3, 4]), flags=st.sampled_from([0, 0x40, 0x80, 0xC0]))
def test_rewriting_keeps_the_frames_of_any_bytes(data: bytes, version: int, flags: int) -> None:
    size = bytes(len(data) >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = b"ID3" + bytes([version, 0, flags]) + size + data
    try:
        new = id3.rewrite(tag, {"TXXX:ARTISTCOUNTRY": ("TR",)}, new_version=4)
    except ValueError:
        return
    plain = id3.rewrite(tag, {}, new_version=4)
    assert b"ARTISTCOUNTRY\0TR" in new
    assert id3.tag_at(io.BytesIO(new), 0) == new
    assert id3.rewrite(new, {"TXXX:ARTISTCOUNTRY": ()}, new_version=4).rstrip(b"\0")[10:] == plain.rstrip(b"\0")[10:]
