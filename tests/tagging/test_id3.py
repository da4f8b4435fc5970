"""ID3: the version that was found, other people's frames, and tags that bend the rules."""

import io
import re
import struct
from pathlib import Path

import mutagen.id3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tagging_helpers import FakeClassifier, answer, spliced

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


# ---- tags by hand -----------------------------------------------------------------------------------------------

COUNTRY, GENRE_KEY = "TXXX:ARTISTCOUNTRY", "TCON"


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def header(version: int, flags: int, size: int) -> bytes:
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(size)


def whole(version: int, *frames: bytes, padding: int = 0, flags: int = 0) -> bytes:
    body = b"".join(frames) + bytes(padding)
    return header(version, flags, len(body)) + body


def frame22(name: bytes, payload: bytes) -> bytes:
    return name + len(payload).to_bytes(3, "big") + payload


def written(version: int, text: bytes) -> bytes:
    payload = b"\0ARTISTCOUNTRY\0" + text
    return frame22(b"TXX", payload) if version == 2 else frame(version, b"TXXX", payload)


def rewritten(tag: bytes, **values: tuple[str, ...]) -> bytes:
    keys = {"country": COUNTRY, "genre": GENRE_KEY}
    return id3.rewrite(tag, {keys[name]: found for name, found in values.items()}, new_version=4)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_frame_is_added_behind_the_others_and_takes_padding(version: int) -> None:
    title = frame22(b"TT2", b"\0Title") if version == 2 else frame(version, b"TIT2", b"\0Title", b"\x40\0")
    new = written(version, b"TR")
    old = whole(version, title, padding=100)
    assert rewritten(old, country=("TR",)) == whole(version, title, new, padding=100 - len(new))
    exact = whole(version, title, padding=len(new))
    assert rewritten(exact, country=("TR",)) == whole(version, title, new)
    short = whole(version, title, padding=len(new) - 1)
    assert rewritten(short, country=("TR",)) == whole(version, title, new, padding=1_024)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_frame_is_replaced_wherever_it_stands(version: int) -> None:
    title = frame22(b"TT2", b"\0Title") if version == 2 else frame(version, b"TIT2", b"\0Title")
    mood = frame22(b"TXX", b"\0Mood\0calm") if version == 2 else frame(version, b"TXXX", b"\0Mood\0calm")
    old = whole(version, written(version, b"GR"), title, written(version, b"DE"), mood)
    freed = len(written(version, b"DE"))
    assert rewritten(old, country=("TR",)) == whole(version, title, mood, written(version, b"TR"), padding=freed)
    assert rewritten(old, country=()) == whole(version, title, mood, padding=2 * freed)


@pytest.mark.parametrize("asked", [3, 4])
def test_a_new_tag_has_the_version_that_was_asked_for_and_room(asked: int) -> None:
    new = id3.rewrite(b"", {COUNTRY: ("TR",)}, new_version=asked)
    assert new == whole(asked, written(asked, b"TR"), padding=1_024)


@pytest.mark.parametrize(
    ("version", "values", "payload"),
    [
        (4, ("Folk",), b"\0Folk"),
        (4, ("Folk", "Rock"), b"\0Folk\0Rock"),
        (4, ("Türkü", "Rock"), b"\3" + "Türkü\0Rock".encode()),
        (3, ("Folk", "Rock"), b"\0Folk; Rock"),
        (3, ("Türkü",), b"\1" + "\ufeffTürkü".encode("utf-16-le")),
        (2, ("Folk", "Rock"), b"\0Folk; Rock"),
    ],
)
def test_text_is_ascii_where_it_can_be(version: int, values: tuple[str, ...], payload: bytes) -> None:
    made = frame22(b"TCO", payload) if version == 2 else frame(version, b"TCON", payload)
    assert rewritten(whole(version), genre=values) == whole(version, made, padding=1_024)
    assert read_tags_of(whole(version, made)) == values


def read_tags_of(tag: bytes) -> tuple[str, ...]:
    """The genres, by mutagen."""
    return tuple(part for text in mutagen.id3.ID3(io.BytesIO(tag))["TCON"].genres for part in text.split("; "))


