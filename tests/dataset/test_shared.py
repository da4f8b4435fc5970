"""What two splits share, counted by hand: recordings, artists, albums, titles, and rows that are equal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from geoclass.config.frontends import StatisticsConfig
from geoclass.dataset.audit import AuditResult, audit, leaking_tracks
from geoclass.dataset.copies import Copy, find_copies
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.shared_names import Shared

Make = Callable[..., Dataset]
LABELS = {"country": ("FR", "DE")}


def track(name: str, split: str, **more: Any) -> dict[str, Any]:
    """A track whose row is like no other's."""
    row = [float(sum(map(ord, name))), float(len(name)), float(ord(name[-1]))]
    return {"track_id": name, "path": f"{name}.mp3", "split": split, "country": "FR", "rows": [row]} | more


def between(result: AuditResult, first: str = "train", second: str = "test") -> dict[str, Shared]:
    return {entry.kind: entry for entry in result.shared if (entry.first, entry.second) == (first, second)}


def test_every_pair_of_splits_is_looked_at_and_said_to_be_clean(write_dataset: Make) -> None:
    tracks = [track(f"{split}{n}", split) for split in ("train", "valid", "test") for n in range(2)]
    result = audit(write_dataset(tracks, labels=LABELS))
    assert {(entry.first, entry.second) for entry in result.shared} == {
        ("train", "valid"), ("train", "test"), ("valid", "test"),
    }  # fmt: skip
    assert list(between(result)) == ["recording", "artist", "album", "title", "sound"]
    assert all((entry.shared, entry.tracks, entry.of, entry.examples) == (0, 0, 2, ()) for entry in result.shared)
    assert result.clean
    assert (result.group, result.note) == ("track", ""), "nobody knows the artists"


def test_a_split_without_tracks_has_nothing_to_share(write_dataset: Make) -> None:
    dataset = write_dataset([track("a", "train"), track("b", "valid")], labels=LABELS)
    result = audit(dataset)
    assert {(entry.first, entry.second) for entry in result.shared} == {("train", "valid")}
    assert leaking_tracks(dataset, result, split="test") == {}


def test_a_recording_is_known_by_its_path(write_dataset: Make) -> None:
    tracks = [track("a", "train", path="x/1.mp3"), track("b", "test", path="x/1.mp3"), track("c", "test", path="")]
    tracks += [track("d", "train", path=""), track("e", "valid", path="y.mp3")]
    result = audit(write_dataset(tracks, labels=LABELS))
    found = between(result)["recording"]
    assert (found.shared, found.tracks, found.of, found.examples) == (1, 1, 2, ("x/1.mp3",))
    assert not result.clean


def test_segments_of_one_track_on_two_sides_are_one_recording(write_dataset: Make) -> None:
    dataset = write_dataset([track("a", "train"), track("b", "test", rows=[[1, 2, 3], [4, 5, 6]])], labels=LABELS)
    dataset.segments.loc[dataset.segments["track_id"] == "b", "split"] = ["train", "test"]
    found = between(audit(dataset))
    assert (found["recording"].tracks, found["recording"].of) == (1, 1)
    assert found["sound"].shared == 0, "told by its name already"


def test_artists_are_told_by_id_and_by_name(write_dataset: Make) -> None:
    tracks = [
        track("a", "train", artist_id="1", artist="Béla Fleck"),
        track("b", "train", artist_id="2", artist="Abba"),
        track("c", "train"),
        track("d", "test", artist_id="9", artist="BELA FLECK"),
        track("e", "test", artist_id="2", artist="Björn"),
        track("f", "test", artist_id="2", artist="Abba"),
        track("g", "test", artist_id="3", artist="Somebody"),
        track("h", "test"),
    ]
    dataset = write_dataset(tracks, labels=LABELS)
    result = audit(dataset)
    found = between(result)["artist"]
    assert (found.shared, found.tracks, found.of) == (3, 3, 5)
    assert found.examples == ("abba", "artist 2", "bela fleck")  # by name, where the name is what they share
    assert leaking_tracks(dataset, result, split="test")["artist"] == {"d", "e", "f"}


def test_an_album_is_its_artists(write_dataset: Make) -> None:
    tracks = [
        track("a", "train", artist="A", album="Live"),
        track("b", "train", artist="B", album=""),
        track("c", "test", artist="a", album="LIVE!"),
        track("d", "test", artist="B", album="Live"),
        track("e", "test", artist="B", album=" "),
    ]
    dataset = write_dataset(tracks, labels=LABELS)
    result = audit(dataset)
    assert (between(result)["album"].tracks, between(result)["album"].examples) == (1, ("a: live",))
    assert leaking_tracks(dataset, result, split="test")["album"] == {"c"}


