"""What a split may claim, from the tracks that are in it: on small data sets with leaks put there by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from geoclass.config.frontends import LogMelConfig
from geoclass.config.settings import BuildConfig
from geoclass.corpora.folder import Folder
from geoclass.dataset.audit import audit
from geoclass.dataset.build import build_dataset
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.folds import fold_of_dataset
from geoclass.dataset.protocol import Claim, claim_of

CONFIG = BuildConfig(segment_seconds=3.0, front_end=LogMelConfig(n_mels=8, n_fft=512))
SPLITS = ("train", "valid", "test")


def claim(*tracks: tuple[str, str, str], wanted: str = "artist") -> Claim:
    """Of (artist_id, artist, split) tracks."""
    rows = [(str(number), artist_id, artist) for number, (artist_id, artist, _) in enumerate(tracks)]
    placed = [(str(number), split) for number, (_, _, split) in enumerate(tracks)]
    return claim_of(rows, placed, wanted=wanted)


def three(*artists: str) -> list[tuple[str, str, str]]:
    return [(artist, artist, split) for artist, split in zip(artists, SPLITS, strict=True)]


def test_artists_of_their_own_are_disjoint() -> None:
    assert claim(*three("a", "b", "c")) == Claim(protocol="artist-disjoint", group="artist")


@pytest.mark.parametrize("artists", [("a", "a", "c"), ("a", "b", "a"), ("a", "b", "b")])
def test_an_artist_in_any_two_splits_is_a_leak(artists: tuple[str, str, str]) -> None:
    found = claim(*three(*artists))
    assert found.leaky
    assert found.group == "track"
    assert "of 2 tracks in valid and test are by an artist who is in another split" in found.leak


def test_one_name_under_two_ids_is_one_artist() -> None:
    assert claim(("1", "Beyoncé", "train"), ("2", "b", "valid"), ("3", "BEYONCE", "test")).leaky
    assert claim(("1", "Beyoncé", "train"), ("", "b", "valid"), ("", "beyonce", "test")).leaky


def test_an_id_that_names_the_country_tells_namesakes_apart() -> None:
    found = claim(("TR/artist 1", "Artist 1", "train"), ("CN/artist 1", "Artist 1", "test"), ("x", "x", "valid"))
    assert found.protocol == "artist-disjoint"


def test_unknown_artists_are_counted() -> None:
    assert claim(*three("", "", "")) == Claim(protocol="track-disjoint (artists unknown)", group="track")
    found = claim(("a", "a", "train"), *[("", "", split) for split in SPLITS * 15])
    assert found.protocol == "artist-disjoint as far as known: 45 of 46 tracks have no artist"
    assert found.group == "track"
    assert not found.leaky


@pytest.mark.parametrize(("n_tracks", "protocol"), [
    (50, "leaky"), (100, "artist-disjoint but for 1 of 100 tracks in valid and test"),
])  # fmt: skip
def test_a_hundredth_of_the_scored_tracks_is_named_more_is_a_leak(n_tracks: int, protocol: str) -> None:
    scored = [(f"b{number}", "", "test") for number in range(n_tracks - 1)]
    assert claim(("a", "", "train"), ("a", "", "valid"), *scored).protocol == protocol


def test_splits_by_track_or_segment_are_leaky_whatever_they_hold() -> None:
    assert claim(*three("a", "b", "c"), wanted="track").protocol == "leaky"
    assert claim(*three("a", "b", "c"), wanted="track").group == "track"
    assert claim(*three("a", "b", "c"), wanted="track").leak == "artists are not kept separate"
    assert claim(*three("a", "a", "c"), wanted="track").leak.startswith("1 of 2 tracks")
    assert claim(*three("a", "b", "c"), wanted="segment") == Claim(
        protocol="leaky", group="segment", leak="segments of one recording are in several splits"
    )
    both = claim_of([("1", "a", "a")], [("1", "train"), ("1", "test")], wanted="artist")
    assert (both.protocol, both.group) == ("leaky", "segment")


def test_tracks_that_no_split_uses_do_not_count() -> None:
    rows = [("1", "a", ""), ("2", "b", ""), ("3", "c", ""), ("4", "a", "")]
    placed = [("1", "train"), ("2", "valid"), ("3", "test"), ("4", "unused")]
    assert claim_of(rows, placed, wanted="artist").protocol == "artist-disjoint"


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(45):
        tone = 0.1 * np.sin(2 * np.pi * (200 + 40 * number) * np.arange(3 * 8_000) / 8_000)
        soundfile.write(folder / f"{number:02d}.wav", tone, 8_000)
    return folder


def build(songs: Path, rows: list[tuple[str, str]], name: str = "out") -> Dataset:
    """Of (artist, split) rows, 45 of them, in three countries in turn."""
    lines = [
        f"{number:02d}.wav,{('TR', 'CN', 'IN')[number % 3]},{artist},{split}"
        for number, (artist, split) in enumerate(rows)
    ]
    (songs / "labels.csv").write_text("\n".join(["path,country,artist,split", *lines]))
    return build_dataset(Folder(songs), out=songs.parent / name, config=CONFIG)


def test_an_official_split_with_every_artist_everywhere_is_called_leaky(songs: Path) -> None:
    dataset = build(songs, [(f"artist {number % 3}", SPLITS[number // 15]) for number in range(45)])
    assert dataset.document["split"] == {"group": "artist", "protocol": "leaky", "source": "official"}
    assert (dataset.protocol, dataset.group, dataset.leaky) == ("leaky", "track", True)
    touched = next(entry for entry in audit(dataset).shared if entry.kind == "artist" and entry.second == "test")
    assert (touched.tracks, touched.of) == (15, 15)
    summary = json.loads((dataset.folder / "summary.json").read_text())
    expected = "the splits leak: 30 of 30 tracks in valid and test are by an artist who is in another split, too"
    assert expected in summary["warnings"]
    again = fold_of_dataset(dataset, 0, n_folds=3)
    assert (again.protocol, again.group) == ("artist-disjoint", "artist")  # folds keep the artists apart


def test_a_claim_that_an_earlier_version_wrote_is_not_believed(songs: Path) -> None:
    dataset = build(songs, [(f"artist {number % 3}", SPLITS[number // 15]) for number in range(45)])
    document = json.loads((dataset.folder / "dataset.json").read_text())
    document["split"]["protocol"] = "artist-disjoint"
    (dataset.folder / "dataset.json").write_text(json.dumps(document))
    assert Dataset.open(dataset.folder).protocol == "leaky"


def test_one_known_artist_among_unknown_ones_is_no_claim(songs: Path) -> None:
    dataset = build(songs, [("Tarkan" if number == 0 else "", "") for number in range(45)])
    assert dataset.protocol == "artist-disjoint as far as known: 44 of 45 tracks have no artist"
    assert dataset.group == "track"


def test_spellings_of_a_name_stand_in_one_split(songs: Path) -> None:
    names = ["Beyoncé", "BEYONCE", "beyonce", "Sigur Rós", "sigur ros"]
    rows = [(names[number % 5] if number < 20 else f"artist {number}", "") for number in range(45)]
    dataset = build(songs, rows)
    placed = dataset.tracks.set_index("path")["split"]
    assert len({placed[f"{number:02d}.wav"] for number in range(20) if number % 5 < 3}) == 1
    assert len({placed[f"{number:02d}.wav"] for number in range(20) if number % 5 >= 3}) == 1
    assert dataset.protocol == "artist-disjoint"
    assert all(entry.shared == 0 for entry in audit(dataset).shared if entry.kind == "artist")


def test_rows_that_the_official_split_leaves_out_are_skipped_by_name(songs: Path) -> None:
    rows = [(f"artist {number}", SPLITS[number // 15] if number % 15 else "") for number in range(45)]
    dataset = build(songs, rows)
    assert dataset.document["split"]["source"] == "official"
    assert len(dataset.tracks) == 42
    skipped = (dataset.folder / "skipped.csv").read_text()
    assert skipped.count("left out by the official split") == 3
