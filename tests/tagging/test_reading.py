"""Tags that another library wrote, as they are read: names of the family in lower case, values as they stand.

Files are given with their position anywhere, as those who looked at them before leave it.
"""

import io

import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import mutagen.oggflac
import mutagen.oggopus
import mutagen.oggspeex
import mutagen.oggvorbis
import pytest
from tagging_helpers import encode

from geoclass.tagging.formats import reading

ANYWHERE = 37  # bytes
PLAIN = "a text so long that whoever writes the shortest first writes it last"


def opened(data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.seek(ANYWHERE)
    return file


def id3(*frames: mutagen.id3.Frame, version: int = 4) -> bytes:
    tags, out = mutagen.id3.ID3(), io.BytesIO()
    for frame in frames:
        tags.add(frame)
    if version == 3:
        tags.update_to_v23()
    tags.save(out, v2_version=version, v1=0)
    return out.getvalue()


# ---- ID3 --------------------------------------------------------------------------------------------------------


def test_frames_of_id3() -> None:
    tag = id3(
        mutagen.id3.TIT2(encoding=3, text=["Gül"]),
        mutagen.id3.TPE1(encoding=3, text=["Selda", "Moğollar"]),
        mutagen.id3.TCON(encoding=3, text=["17", "Folk"]),
        mutagen.id3.TDRC(encoding=3, text=["1976-05"]),
        mutagen.id3.TXXX(encoding=3, desc="ArtistCountry", text=["TR", "CY"]),
        mutagen.id3.TPOS(encoding=3, text=["1/2"]),  # of no use
        mutagen.id3.APIC(encoding=3, mime="image/png", data=b"\x89PNG"),
    )
    assert reading.read_id3(tag) == {
        "tit2": ("Gül",),
        "tpe1": ("Selda", "Moğollar"),
        "tcon": ("Rock", "Folk"),  # numbers are names of the list of ID3v1
        "tdrc": ("1976-05",),
        "txxx:artistcountry": ("TR", "CY"),
    }


def test_comments_and_lyrics_one_after_the_other_the_plain_ones_first() -> None:
    tag = id3(
        mutagen.id3.COMM(encoding=3, lang="eng", desc="A program", text=["described"]),
        mutagen.id3.COMM(encoding=3, lang="eng", desc="", text=[PLAIN, "second"]),
        mutagen.id3.COMM(encoding=3, lang="eng", desc="iTunNORM", text=["0000"]),
        mutagen.id3.COMM(encoding=3, lang="eng", desc="ITUNPGAP", text=["0"]),
        mutagen.id3.USLT(encoding=3, lang="tur", desc="A site", text="described words"),
        mutagen.id3.USLT(encoding=3, lang="eng", desc="iTunes", text="still words"),
        mutagen.id3.USLT(encoding=3, lang="eng", desc="", text=PLAIN),
    )
    found = reading.read_id3(tag)
    assert found["comm"] == (PLAIN, "second", "described")
    assert found["uslt"][0] == PLAIN
    assert set(found["uslt"]) == {PLAIN, "described words", "still words"}


def test_frames_of_version_22() -> None:
    def frame(name: bytes, text: bytes) -> bytes:
        return name + len(b"\0" + text).to_bytes(3, "big") + b"\0" + text

    body = (
        frame(b"TT2", b"Title") + frame(b"TP1", b"Selda") + frame(b"TXX", b"ARTISTCOUNTRY\0TR") + frame(b"TCO", b"(17)")
    )
    found = reading.read_id3(b"ID3\2\0\0\0\0\0" + bytes([len(body)]) + body)
    assert found == {"tit2": ("Title",), "tpe1": ("Selda",), "txxx:artistcountry": ("TR",), "tcon": ("Rock",)}


def test_no_tag_has_no_frames() -> None:
    assert reading.read_id3(b"") == {}


def id3v1(magic: bytes = b"TAG", *, genre: int = 17) -> bytes:
    texts = b"".join(text.ljust(size, b"\0") for text, size in ((b"Title", 30), (b"Selda", 30), (b"Album", 30)))
    return magic + texts + b"1976" + b"a comment".ljust(30, b"\0") + bytes([genre])


def test_the_block_of_id3v1() -> None:
    block = id3v1()
    assert len(block) == 128
    found = reading.read_id3v1(block)
    assert found["tit2"] == ("Title",)
    assert found["tpe1"] == ("Selda",)
    assert found["talb"] == ("Album",)
    assert found["tcon"] == ("Rock",)
    assert found["tdrc"] == ("1976",)
    assert "tcon" not in reading.read_id3v1(id3v1(genre=255))


@pytest.mark.parametrize("block", [id3v1(b"tag"), id3v1(b"XAG"), bytes(128), b"", b"TAG"])
def test_what_is_no_block_of_id3v1(block: bytes) -> None:
    assert reading.read_id3v1(block) == {}


@pytest.mark.parametrize(("version", "other"), [(3, 4), (4, 3)])
def test_a_tag_in_the_other_version_says_the_same(version: int, other: int) -> None:
    frames = (
        mutagen.id3.TIT2(encoding=3, text=["Gül"]),
        mutagen.id3.TCON(encoding=3, text=["Folk", "Rock"]),
        mutagen.id3.TXXX(encoding=3, desc="ARTISTCOUNTRY", text=["TR"]),
        mutagen.id3.APIC(encoding=0, mime="image/png", desc="", data=b"\x89PNG"),
    )
    tag = id3(*frames[:1], *frames[2:], version=version) if version == 3 else id3(*frames, version=version)
    converted = reading.converted_id3(tag, other)
    assert converted[:4] == b"ID3" + bytes([other])
    assert b"TAG" not in converted, "no block of ID3v1"
    found = reading.read_id3(converted)
    assert (found["tit2"], found["txxx:artistcountry"]) == (("Gül",), ("TR",))
    assert b"\x89PNG" in converted
    if other == 3:
        assert found["tcon"] == ("Folk; Rock",), "a slash would be part of a name"


# ---- the other families -----------------------------------------------------------------------------------------

OGG = {
    "flac": ("flac", mutagen.flac.FLAC),
    "ogg": ("ogg vorbis", mutagen.oggvorbis.OggVorbis),
    "opus": ("ogg opus", mutagen.oggopus.OggOpus),
    "spx": ("ogg speex", mutagen.oggspeex.OggSpeex),
    "oga": ("ogg flac", mutagen.oggflac.OggFLAC),
}


@pytest.mark.parametrize("suffix", OGG)
def test_vorbis_comments_as_another_library_wrote_them(suffix: str) -> None:
    container, library = OGG[suffix]
    file = io.BytesIO(encode(suffix))
    tags = library(file)
    if tags.tags is None:
        tags.add_tags()
    tags["ArtistCountry"] = ["TR"]
    tags["GENRE"] = ["Folk", "Türkü"]
    tags["REPLAYGAIN_TRACK_GAIN"] = ["-3 dB"]
    file.seek(0)
    tags.save(file)
    found = dict(reading.read_vorbis(opened(file.getvalue()), container))
    assert (found.pop("artistcountry"), found.pop("genre")) == (("TR",), ("Folk", "Türkü"))
    assert "replaygain_track_gain" not in found


def test_a_flac_file_without_comments() -> None:
    file = io.BytesIO(encode("flac"))
    tags = mutagen.flac.FLAC(file)
    tags.metadata_blocks = [block for block in tags.metadata_blocks if block.code != 4]
    streaminfo = tags.metadata_blocks[0].write()
    bare = b"fLaC" + bytes([0x80]) + len(streaminfo).to_bytes(3, "big") + streaminfo + bytes(100)
    assert reading.read_vorbis(opened(bare), "flac") == {}


def test_items_of_ape() -> None:
    file, tags = io.BytesIO(b"sound" * 20), mutagen.apev2.APEv2()
    tags["Title"] = "Gül"
    tags["ARTISTCOUNTRY"] = ["TR", "CY"]
    tags["Track"] = "1"  # of no use
    tags["Genre"] = mutagen.apev2.APEValue(b"\x89PNG", mutagen.apev2.BINARY)  # no text
    tags.save(file)
    assert reading.read_ape(opened(file.getvalue())) == {"title": ("Gül",), "artistcountry": ("TR", "CY")}
    assert reading.read_ape(opened(b"sound" * 20)) == {}


def test_items_of_mp4() -> None:
    file = io.BytesIO(encode("m4a"))
    tags = mutagen.mp4.MP4(file)
    own = "----:com.apple.iTunes:ARTISTCOUNTRY"
    tags["\xa9nam"] = ["Gül"]
    tags[own] = [mutagen.mp4.MP4FreeForm("Türkiye".encode()), mutagen.mp4.MP4FreeForm(b"caf\xe9")]
    tags["trkn"] = [(1, 2)]  # of no use
    file.seek(0)
    tags.save(file)
    found = dict(reading.read_mp4(opened(file.getvalue())))
    assert found["©nam"] == ("Gül",)
    assert found[own.casefold()] == ("Türkiye", "caf\ufffd")
    assert "trkn" not in found


def test_an_mp4_file_without_items() -> None:
    file = io.BytesIO(encode("m4a"))
    mutagen.mp4.MP4(file).delete(file)
    assert reading.read_mp4(opened(file.getvalue())) == {}


def test_descriptors_of_asf() -> None:
    file = io.BytesIO(encode("wma"))
    tags = mutagen.asf.ASF(file)
    tags["Title"] = ["Gül"]
    tags["ARTISTCOUNTRY"] = ["TR"]
    tags["WM/Genre"] = ["Folk", "Rock"]
    tags["WM/Track"] = ["1"]  # of no use
    file.seek(0)
    tags.save(file)
    found = dict(reading.read_asf(opened(file.getvalue())))
    assert (found["title"], found["artistcountry"], found["wm/genre"]) == (("Gül",), ("TR",), ("Folk", "Rock"))
    assert "wm/track" not in found


# ---- lengths ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("mp3", "mp3"), ("flac", "flac"), ("m4a", "mp4"), ("wav", "wav"), ("ogg", "ogg")],
)
def test_a_second_is_a_second(suffix: str, kind: str) -> None:
    assert reading.duration_s(opened(encode(suffix)), kind) == pytest.approx(1, abs=0.2)


def test_an_mp4_file_is_one_whatever_brand_it_names() -> None:
    """mutagen does not find it out by itself: the format is known from its content."""
    data = encode("m4a").replace(b"ftypM4A ", b"xxxxM4A ")
    assert reading.duration_s(opened(data), "mp4") == pytest.approx(1, abs=0.2)


def test_the_tag_in_front_of_an_mp3_does_not_count() -> None:
    tag = id3(mutagen.id3.APIC(encoding=0, mime="image/png", data=b"\xff\xfb\x90\x00" * 50_000))
    assert reading.duration_s(opened(tag + encode("mp3")), "mp3") == pytest.approx(1, abs=0.2)


def test_what_nobody_knows_has_no_length() -> None:
    assert reading.duration_s(opened(b"no sound at all" * 20), "tak") is None