def test_a_title_is_no_leak_and_titles_that_say_nothing_are_none(write_dataset: Make) -> None:
    common = ("", "Untitled", "Intro", "outro", "INTERLUDE", "Track")
    tracks = [track(f"a{n}", "train", title=title) for n, title in enumerate((*common, "Blue Train"))]
    tracks += [track(f"b{n}", "test", title=title) for n, title in enumerate((*common, "blue train!"))]
    dataset = write_dataset(tracks, labels=LABELS)
    result = audit(dataset)
    found = between(result)["title"]
    assert (found.shared, found.tracks, found.examples) == (1, 1, ("blue train",))
    assert result.clean
    assert set(leaking_tracks(dataset, result, split="test")) == {"recording", "artist", "album", "sound"}


def test_five_examples_stand_for_many(write_dataset: Make) -> None:
    tracks = [track(f"{split}{n}", split, artist=f"artist {n}") for split in ("train", "test") for n in range(9)]
    found = between(audit(write_dataset(tracks, labels=LABELS)))["artist"]
    assert (found.shared, found.tracks) == (9, 9)
    assert found.examples == tuple(f"artist {n}" for n in range(5))


# ---- rows that are equal ----------------------------------------------------------------------------------------


def rows(n: int, *, seed: int = 0) -> list[list[float]]:
    return np.random.default_rng(seed).normal(size=(n, 4)).tolist()


@pytest.fixture
def copied(write_dataset: Make) -> Dataset:
    """`b` has a row of `a`, `d` one of `b` and two of `c`; `e` is nearly `a`, `f` is its own shifted copy."""
    a, b, c, d, other = rows(5)
    tracks = [
        track("a", "train", rows=[a, b]),
        track("c", "train", rows=[c, d]),
        track("b", "valid", rows=[b]),
        track("d", "test", rows=[d, c, b]),
        track("e", "test", rows=[[value * 1.001 for value in a]]),
        track("f", "test", rows=[other]),
    ]
    return write_dataset(tracks, labels=LABELS)


def test_equal_rows_are_copies_whichever_splits_they_stand_in(copied: Dataset) -> None:
    result = audit(copied)
    assert [(copy.first, copy.second, copy.first_track, copy.second_track) for copy in result.copies] == [
        ("train", "test", "a", "d"),
        ("train", "test", "c", "d"),  # once, although two rows are equal
        ("train", "valid", "a", "b"),
        ("valid", "test", "b", "d"),
    ]
    assert {copy.similarity for copy in result.copies} == {1.0}
    sound = between(result)["sound"]
    assert (sound.shared, sound.tracks, sound.of) == (2, 1, 3)
    assert sound.examples == ("d = a (1.00)", "d = c (1.00)")
    assert leaking_tracks(copied, result, split="test")["sound"] == {"d"}
    assert leaking_tracks(copied, result, split="valid")["sound"] == {"b"}
    assert not result.clean


def test_shifted_copies_are_not_compared(copied: Dataset) -> None:
    copied.segments.loc[copied.segments["track_id"] == "a", "shift"] = 2.0
    assert {copy.first_track for copy in audit(copied).copies} == {"b", "c"}


def test_each_segment_is_compared_with_so_many_of_the_other_side(copied: Dataset) -> None:
    """4 training, 1 validation and 5 test segments; of fewer than are asked for, all."""
    assert audit(copied, neighbours=1).compared == 1 + 5 + 5
    assert audit(copied, neighbours=3).compared == 3 + 15 + 5
    assert audit(copied, neighbours=100).compared == 4 + 20 + 5


def test_progress_counts_every_segment_once(copied: Dataset) -> None:
    calls: list[tuple[int, int | None]] = []
    audit(copied, progress=lambda n, *, total=None, **_: calls.append((n, total)))
    assert [total for _, total in calls if total is not None] == [10]
    assert sum(n for n, _ in calls) == 10


def test_copies_of_two_splits_alone(copied: Dataset) -> None:
    found = find_copies(copied, splits=("train", "valid"), same=0.9, neighbours=5, progress=None)
    assert found.between("train", "valid") == list(found.found) == [
        Copy(first="train", second="valid", first_track="a", second_track="b", similarity=1.0)
    ]  # fmt: skip
    assert found.between("valid", "train") == []


def test_other_features_are_not_compared_and_it_is_said(write_dataset: Make) -> None:
    config = StatisticsConfig()
    n_columns = len(config.columns)
    tracks = [track(name, split, rows=[[1.0] * n_columns]) for name, split in (("a", "train"), ("b", "test"))]
    result = audit(write_dataset(tracks, labels=LABELS, front_end=config))
    assert (result.copies, result.compared) == ((), 0)
    assert "statistics features" in result.note
