"""Every format: written, read back by mutagen, decoded to the same samples, undone to the byte."""

from pathlib import Path

import mutagen
import numpy as np
import pytest
from tagging_helpers import SUFFIXES, FakeClassifier

from geoclass.audio.decode import _read_pyav, load_audio
from geoclass.tagging.apply import apply_plan, undo
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.tags import KEYS, read_tags

GENRES = ("Folk", "Hip-Hop Rap")


def samples_of(path: Path) -> np.ndarray:
    """What the file sounds like. libsndfile does not read the Ogg FLAC that FFmpeg writes; PyAV does."""
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
    from geoclass.tagging.plan import Policy

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


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix != "aac"])  # whose tags mutagen.File skips
def test_the_keys_are_those_of_the_standard(make, tmp_path: Path, suffix: str) -> None:
    path = make(f"a.{suffix}")
    tag(path, tmp_path / "journal")
    tags = mutagen.File(path).tags
    family = {"m4a": "mp4", "wma": "asf"}.get(suffix, "id3" if suffix in ("mp3", "wav", "aiff") else "vorbis")
    for name in ("country", "genre", "country_candidates", "genre_candidates", "model"):
        assert getattr(KEYS[name], family) in tags, name
