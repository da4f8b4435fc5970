"""What a file says of itself, as other programs wrote it: every field in every family of tags, by mutagen."""

import io
import time
from pathlib import Path

import mutagen.apev2
import mutagen.asf
import mutagen.dsf
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import mutagen.oggspeex
import pytest
from mutagen.id3 import (
    COMM,
    TALB,
    TCON,
    TDRC,
    TIT1,
    TIT2,
    TLAN,
    TPE1,
    TPE2,
    TSRC,
    TXXX,
    USLT,
)

from geoclass.tagging.tags import read_tags

SAID = {
    "country": "TR",
    "genre": "Türkü",
    "release_country": "GB",
    "title": "Gesi Bağları",
    "artist": "Barış Manço",
    "album_artist": "Kurtalan Ekspres",
    "album": "2023",
    "date": "1975-05-01",
    "language": "tur",
    "script": "Latn",
    "isrc": "TRA057500001",
    "grouping": "Anadolu rock",
    "comment": "kayıt: İstanbul",
    "lyrics": "Gesi bağlarında\ndolanıyorum",
    "musicbrainz_artist_id": "3f7d0d0f-3c5f-4a1e-9a8c-d1b4e1ce1e6a",
}

# As Picard's tag mapping and beets' MediaFile have them; field -> name.
VORBIS = {
    "country": "ARTISTCOUNTRY", "genre": "GENRE", "release_country": "RELEASECOUNTRY", "title": "TITLE",
    "artist": "ARTIST", "album_artist": "ALBUMARTIST", "album": "ALBUM", "date": "DATE", "language": "LANGUAGE",
    "script": "SCRIPT", "isrc": "ISRC", "grouping": "GROUPING", "comment": "COMMENT", "lyrics": "LYRICS",
    "musicbrainz_artist_id": "MUSICBRAINZ_ARTISTID",
}  # fmt: skip
APE = VORBIS | {"album_artist": "Album Artist", "date": "Year"}
ITUNES = "----:com.apple.iTunes:"
MP4 = {
    "country": f"{ITUNES}ARTISTCOUNTRY", "genre": "©gen", "title": "©nam", "artist": "©ART", "album_artist": "aART",
    "release_country": f"{ITUNES}MusicBrainz Album Release Country", "album": "©alb", "date": "©day",
    "language": f"{ITUNES}LANGUAGE", "script": f"{ITUNES}SCRIPT", "isrc": f"{ITUNES}ISRC", "grouping": "©grp",
    "comment": "©cmt", "lyrics": "©lyr", "musicbrainz_artist_id": f"{ITUNES}MusicBrainz Artist Id",
}  # fmt: skip
ASF = {
    "country": "ARTISTCOUNTRY", "genre": "WM/Genre", "release_country": "MusicBrainz/Album Release Country",
    "title": "Title", "artist": "Author", "album_artist": "WM/AlbumArtist", "album": "WM/AlbumTitle",
    "date": "WM/Year", "language": "WM/Language", "script": "WM/Script", "isrc": "WM/ISRC",
    "grouping": "WM/ContentGroupDescription", "comment": "Description", "lyrics": "WM/Lyrics",
    "musicbrainz_artist_id": "MusicBrainz/Artist Id",
}  # fmt: skip


def id3_frames() -> list[mutagen.id3.Frame]:
    return [
        TXXX(encoding=3, desc="ARTISTCOUNTRY", text=SAID["country"]),
        TCON(encoding=3, text=SAID["genre"]),
        TXXX(encoding=3, desc="MusicBrainz Album Release Country", text=SAID["release_country"]),
        TIT2(encoding=3, text=SAID["title"]),
        TPE1(encoding=3, text=SAID["artist"]),
        TPE2(encoding=3, text=SAID["album_artist"]),
        TALB(encoding=3, text=SAID["album"]),
        TDRC(encoding=3, text=SAID["date"]),
        TLAN(encoding=3, text=SAID["language"]),
        TXXX(encoding=3, desc="SCRIPT", text=SAID["script"]),
        TSRC(encoding=3, text=SAID["isrc"]),
        TIT1(encoding=3, text=SAID["grouping"]),
        COMM(encoding=3, lang="eng", desc="", text=SAID["comment"]),
        USLT(encoding=3, lang="tur", desc="", text=SAID["lyrics"]),
        TXXX(encoding=3, desc="MusicBrainz Artist Id", text=SAID["musicbrainz_artist_id"]),
    ]


