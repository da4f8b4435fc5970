"""Ogg: pages stay numbered and summed, those of the sound untouched; streams beside each other."""

import base64
from pathlib import Path

import mutagen
import mutagen.flac
import mutagen.mp4
import mutagen.oggspeex
import mutagen.oggvorbis
import pytest
import rare_sounds
from tagging_helpers import patched, round_trip

from geoclass.errors import TaggingError
from geoclass.tagging.formats import ogg
from geoclass.tagging.tags import tag_edits


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
