"""Formats by the first bytes of a file, and which of its tags are the ones."""

import io

import mutagen.apev2
import mutagen.id3
import pytest

from geoclass.tagging.formats.edit import copy_patched
from geoclass.tagging.formats.registry import FORMATS, SUFFIXES, detect_format

MPEG = (b"\xff\xfb\x90\x64" + bytes(413)) * 3


def id3(version: int = 4, **texts: str | list[str]) -> bytes:
    tags, out = mutagen.id3.ID3(), io.BytesIO()
    for name, text in texts.items():
        if name == "country":
            tags.add(mutagen.id3.TXXX(encoding=3, desc="ARTISTCOUNTRY", text=text))
        else:
            tags.add(getattr(mutagen.id3, name)(encoding=3, text=text))
    tags.save(out, v2_version=version, v1=0)
    return out.getvalue()


def ape(**texts: str) -> bytes:
    tags, out = mutagen.apev2.APEv2(), io.BytesIO()
    for name, text in texts.items():
        tags[name] = text
    tags.save(out)
    return out.getvalue()


def id3v1(title: bytes, *, genre: int = 17) -> bytes:
    return b"TAG" + title.ljust(30, b"\0") + b"Selda".ljust(30, b"\0") + bytes(64) + bytes([genre])


def detected(data: bytes, suffix: str = "") -> str | None:
    file = io.BytesIO(data)
    file.seek(5)  # whoever looked at it before
    found = detect_format(file, suffix)
    return found.kind if found else None


# ---- which format it is -----------------------------------------------------------------------------------------

MAGIC = {
    "flac": b"fLaC\0",
    "ogg": b"OggS\0",
    "mp4": b"\0\0\0\x20ftypM4A ",
    "asf": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),  # the GUID of its header object
    "wav": b"RIFF\x10\0\0\0WAVEfmt ",
    "aiff": b"FORM\0\0\0\x10AIFF",
    "dsf": b"DSD \x1c",
    "tta": b"TTA1\1",
    "wavpack": b"wvpk\0",
    "monkeys-audio": b"MAC \x96",
    "musepack": b"MP+\7",
    "optimfrog": b"OFR \x0f",
    "tak": b"tBaK\1",
}
MORE = [("mp4", b"\0\0\0\x20moov"), ("aiff", b"FORM\0\0\0\x10AIFC"), ("tta", b"TTA2\1"), ("musepack", b"MPCKSH")]


@pytest.mark.parametrize(("kind", "magic"), [*MAGIC.items(), *MORE])
@pytest.mark.parametrize("suffix", ["", ".mp3", ".txt"])
def test_a_format_is_known_by_how_it_begins_whatever_the_name_says(kind: str, magic: bytes, suffix: str) -> None:
    assert detected(magic + bytes(200), suffix) == kind


@pytest.mark.parametrize(
    "magic", [b"RIFF\x10\0\0\0AVI LIST", b"FORM\0\0\0\x10ILBM", b"XXXX\x10\0\0\0WAVE", b"flac", b"oggs"]
)
def test_what_begins_otherwise_is_no_format(magic: bytes) -> None:
    assert detected(magic + bytes(200)) is None
    assert detected(magic + bytes(200), ".wav") is None


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".mp3", "mp3"), (".MP3", "mp3"), (".mp2", "mp3"), (".aac", "mp3"), (".mpc", "musepack"), (".txt", None)],
)
def test_what_has_no_signature_is_known_by_its_suffix(suffix: str, kind: str | None) -> None:
    assert detected(MPEG, suffix) == kind


@pytest.mark.parametrize("kind", ["flac", "tta", "wavpack", "monkeys-audio", "musepack", "tak"])
def test_a_tag_may_stand_in_front(kind: str) -> None:
    assert detected(id3(TIT2="x") + MAGIC[kind] + bytes(200)) == kind


def test_what_stands_behind_a_tag_and_is_none_of_these_is_an_mp3() -> None:
    assert detected(id3(TIT2="x") + MPEG, ".txt") == "mp3"
    assert detected(id3(TIT2="x") + MAGIC["wav"] + bytes(200), ".wav") == "mp3"


def test_every_format_has_a_signature_of_its_own_but_mp3() -> None:
    assert set(FORMATS) == {*MAGIC, "mp3"}
    assert all(kind == known.kind for kind, known in FORMATS.items())
    assert {".mp3", ".flac", ".m4a", ".m4b", ".opus", ".wv", ".tak"} <= SUFFIXES


# ---- what it says -----------------------------------------------------------------------------------------------


def read(kind: str, data: bytes):
    file = io.BytesIO(data)
    file.seek(9)
    return FORMATS[kind].read(file)