def save_id3(path: Path, *frames: mutagen.id3.Frame, version: int = 4) -> None:
    tags = mutagen.id3.ID3()
    for frame in frames:
        tags.add(frame)
    if version == 3:
        tags.update_to_v23()
    out = io.BytesIO(path.read_bytes())
    tags.save(out, v1=0, v2_version=version)
    path.write_bytes(out.getvalue())


def expected() -> dict[str, tuple[str, ...]]:
    return {name: (value,) for name, value in SAID.items()}


@pytest.mark.parametrize("suffix", ["mp3", "aac", "tta"])
@pytest.mark.parametrize("version", [3, 4])
def test_id3_in_front(make, suffix: str, version: int) -> None:
    path = make(f"a.{suffix}")
    save_id3(path, *id3_frames(), version=version)
    date = ("1975",) if version == 3 else ("1975-05-01",)  # v2.3 has the year in a frame of its own
    assert dict(read_tags(path).values) == expected() | {"date": date}
    assert read_tags(path).id3_version == version


@pytest.mark.parametrize("suffix", ["wav", "aiff", "dsf"])
def test_id3_in_a_container(make, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tags = mutagen.File(path)
    tags.add_tags()
    for frame in id3_frames():
        tags.tags.add(frame)
    tags.save()
    assert dict(read_tags(path).values) == expected()


@pytest.mark.parametrize("suffix", ["flac", "ogg", "opus", "oga", "spx"])
def test_vorbis_comments(make, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tags = mutagen.File(path)
    for name, key in VORBIS.items():
        tags[key] = [SAID[name]]
    tags.save()
    assert dict(read_tags(path).values) == expected()


@pytest.mark.parametrize("suffix", ["wv", "ape", "mpc", "ofr", "tak"])
def test_ape(make, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tags = mutagen.apev2.APEv2()
    for name, key in APE.items():
        tags[key] = SAID[name]
    tags.save(path)
    assert dict(read_tags(path).values) == expected()


@pytest.mark.parametrize("suffix", ["m4a", "m4b", "mp4"])
def test_mp4(make, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tags = mutagen.mp4.MP4(path)
    for name, key in MP4.items():
        tags[key] = [SAID[name].encode() if key.startswith("----") else SAID[name]]
    tags.save()
    assert dict(read_tags(path).values) == expected()


def test_asf(make) -> None:
    path = make("a.wma")
    tags = mutagen.asf.ASF(path)
    for name, key in ASF.items():
        tags[key] = [SAID[name]]
    tags.save()
    assert dict(read_tags(path).values) == expected()


def test_version_22_frames(make) -> None:
    frames = [
        (b"TT2", b"\0Title"), (b"TP1", b"\0Artist"), (b"TP2", b"\0Band"), (b"TAL", b"\0Album"), (b"TT1", b"\0Group"),
        (b"TLA", b"\0tur"), (b"TRC", b"\0TRA057500001"), (b"TYE", b"\x001975"), (b"TCO", b"\0(17)"),
        (b"ULT", b"\0tur\0words"), (b"COM", b"\0eng\0remark"), (b"TXX", b"\0ARTISTCOUNTRY\0TR"),
    ]  # fmt: skip
    body = b"".join(name + len(payload).to_bytes(3, "big") + payload for name, payload in frames)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = make("a.mp3", tag=b"ID3\2\0\0" + size + body)
    assert dict(read_tags(path).values) == {
        "title": ("Title",), "artist": ("Artist",), "album_artist": ("Band",), "album": ("Album",),
        "grouping": ("Group",), "language": ("tur",), "isrc": ("TRA057500001",), "date": ("1975",),
        "genre": ("Rock",), "lyrics": ("words",), "comment": ("remark",), "country": ("TR",),
    }  # fmt: skip


def test_other_names_for_the_same_thing(make) -> None:
    path = make("a.flac")
    tags = mutagen.flac.FLAC(path)
    tags["album artist"], tags["YEAR"], tags["unsyncedlyrics"], tags["Description"] = "Band", "1975", "words", "remark"
    tags.save()
    assert dict(read_tags(path).values) == {
        "album_artist": ("Band",), "date": ("1975",), "lyrics": ("words",), "comment": ("remark",),
    }  # fmt: skip
    path = make("a.mp3")
    save_id3(path, TXXX(encoding=3, desc="RELEASECOUNTRY", text="GB"), TXXX(encoding=3, desc="Script", text="Cyrl"))
    assert dict(read_tags(path).values) == {"release_country": ("GB",), "script": ("Cyrl",)}


def test_the_first_name_wins_unless_it_is_blank(make) -> None:
    path = make("a.flac")
    tags = mutagen.flac.FLAC(path)
    tags["DATE"], tags["YEAR"], tags["COMMENT"], tags["DESCRIPTION"] = "1975", "1999", "  ", "remark"
    tags.save()
    assert dict(read_tags(path).values) == {"date": ("1975",), "comment": ("remark",)}


def test_comments_without_a_description_come_first_and_those_of_programs_not_at_all(make) -> None:
    path = make("a.mp3")
    save_id3(
        path,
        COMM(encoding=0, lang="eng", desc="iTunNORM", text=" 00000A2C 00000B30"),
        COMM(encoding=0, lang="eng", desc="about", text="second"),
        COMM(encoding=0, lang="deu", desc="", text="first"),
    )
    assert dict(read_tags(path).values) == {"comment": ("first", "second")}


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a", "wv", "wma"])
def test_ten_megabytes_of_lyrics_do_not_hurt(make, suffix: str) -> None:
    words = "türkü " * (5_000 if suffix == "wma" else 10 * 2**20 // 6)  # a descriptor of ASF has at most 64 KiB
    path = make(f"a.{suffix}")
    if suffix == "mp3":
        save_id3(path, USLT(encoding=3, lang="tur", desc="", text=words), TIT2(encoding=3, text="Title"))
    else:
        key = {"m4a": "©lyr", "wma": "WM/Lyrics"}.get(suffix, "LYRICS")
        tags = mutagen.File(path)
        tags[key], tags[{"m4a": "©nam", "wma": "Title"}.get(suffix, "TITLE")] = [words], ["Title"]
        tags.save()
    start = time.process_time()
    found = read_tags(path)
    assert time.process_time() - start < 5  # it takes a fraction of a second; what is quadratic takes minutes
    assert found.get("title") == ("Title",)
    assert found.get("lyrics") == (words[:4_000],)


def test_many_values_are_bounded_in_number_but_what_we_write_is_whole(make) -> None:
    path = make("a.flac")
    tags = mutagen.flac.FLAC(path)
    tags["COMMENT"] = [str(number) for number in range(5_000)]
    tags["GENRE"] = [f"Genre {number}" for number in range(50)]
    tags["TITLE"] = "x" * 10_000
    tags.save()
    found = read_tags(path)
    assert found.get("comment") == tuple(str(number) for number in range(20))
    assert len(found.get("genre")) == 50
    assert found.get("title") == ("x" * 500,)


def test_text_of_an_mp4_that_is_not_utf8_costs_that_text_only(make) -> None:
    path = make("a.m4a")
    tags = mutagen.mp4.MP4(path)
    tags[f"{ITUNES}LANGUAGE"], tags["©nam"] = [b"t\xffrk"], ["Title"]
    tags.save()
    assert dict(read_tags(path).values) == {"title": ("Title",), "language": ("t\ufffdrk",)}


def test_pictures_in_an_ape_tag_are_no_text(make) -> None:
    path = make("a.wv")
    tags = mutagen.apev2.APEv2()
    tags["Comment"] = mutagen.apev2.APEValue(b"\xff\xd8\xff", mutagen.apev2.BINARY)
    tags["Title"], tags["Genre"] = "Title", ["Folk", "Rock"]
    tags.save(path)
    assert dict(read_tags(path).values) == {"title": ("Title",), "genre": ("Folk", "Rock")}


def test_blocks_beside_the_tag(make) -> None:
    v1 = (
        b"TAG"
        + b"Old title".ljust(30, b"\0")
        + b"Old artist".ljust(30, b"\0")
        + bytes(30)
        + b"1975"
        + bytes(30)
        + b"\x11"
    )
    path = make("a.mp3")
    save_id3(path, TIT2(encoding=3, text="Title"))
    path.write_bytes(path.read_bytes() + v1)
    found = read_tags(path)
    assert dict(found.values) == {"title": ("Title",)}
    assert dict(found.beside) == {
        "title": ("Old title",),
        "artist": ("Old artist",),
        "date": ("1975",),
        "genre": ("Rock",),
    }
    assert (found.get("title"), found.get("artist")) == (("Title",), ("Old artist",))
    path = make("a.wv")
    mutagen.apev2.APEv2().save(path)
    tags = mutagen.apev2.APEv2()
    tags["Title"] = "Title"
    tags.save(path)
    path.write_bytes(path.read_bytes() + v1)
    found = read_tags(path)
    assert (dict(found.values), found.get("genre")) == ({"title": ("Title",)}, ("Rock",))
