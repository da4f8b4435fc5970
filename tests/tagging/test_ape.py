"""APE tags: other programs' items keep their bytes, and so do the blocks behind the tag; mutagen is the oracle."""

import io
import struct
from pathlib import Path

import mutagen.apev2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagging_helpers import FakeClassifier, spliced

from geoclass.tagging.apply import apply_plan
from geoclass.tagging.formats import apev2
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.tags import read_tags
from geoclass.tagging.undo import undo

SOUND = b"wvpk" + bytes(range(200))
ID3V1 = b"TAG" + bytes(124) + b"\x11"  # 17: Rock
LYRICS3 = b"LYRICSBEGIN" + b"IND00002" + b"10" + b"000021" + b"LYRICS200"


def item(key: bytes, value: bytes, flags: int = 0) -> bytes:
    return struct.pack("<II", len(value), flags) + key + b"\0" + value


def ends(magic: bytes, version: int, size: int, count: int, flags: int) -> bytes:
    return magic + struct.pack("<IIII", version, size, count, flags) + bytes(8)


def tag(*items: bytes, version: int = 2_000, header: bool = True, count: int | None = None) -> bytes:
    """A tag as the specification has it; `count` may lie."""
    body, number = b"".join(items), len(items) if count is None else count
    flags = 0x80000000 if header else 0
    footer = ends(b"APETAGEX", version, len(body) + 32, number, flags)
    return (ends(b"APETAGEX", version, len(body) + 32, number, flags | 0x20000000) if header else b"") + body + footer


def changed(data: bytes, **changes: tuple[str, ...]) -> bytes:
    return spliced(lambda file: apev2.edits(file, changes), data)


def parsed(data: bytes) -> dict[str, str]:
    return {key: str(value) for key, value in mutagen.apev2.APEv2(io.BytesIO(data)).items()}


COVER = item(b"Cover Art (Front)", b"cover.png\0\x89PNG" + bytes(range(256)), flags=2)
LINK = item(b"Artist", b"https://example.org/artist", flags=4)


@pytest.mark.parametrize("behind", [b"", ID3V1, LYRICS3 + ID3V1])
@pytest.mark.parametrize("header", [True, False])
def test_an_item_is_added_behind_those_that_are_there(behind: bytes, header: bool) -> None:
    title = item(b"Title", b"\xc5\x9eark\xc4\xb1", flags=1)  # read-only, to programs that care
    data = SOUND + tag(title, COVER, LINK, header=header) + behind
    new = changed(data, GENRE=("Folk", "Rock"), ARTISTCOUNTRY=("TR",))
    added = item(b"GENRE", b"Folk\0Rock") + item(b"ARTISTCOUNTRY", b"TR")
    assert new == SOUND + tag(title, COVER, LINK, added[:22], added[22:], header=header) + behind
    assert parsed(new)["GENRE"] == "Folk\0Rock"


def test_a_new_tag_stands_before_the_blocks_at_the_end() -> None:
    for behind in (b"", ID3V1, LYRICS3 + ID3V1):
        new = changed(SOUND + behind, ARTISTCOUNTRY=("TR",))
        assert new == SOUND + tag(item(b"ARTISTCOUNTRY", b"TR")) + behind
        assert parsed(new) == {"ARTISTCOUNTRY": "TR"}


def test_nothing_to_write_makes_no_tag() -> None:
    assert changed(SOUND, GENRE=()) == SOUND


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_item_is_replaced_whatever_its_case(place: int) -> None:
    others = [item(b"Title", b"Title"), COVER]
    items = [*others[:place], item(b"genre", b"Pop"), *others[place:]]
    new = changed(SOUND + tag(*items), Genre=("Folk",))
    assert new == SOUND + tag(*others, item(b"Genre", b"Folk"))


def test_an_item_is_removed() -> None:
    data = SOUND + tag(item(b"Genre", b"Pop"), COVER, item(b"GENRE2", b"Pop"))
    assert changed(data, GENRE=()) == SOUND + tag(COVER, item(b"GENRE2", b"Pop"))


def test_values_are_utf8() -> None:
    assert parsed(changed(SOUND, GENRE=("Türkü", "Şarkı")))["GENRE"] == "Türkü\0Şarkı"


def test_the_version_and_the_missing_header_of_an_old_tag_stay() -> None:
    data = SOUND + tag(item(b"Title", b"Title"), version=1_000, header=False)
    new = changed(data, ARTISTCOUNTRY=("TR",))
    expected = tag(item(b"Title", b"Title"), item(b"ARTISTCOUNTRY", b"TR"), version=1_000, header=False)
    assert new == SOUND + expected


