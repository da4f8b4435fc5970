"""The readers on the real files, where they lie beside the checkout."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.fma import FMA
from geoclass.corpora.gtzan import GTZAN
from geoclass.corpora.uci import UCI
from geoclass.geo.borders import countries_at

SHARED = Path(__file__).parents[2].parent / "shared"


def shared(path: str) -> Path:
    if not (SHARED / path).exists():
        pytest.skip(f"{path} is not in ../shared")
    return SHARED / path


@pytest.mark.parametrize(("n_features", "n_columns"), [(68, 68), (116, 72)])
def test_uci_has_33_countries_and_rome_is_in_italy(n_features: int, n_columns: int) -> None:
    corpus = UCI(shared("data/uci-geographical-origin"), n_features=n_features)
    tracks = [item for item in corpus.tracks() if isinstance(item, Track)]
    assert len(tracks) == 1059
    assert len(corpus.columns) == n_columns
    countries = countries_at([track.latitude for track in tracks], [track.longitude for track in tracks])
    assert len(set(countries)) == 33
    assert "" not in set(countries)
    romes = {
        country
        for track, country in zip(tracks, countries, strict=True)
        if track.latitude is not None
        and track.longitude is not None
        and abs(track.latitude - 41.9) < 0.1
        and abs(track.longitude - 12.5) < 0.1
    }
    assert romes == {"IT"}


def test_the_chroma_of_uci_is_one_number_a_block() -> None:
    corpus = UCI(shared("data/uci-geographical-origin"), n_features=116)
    chroma = [f"f{29 * block + 18 + number:03d}" for block in range(4) for number in range(12)]
    assert [name for name in chroma if name in corpus.columns] == chroma[::12]
    list(corpus.tracks())
    assert any("copies of another column: f019, f020" in note and note.endswith("more") for note in corpus.notes)


def test_the_gtzan_statistics_on_the_filtered_split() -> None:
    corpus = GTZAN(shared("data/gtzan-features"), features="features_30_sec.csv")
    found = list(corpus.tracks())
    assert len(corpus.columns) == 57
    assert Counter(item.split for item in found if isinstance(item, Track)) == {
        "train": 443, "valid": 197, "test": 290, "": 70,
    }  # fmt: skip
    assert not any(isinstance(item, Skipped) for item in found)
    assert Counter(item.genre for item in found if isinstance(item, Track))["blues"] == 100
    assert not corpus.notes


def test_the_gtzan_clips() -> None:
    corpus = GTZAN(shared("data/gtzan-audio"))
    tracks = [item for item in corpus.tracks() if isinstance(item, Track)]
    assert len(tracks) == 50
    assert set(Counter(track.genre for track in tracks).values()) == {5}


def test_an_fma_tree_with_damage(tmp_path: Path) -> None:
    tool, source = shared("tools/make_fma_tree.py"), shared("data/world-audio")
    # Many clips of two countries, so that each kind of damage is drawn.
    arguments = [str(source), str(tmp_path), "--damaged", "--countries", "TR,IN", "--limit", "6"]
    subprocess.run([sys.executable, str(tool), *arguments], check=True, capture_output=True)
    corpus = FMA(tmp_path, task="country,genre")
    found = list(corpus.tracks())
    lines = (tmp_path / "fma_metadata/tracks.csv").read_text(encoding="utf-8").count("not for redistribution")
    assert len(found) == lines
    unusable = {
        item.track_id
        for item in found
        if not (path := corpus.audio_root / item.path).exists() or not path.stat().st_size  # type: ignore[operator]
    }
    assert unusable
    assert {item.track_id for item in found if isinstance(item, Skipped)} == unusable
    tracks = [item for item in found if isinstance(item, Track)]
    assert all("<" not in track.artist + track.place for track in tracks)
    assert {track.genres for track in tracks} <= {("International",), ("Folk",)}
    assert {track.split for track in tracks} == {""}  # the tool writes "training" everywhere
    assert any("official split" in note for note in corpus.notes)
