"""Who goes where: the official split and when it is used, drawn splits, balancing, and splits that would be empty."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.config.settings import BuildConfig
from geoclass.corpora.base import Track
from geoclass.dataset.placement import Segment, place_segments, place_tracks
from geoclass.errors import DatasetError

COUNTRIES = ("TR", "VN", "IN")


def track(number: int, *, artist: str = "", country: str = "TR", split: str = "") -> Track:
    return Track(track_id=f"t{number:04d}", artist_id=artist, artist=artist, country=country, split=split)


def tracks_of(n_artists: int, each: int = 3, split: str = "") -> list[Track]:
    """Artists in three countries in turn."""
    return [
        track(each * artist + song, artist=f"artist {artist}", country=COUNTRIES[artist % 3], split=split)
        for artist in range(n_artists)
        for song in range(each)
    ]


def with_official(tracks: list[Track]) -> list[Track]:
    return [replace(own, split=("train", "valid", "test")[number % 3]) for number, own in enumerate(tracks)]


def test_the_official_split_is_used_as_it_is() -> None:
    tracks = with_official(tracks_of(9))
    placed = place_tracks(tracks, BuildConfig())
    assert placed.tracks == tracks
    assert (placed.source, placed.left_out) == ("official", [])


def test_tracks_that_the_official_split_leaves_out_are_left_out_by_name() -> None:
    tracks = with_official(tracks_of(9))
    tracks[4] = replace(tracks[4], split="")
    placed = place_tracks(tracks, BuildConfig())
    assert placed.tracks == tracks[:4] + tracks[5:]
    assert [(item.track_id, item.reason) for item in placed.left_out] == [("t0004", "left out by the official split")]


@pytest.mark.parametrize(
    ("config", "source"),
    [
        (BuildConfig(seed=0), "seed 0"),
        (BuildConfig(seed=7), "seed 7"),
        (BuildConfig(group="track"), "seed 0"),
        (BuildConfig(group="segment"), "seed 0"),
    ],
)
def test_a_seed_or_another_group_draws_a_split_instead(config: BuildConfig, source: str) -> None:
    tracks = with_official(tracks_of(12))
    unplaced = [replace(own, split="") for own in tracks]
    placed = place_tracks([*tracks[:-1], unplaced[-1]], config)
    assert placed.source == source
    assert len(placed.tracks) == len(tracks)  # also the one without an official split
    assert placed.tracks == place_tracks(unplaced, config).tracks  # the official one has no part in it


def test_an_official_split_without_test_tracks_is_not_used() -> None:
    tracks = [replace(own, split="valid" if own.split == "test" else own.split) for own in with_official(tracks_of(12))]
    placed = place_tracks(tracks, BuildConfig())
    assert placed.source == "seed 0"
    assert {own.split for own in placed.tracks} == {"train", "valid", "test"}


@settings(max_examples=40, deadline=None)
@given(n_artists=st.integers(9, 40), seed=st.integers(0, 9), group=st.sampled_from(["artist", "track"]))
def test_a_drawn_split_is_a_partition_that_keeps_its_groups_whole(n_artists: int, seed: int, group: str) -> None:
    tracks = tracks_of(n_artists)
    placed = place_tracks(tracks, BuildConfig(seed=seed, group=group)).tracks  # type: ignore[arg-type]
    assert [own.track_id for own in placed] == [own.track_id for own in tracks]
    splits_of_artist: dict[str, set[str]] = {}
    for own in placed:
        splits_of_artist.setdefault(own.artist_id, set()).add(own.split)
    assert {own.split for own in placed} == {"train", "valid", "test"}
    if group == "artist":
        assert all(len(splits) == 1 for splits in splits_of_artist.values())


def test_each_split_has_its_own_fraction() -> None:
    tracks = [track(number, country=COUNTRIES[number % 3]) for number in range(1_000)]
    config = BuildConfig(group="track", valid_fraction=0.1, test_fraction=0.3)
    sizes = Counter(own.split for own in place_tracks(tracks, config).tracks)
    assert sizes["valid"] == pytest.approx(100, abs=6)
    assert sizes["test"] == pytest.approx(300, abs=6)
    segments = [Segment(own, 5.0 * part, 0.0, "") for own in tracks[:300] for part in range(2)]
    placed = place_segments(segments, replace(config, group="segment"), source="seed 0")
    sizes = Counter(segment.split for segment in placed)
    assert (sizes["valid"], sizes["test"], sizes["train"]) == (60, 180, 360)


def test_ungrouped_segments_of_one_track_come_into_several_splits() -> None:
    tracks = place_tracks(tracks_of(12), BuildConfig(group="segment")).tracks
    assert {own.split for own in tracks} == {""}
    segments = [Segment(own, 5.0 * part, 0.0, own.split) for own in tracks for part in range(6)]
    placed = place_segments(segments, BuildConfig(group="segment"), source="seed 0")
    splits_of_track: dict[str, set[str]] = {}
    for segment in placed:
        splits_of_track.setdefault(segment.track.track_id, set()).add(segment.split)
    assert any(len(splits) == 3 for splits in splits_of_track.values())


def test_segments_stay_with_their_track_unless_they_are_the_group() -> None:
    tracks = place_tracks(tracks_of(12), BuildConfig()).tracks
    segments = [
        Segment(own, 5.0 * part, shift, own.split) for own in tracks for part in range(2) for shift in (0.0, 2.0)
    ]
    assert place_segments(segments, BuildConfig(), source="seed 0") == segments


def test_downsampling_leaves_training_tracks_of_frequent_labels_out() -> None:
    tracks = [*tracks_of(12, each=4), *[track(900 + n, artist=f"more {n}", country="TR") for n in range(40)]]
    plain = place_tracks(tracks, BuildConfig()).tracks
    placed = place_tracks(tracks, BuildConfig(balance="downsample"))
    train = Counter(own.country for own in placed.tracks if own.split == "train")
    assert len(set(train.values())) == 1
    assert set(train.values()) == {min(Counter(own.country for own in plain if own.split == "train").values())}
    assert {item.reason for item in placed.left_out} == {"balance: its label has enough tracks"}
    assert len(placed.left_out) + len(placed.tracks) == len(tracks)
    assert [own for own in placed.tracks if own.split != "train"] == [own for own in plain if own.split != "train"]


@pytest.mark.parametrize(
    ("tracks", "config", "message", "hint"),
    [
        (
            tracks_of(3),
            BuildConfig(),
            "no tracks are left for the valid and the test split",
            "three per label are enough",
        ),
        (
            [track(n, country=COUNTRIES[n]) for n in range(3)],
            BuildConfig(group="track"),
            "valid and the test",
            "add rec",
        ),
    ],
)
def test_a_split_that_would_be_empty_is_refused(
    tracks: list[Track], config: BuildConfig, message: str, hint: str
) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        place_tracks(tracks, config)
    assert hint in (caught.value.hint or "")


def test_an_official_split_that_decoding_empties_is_refused_with_the_way_out() -> None:
    segments = [Segment(own, 0.0, 0.0, own.split) for own in with_official(tracks_of(9)) if own.split != "valid"]
    with pytest.raises(DatasetError, match="no tracks are left for the valid split") as caught:
        place_segments(segments, BuildConfig(), source="official")
    assert "--seed 0" in (caught.value.hint or "")


def test_too_few_segments_to_deal_out_are_refused() -> None:
    segments = [Segment(own, 0.0, 0.0, "") for own in tracks_of(3, each=1)]
    with pytest.raises(DatasetError, match="no tracks are left for the valid and the test split") as caught:
        place_segments(segments, BuildConfig(group="segment"), source="seed 0")
    assert "valid_fraction" in (caught.value.hint or "")