@pytest.mark.parametrize("kind", ["mp3", "tta"])
def test_the_tag_in_front_is_the_one_and_the_blocks_at_the_end_stand_beside(kind: str) -> None:
    front = id3(country="TR", TIT2="Front")
    found = read(kind, front + MPEG + ape(Title="Ape", ARTISTCOUNTRY="GR", Album="Only here") + id3v1(b"Block"))
    assert (found.kind, found.id3_version) == (kind, 4)
    assert found.values == {"country": ("TR",), "title": ("Front",)}
    assert found.beside["title"] == ("Ape",), "an APE tag says more than a block of 128 bytes"
    assert found.beside["country"] == ("GR",)
    assert found.beside["album"] == ("Only here",)
    assert found.beside["artist"] == ("Selda",)
    assert found.beside["genre"] == ("Rock",)


def test_without_a_tag_there_is_no_version() -> None:
    found = read("mp3", MPEG)
    assert (found.kind, found.id3_version, found.values, found.beside) == ("mp3", None, {}, {})
    assert read("mp3", MPEG[:50]).beside == {}, "shorter than a block"


@pytest.mark.parametrize(("version", "genres"), [(3, ("Folk", "Rock")), (4, ("Folk; Rock",))])
def test_only_old_tags_split_genres_at_semicolons(version: int, genres: tuple[str, ...]) -> None:
    found = read("mp3", id3(version, TCON="Folk; Rock") + MPEG)
    assert (found.id3_version, found.values["genre"]) == (version, genres)


@pytest.mark.parametrize("kind", ["wavpack", "monkeys-audio", "musepack", "optimfrog", "tak"])
def test_id3_around_a_file_of_ape_stands_beside(kind: str) -> None:
    data = (
        id3(TIT2="Front", TALB="Album")
        + MAGIC[kind]
        + bytes(500)
        + ape(Title="Ape", ARTISTCOUNTRY="TR")
        + id3v1(b"Block")
    )
    found = read(kind, data)
    assert (found.kind, found.id3_version) == (kind, None)
    assert found.values == {"title": ("Ape",), "country": ("TR",)}
    assert found.beside["title"] == ("Front",)
    assert found.beside["album"] == ("Album",)
    assert found.beside["artist"] == ("Selda",)


def test_other_formats_have_nothing_beside() -> None:
    from tagging_helpers import encode

    found = read("flac", encode("flac") + id3v1(b"Block"))
    assert (found.kind, found.beside) == ("flac", {})
    found = read("wav", encode("wav") + id3v1(b"Block"))
    assert (found.kind, found.values, found.beside) == ("wav", {}, {})


# ---- what changes it --------------------------------------------------------------------------------------------


def changed(kind: str, data: bytes, country: tuple[str, ...] = ("IS",), **options) -> bytes:
    file, out = io.BytesIO(data), io.BytesIO()
    copy_patched(file, out, FORMATS[kind].edits(file, {"country": country}, **options), size=len(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("there", "asked", "expected"),
    [
        (None, None, 4),
        (None, 3, 3),
        (None, 4, 4),
        (3, None, 3),
        (3, 3, 3),
        (3, 4, 4),
        (4, None, 4),
        (4, 3, 3),
        (4, 4, 4),
    ],
)
def test_the_version_is_the_one_there_or_the_one_asked_for(there: int | None, asked: int | None, expected: int) -> None:
    data = (id3(there, country="TR", TIT2="Gül") if there else b"") + MPEG
    new = changed("mp3", data, id3_version=asked)
    assert new[:4] == b"ID3" + bytes([expected])
    found = mutagen.id3.ID3(io.BytesIO(new))
    assert found["TXXX:ARTISTCOUNTRY"].text == ["IS"]
    assert there is None or found["TIT2"].text == ["Gül"]
    assert new.endswith(MPEG)


@pytest.mark.parametrize("version", [3, 4])
def test_a_tag_that_has_the_version_already_is_not_converted(version: int) -> None:
    """Of a frame that nobody knows every byte stays."""
    body = b"XYZZ\0\0\0\5\0\0hello" + id3(version, TIT2="x", country="TR")[10:]
    data = b"ID3" + bytes([version, 0, 0, 0, 0, len(body) >> 7, len(body) & 127]) + body + MPEG
    assert changed("mp3", data, id3_version=version) == changed("mp3", data)
    assert b"XYZZ\0\0\0\5\0\0hello" in changed("mp3", data, id3_version=version)


def test_an_ape_tag_is_changed_where_it_is_the_one() -> None:
    data = MAGIC["wavpack"] + bytes(500) + ape(Title="Ape", ARTISTCOUNTRY="TR")
    found = mutagen.apev2.APEv2(io.BytesIO(changed("wavpack", data)))
    assert (str(found["Title"]), str(found["ARTISTCOUNTRY"])) == ("Ape", "IS")
    assert "ARTISTCOUNTRY" not in mutagen.apev2.APEv2(io.BytesIO(changed("wavpack", data, ())))