def test_each_utf16_string_has_a_mark_of_its_own() -> None:
    payload = b"\1" + "\ufeffARTISTCOUNTRY\0\ufeffTürkiye".encode("utf-16-le")
    assert rewritten(whole(3), country=("Türkiye",)) == whole(3, frame(3, b"TXXX", payload), padding=1_024)


@pytest.mark.parametrize(
    ("encoding", "description"),
    [(0, b"ArtistCountry\0"), (3, b"artistcountry\0")]
    + [(1, "\ufeffARTISTCOUNTRY\0".encode(codec)) for codec in ("utf-16-le", "utf-16-be")]
    + [(2, "ARTISTCOUNTRY\0".encode("utf-16-be"))],
)
def test_a_description_is_found_in_every_encoding(encoding: int, description: bytes) -> None:
    old = frame(4, b"TXXX", bytes([encoding]) + description + b"x")
    assert b"x" not in rewritten(whole(4, old, padding=100), country=())


def test_frames_that_are_packed_or_encrypted_are_not_ours() -> None:
    packed = frame(4, b"TCON", bytes(4) + b"\x78\x9c", b"\0\x09")
    assert rewritten(whole(4, packed), genre=()) == whole(4, packed)
    assert rewritten(whole(4, frame(4, b"TCON", b"\0Pop", b"\x40\0")), genre=()) == whole(4, padding=14)


@pytest.mark.parametrize("version", [3, 4])
def test_the_extended_header_goes_for_it_describes_the_old_bytes(version: int) -> None:
    extended = bytes([0, 0, 0, 6, 0, 0]) + bytes(4) if version == 3 else synchsafe(6) + b"\1\0"
    title = frame(version, b"TIT2", b"\0Title")
    old = header(version, 0x40, len(extended + title) + 60) + extended + title + bytes(60)
    new = rewritten(old, country=("TR",))
    room = len(extended) + 60 - len(written(version, b"TR"))
    assert new == whole(version, title, written(version, b"TR"), padding=room)


def test_the_footer_goes_too() -> None:
    title = frame(4, b"TIT2", b"\0Title")
    body = header(4, 0x10, len(title)) + title
    old = body + b"3DI" + body[3:10]
    assert id3.tag_at(io.BytesIO(old + b"sound"), 0) == old
    new = rewritten(old, country=("TR",))
    assert new == whole(4, title, written(4, b"TR"), padding=1_024)
    roomy = frame(4, b"PRIV", bytes(100))
    body = header(4, 0x10, len(roomy)) + roomy
    assert rewritten(body + b"3DI" + body[3:10]) == whole(4, roomy, padding=10)


def test_plain_sizes_of_old_itunes_stay_plain() -> None:
    """200 and 300 bytes: as synchsafe numbers they would mean something else."""
    frames = [
        name + struct.pack(">I", size) + b"\0\0\0" + b"x" * (size - 1)
        for name, size in ((b"TIT2", 200), (b"TALB", 300))
    ]
    text = b"\0ARTISTCOUNTRY\0" + b"y" * 200
    ours = b"TXXX" + struct.pack(">I", len(text)) + b"\0\0" + text
    assert rewritten(whole(4, *frames), country=("y" * 200,)) == whole(4, *frames, ours, padding=1_024)


def test_what_follows_damaged_frames_stays_behind_ours() -> None:
    title, rest = frame(4, b"TIT2", b"\0Title"), b"\xff\xfe damaged"
    new = rewritten(whole(4, title, rest), country=("TR",))
    assert new == whole(4, title, written(4, b"TR"), rest, padding=1_024)
    overlong = b"TALB" + synchsafe(500) + b"\0\0\0short"
    assert rewritten(whole(4, title, overlong), country=("TR",)) == whole(
        4, title, written(4, b"TR"), overlong, padding=1_024
    )


