"""Every format: written, read back by mutagen, decoded to the same samples, undone to the byte."""

from pathlib import Path

import mutagen
import mutagen.apev2
import numpy as np
import pytest
from tagging_helpers import SKELETONS, SUFFIXES, FakeClassifier

from geoclass.audio.decode import _read_pyav, load_audio
from geoclass.errors import AudioError, TaggingError
from geoclass.library.scan import sound_files
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.entries import read_entries
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import read_tags
from geoclass.tagging.undo import undo

GENRES = ("Folk", "Hip-Hop Rap")


def samples_of(path: Path) -> np.ndarray:
    """What the file sounds like. libsndfile does not read the Ogg FLAC that FFmpeg writes; PyAV does."""
    if path.suffix[1:] in SKELETONS:
        return np.zeros(0)
    if path.suffix == ".oga":
        return _read_pyav(path, lambda _total_s: (0.0, None))[0]
    return load_audio(path, sample_rate=22_050)


def tag(path: Path, journal: Path, classifier: FakeClassifier | None = None):
    return apply_plan(plan_tags(classifier or FakeClassifier(), paths=[path]), journal=journal)[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tag_then_undo_is_the_identity(make, tmp_path: Path, suffix: str) -> None:
    path = make(f"a.{suffix}")
    original, samples = path.read_bytes(), samples_of(path)
    written = tag(path, tmp_path / "journal")
    assert (written.status, written.reason) == ("written", "")
    found = read_tags(path).values
    assert found["country"] == ("TR",)
    assert found["genre"] == GENRES
    assert found["country_candidates"] == ("TR 0.62; IR 0.10; GR 0.10",)
    assert found["model"] == ("fake 1 0123abcd",)
    assert path.read_bytes() != original
    np.testing.assert_array_equal(samples_of(path), samples)
    assert [result.status for result in undo(tmp_path / "journal")] == ["restored"]
    assert path.read_bytes() == original


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_second_run_asks_nothing_and_writes_nothing(make, tmp_path: Path, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tag(path, tmp_path / "one")
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
    again = FakeClassifier()
    result = tag(path, tmp_path / "two", again)
    assert result.status == "unchanged"
    assert again.asked == []
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert not (tmp_path / "two").exists()
    assert result.fields["country"].probability == 0.62


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_overwriting_leaves_one_value_and_all_other_tags(make, tmp_path: Path, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tag(path, tmp_path / "one")
    other = FakeClassifier(country="GR", sure=0.9)
    other.model_id = "other 2 89abcdef"
    policy = Policy(overwrite=frozenset({"country"}))
    before = read_tags(path).values
    (result,) = apply_plan(plan_tags(other, paths=[path], policy=policy), journal=tmp_path / "two")
    assert result.status == "written"
    found = read_tags(path).values
    assert found["country"] == ("GR",)
    assert found["genre"] == before["genre"]
    assert found["genre_candidates"] == before["genre_candidates"]
    assert path.read_bytes().upper().count("ARTISTCOUNTRY".encode("utf-16-le" if suffix == "wma" else "ascii")) == 1
    undo(tmp_path / "two")
    assert read_tags(path).values == before


ITUNES = "----:com.apple.iTunes:"
OURS = ("ARTISTCOUNTRY", "GEOCLASS_COUNTRY", "GEOCLASS_GENRE", "GEOCLASS_MODEL")
# TAGS as players read them: how a name of ours is spelled, and where the genre stands.
FAMILIES = {
    "id3": ("TXXX:{}", "TCON", ("mp3", "wav", "aiff", "dsf", "tta")),
    "vorbis": ("{}", "GENRE", ("flac", "ogg", "opus", "oga", "spx")),
    "ape": ("{}", "GENRE", ("wv", "ape", "ofr", "tak", "mpc")),
    "mp4": (ITUNES + "{}", "\N{COPYRIGHT SIGN}gen", ("m4a", "m4b", "mp4")),
    "asf": ("{}", "WM/Genre", ("wma",)),
}


@pytest.mark.parametrize(
    ("suffix", "spelling", "genre"),
    [(suffix, spelling, genre) for spelling, genre, suffixes in FAMILIES.values() for suffix in suffixes],
)
def test_the_keys_are_those_of_the_standard(make, tmp_path: Path, suffix: str, spelling: str, genre: str) -> None:
    path = make(f"a.{suffix}")
    policy = Policy(release_country=True)
    (done,) = apply_plan(plan_tags(FakeClassifier(), paths=[path], policy=policy), journal=tmp_path / "journal")
    assert done.status == "written"
    tags = mutagen.apev2.APEv2(path) if suffix in SKELETONS else mutagen.File(path).tags
    for key in (genre, *map(spelling.format, OURS)):
        assert key in tags, key
    release = spelling.format("MusicBrainz Album Release Country")
    release = {"{}": "RELEASECOUNTRY"}.get(spelling, release)
    assert {"wma": "MusicBrainz/Album Release Country"}.get(suffix, release) in tags


def test_every_format_was_tried() -> None:
    assert {suffix for _, _, suffixes in FAMILIES.values() for suffix in suffixes} | {"aac"} == set(SUFFIXES)


@pytest.mark.parametrize("suffix", SKELETONS)
def test_what_cannot_be_decoded_reaches_the_plan_with_its_tags(make, tmp_path: Path, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tags = mutagen.apev2.APEv2()
    tags["Title"], tags["Language"] = "Gesi Bağları", "tur"
    tags.save(path)
    with pytest.raises(AudioError):
        load_audio(path, sample_rate=22_050)
    (entry,) = read_entries([path])
    assert entry.error is None
    assert (entry.tags.get("title"), entry.tags.get("language")) == (("Gesi Bağları",), ("tur",))
    assert list(sound_files([path.parent])) == [path]


def test_musepack_without_a_signature_is_known_by_its_suffix(tmp_path: Path) -> None:
    """Versions 4 to 6 begin with their bit rate; the copy that is checked has another suffix for a moment."""
    path = tmp_path / "a.MPC"
    path.write_bytes(b"\xc1\x2f\x20\x00" + bytes(range(256)))
    original = path.read_bytes()
    assert tag(path, tmp_path / "journal").reason == ""
    assert mutagen.apev2.APEv2(path)["ARTISTCOUNTRY"] == "TR"
    assert read_tags(path).kind == "musepack"
    undo(tmp_path / "journal")
    assert path.read_bytes() == original
    other = path.rename(tmp_path / "a.bin")
    with pytest.raises(TaggingError, match="not a format whose tags geoclass can write"):
        read_tags(other)