def test_a_count_that_is_too_large_is_mended() -> None:
    """Some programs count wrong (mutagen's issue 145)."""
    data = SOUND + tag(item(b"Title", b"Title"), count=9)
    assert changed(data, ARTISTCOUNTRY=("TR",)) == SOUND + tag(item(b"Title", b"Title"), item(b"ARTISTCOUNTRY", b"TR"))


def test_a_count_that_is_too_small_hides_the_same_items_as_before() -> None:
    title, hidden = item(b"Title", b"Title"), item(b"Mood", b"calm")
    new = changed(SOUND + tag(title, hidden, count=1), ARTISTCOUNTRY=("TR",))
    assert new == SOUND + tag(title, item(b"ARTISTCOUNTRY", b"TR"), hidden, count=2)
    assert parsed(new) == {"Title": "Title", "ARTISTCOUNTRY": "TR"}


def test_a_file_that_is_nothing_but_a_tag() -> None:
    data = tag(item(b"Title", b"Title"))
    assert changed(data, ARTISTCOUNTRY=("TR",)) == tag(item(b"Title", b"Title"), item(b"ARTISTCOUNTRY", b"TR"))
    data = tag(item(b"Title", b"Title"), header=False)
    assert parsed(changed(data, ARTISTCOUNTRY=("TR",))) == {"Title": "Title", "ARTISTCOUNTRY": "TR"}


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 127, 128, 129])
def test_short_files_get_a_tag(length: int) -> None:
    data = SOUND[:length]
    assert changed(data, ARTISTCOUNTRY=("TR",)) == data + tag(item(b"ARTISTCOUNTRY", b"TR"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ends(b"APETAGEX", 2_000, 31, 0, 0), "impossible size"),
        (SOUND + ends(b"APETAGEX", 2_000, 1_000, 1, 0), "impossible size"),
        (SOUND + ends(b"APETAGEX", 2_000, 0x7FFFFFFF, 1, 0), "impossible size"),
        (SOUND + tag(struct.pack("<II", 100, 0) + b"Title\0short"), "longer than the tag"),
        (SOUND + tag(struct.pack("<II", 0, 0) + b"no end of the key"), "not found"),
        (SOUND + b"xxxxxxLYRICS200" + ID3V1, "Lyrics3"),
        (SOUND + b"999999LYRICS200" + ID3V1, "Lyrics3"),
    ],
)
def test_what_cannot_be_followed_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        apev2.edits(io.BytesIO(data), {"ARTISTCOUNTRY": ("TR",)})


KEYS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ", min_size=2, max_size=9)
ITEMS = st.lists(st.tuples(KEYS, st.binary(max_size=30), st.sampled_from([0, 1, 2, 4])), max_size=6)


@given(ITEMS, st.booleans(), st.sampled_from([b"", ID3V1, LYRICS3 + ID3V1]))
def test_items_that_are_not_ours_keep_their_bytes(
    made: list[tuple[str, bytes, int]], header: bool, behind: bytes
) -> None:
    items = [item(key.encode(), value, flags) for key, value, flags in made if key.casefold() != "genre"]
    data = SOUND + tag(*items, header=header) + behind
    assert changed(data, GENRE=("Folk",)) == SOUND + tag(*items, item(b"GENRE", b"Folk"), header=header) + behind
    assert changed(changed(data, GENRE=("Folk",)), GENRE=()) == data


def test_tags_around_the_file_are_read_beside(make, tmp_path: Path) -> None:
    """An ID3v2 tag in front of a Monkey's Audio file: read, and left alone."""
    front = b"ID3\4\0\0\0\0\0\x17TCON\0\0\0\5\0\0\3Rock" + bytes(8)
    path = make("a.ape", tag=front)
    path.write_bytes(path.read_bytes() + tag(item(b"Title", b"Title")) + ID3V1)
    original = path.read_bytes()
    found = read_tags(path)
    assert (found.kind, dict(found.values), found.get("genre")) == ("monkeys-audio", {"title": ("Title",)}, ("Rock",))
    (done,) = apply_plan(plan_tags(FakeClassifier(), paths=[path]), journal=tmp_path / "journal")
    assert (done.status, "genre" in done.changes) == ("written", False)
    assert path.read_bytes().startswith(front)
    assert path.read_bytes().endswith(ID3V1)
    undo(tmp_path / "journal")
    assert path.read_bytes() == original