def test_unsynchronised_tags_stay_so() -> None:
    raw = b"\0\xff\xe0 \xff\0 \xff"
    private = frame(3, b"PRIV", raw)
    body = private.replace(b"\xff", b"\xff\0")
    new = rewritten(header(3, 0x80, len(body)) + body, country=("TR",))
    assert new[5] == 0x80
    assert new[10:].replace(b"\xff\0", b"\xff").startswith(private + written(3, b"TR"))
    content = new[10 : new.index(b"ARTISTCOUNTRY\0TR") + 16]
    assert not re.search(rb"\xff[\xe0-\xff]", content)
    assert private.replace(b"\xff\0", b"\xff\0\0").replace(b"\xff\xe0", b"\xff\0\xe0") in new


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (whole(5), r"^ID3v2\.5 is not a version of ID3 that is known$"),
        (whole(1), r"^ID3v2\.1 is not a version"),
        (header(2, 0x40, 0), r"^the ID3v2\.2 tag is compressed, which no program reads$"),
        (header(4, 0x40, 3) + bytes(3), r"^the ID3 tag ends within its extended header$"),
        (header(4, 0x40, 6) + synchsafe(3) + bytes(2), r"^the extended header of the ID3 tag has an impossible size$"),
        (header(4, 0x40, 6) + synchsafe(7) + bytes(2), r"^the extended header of the ID3 tag has an impossible size$"),
        (header(3, 0x40, 6) + bytes([0, 0, 0, 3]) + bytes(2), r"^the extended header of the ID3 tag has an impossible"),
    ],
)
def test_tags_that_cannot_be_followed_are_refused(tag: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rewritten(tag, country=("TR",))


def test_a_tag_has_at_most_256_mib() -> None:
    with pytest.raises(ValueError, match=r"^the ID3 tag would become larger than 256 MiB$"):
        rewritten(b"", country=("x" * (1 << 28),))


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (whole(4, padding=20) + b"sound", 30),
        (b"ID3\4\0\0\0\0\0", 0),  # shorter than a header
        (b"ID3\4\0\0\x80\0\0\0" + bytes(20), 0),  # not a synchsafe size
        (b"IDX\4\0\0\0\0\0\4" + bytes(20), 0),
        (b"xx" + whole(4), 0),
        (header(3, 0x10, 4) + bytes(20), 14),  # a footer came with v2.4
    ],
)
def test_where_a_tag_ends(data: bytes, length: int) -> None:
    assert len(id3.tag_at(io.BytesIO(data), 0)) == length
    assert id3.tag_at(io.BytesIO(b"front" + data), 5) == data[:length]


def test_edits_leave_out_what_stands_between_the_header_and_the_change() -> None:
    picture = frame(4, b"APIC", b"\0image/png\0\3\0" + bytes(range(256)) * 4)
    data = whole(4, picture) + b"\xff\xfb sound"
    made = id3.edits(io.BytesIO(data), {COUNTRY: ("TR",)}, new_version=4)
    assert sum(len(edit.old) for edit in made) < 10
    assert spliced(lambda _file: made, data) == whole(4, picture, written(4, b"TR"), padding=1_024) + b"\xff\xfb sound"
    swapped = id3.edits(io.BytesIO(data), {COUNTRY: ("TR",)}, new_version=4, replacement=whole(3))
    assert spliced(lambda _file: swapped, data) == whole(3, written(3, b"TR"), padding=1_024) + b"\xff\xfb sound"


def test_genres_of_version_22_are_replaced() -> None:
    old = whole(2, frame22(b"TCO", b"\0(17)"), frame22(b"TT2", b"\0Title"), padding=40)
    freed = len(b"(17)") - len(b"Folk")
    assert rewritten(old, genre=("Folk",)) == whole(
        2, frame22(b"TT2", b"\0Title"), frame22(b"TCO", b"\0Folk"), padding=40 + freed
    )


@pytest.mark.parametrize("payload", [b"\3\xff\xfe\0x", b"\1\xff\xfeA", b"\2\xd8\0", b"\7odd", b"\0"])
def test_descriptions_that_cannot_be_decoded_are_not_ours(payload: bytes) -> None:
    odd = frame(4, b"TXXX", payload)
    assert rewritten(whole(4, odd), country=("TR",)) == whole(4, odd, written(4, b"TR"), padding=1_024)
    assert rewritten(whole(4, frame(4, b"TXXX", b"")), country=()) == whole(4, frame(4, b"TXXX", b""))
