"""Who goes where: the official split and when it is used, drawn splits, balancing, and splits that would be empty."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.config.settings import BuildConfig
from geoclass.corpora.base import Track
from geoclass.dataset.placement import UNUSED, Segment, place_segments, place_tracks
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
    return [own._replace(split=("train", "valid", "test")[number % 3]) for number, own in enumerate(tracks)]


def test_the_official_split_is_used_as_it_is() -> None:
    tracks = with_official(tracks_of(9))
    placed = place_tracks(tracks, BuildConfig())
    assert placed.tracks == tracks
    assert (placed.source, placed.left_out) == ("official", [])


def test_tracks_that_the_official_split_leaves_out_are_left_out_by_name() -> None:
    tracks = with_official(tracks_of(9))
    tracks[4] = tracks[4]._replace(split="")
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
    unplaced = [own._replace(split="") for own in tracks]
    placed = place_tracks([*tracks[:-1], unplaced[-1]], config)
    assert placed.source == source
    assert len(placed.tracks) == len(tracks)  # also the one without an official split
    assert placed.tracks == place_tracks(unplaced, config).tracks  # the official one has no part in it


def test_an_official_split_without_test_tracks_is_not_used() -> None:
    tracks = [own._replace(split="valid" if own.split == "test" else own.split) for own in with_official(tracks_of(12))]
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


def artists_of_splits(tracks: list[Track]) -> list[set[str]]:
    return [{own.artist for own in tracks if own.split == split} for split in ("train", "valid", "test")]


def test_a_name_with_two_ids_is_one_artist() -> None:
    tracks = [own._replace(artist_id=f"id {number}") for number, own in enumerate(tracks_of(18, each=4))]
    train, valid, test = artists_of_splits(place_tracks(tracks, BuildConfig()).tracks)
    assert train.isdisjoint(valid)
    assert train.isdisjoint(test)
    assert valid.isdisjoint(test)


def test_tracks_without_an_artist_are_dealt_out_one_by_one() -> None:
    tracks = [track(number, country=COUNTRIES[number % 3]) for number in range(60)]
    by_artist, by_track = (place_tracks(tracks, BuildConfig(group=group)).tracks for group in ("artist", "track"))
    assert Counter(own.split for own in by_artist) == Counter(own.split for own in by_track)
    assert min(Counter(own.split for own in by_artist).values()) >= 8


@pytest.mark.parametrize("group", ["artist", "track", "segment"])
@pytest.mark.parametrize("balance", ["none", "downsample", "segments"])
def test_no_seed_is_seed_0_and_another_seed_places_otherwise(group: str, balance: str) -> None:
    tracks = [*tracks_of(15, each=4), *[track(900 + n, artist=f"more {n}") for n in range(20)]]

    def placed(seed: int | None) -> list[tuple[str, float, str]]:
        config = BuildConfig(seed=seed, group=group, balance=balance)  # type: ignore[arg-type]
        placement = place_tracks(tracks, config)
        segments = [Segment(own, 5.0 * part, 0.0, own.split) for own in placement.tracks for part in range(2)]
        done = place_segments(segments, config, source=placement.source)
        return [(segment.track.track_id, segment.start_s, segment.split) for segment in done]

    assert placed(None) == placed(0)
    assert placed(0) != placed(1)
    assert placed(7) != placed(0)


@pytest.mark.parametrize("balance", ["downsample", "segments"])
def test_what_balancing_leaves_out_depends_on_the_seed_alone(balance: str) -> None:
    """One split, two seeds: the split is drawn by hand, so that only the balancing can differ."""
    segments = [
        Segment(track(number, country="TR" if number % 4 else "VN"), 0.0, 0.0, ("train", "valid", "test")[number % 3])
        for number in range(90)
    ]
    chosen = []
    for seed in (0, 1):
        placed = place_segments(segments, BuildConfig(seed=seed, balance="segments"), source=f"seed {seed}")
        chosen.append({segment.track.track_id for segment in placed if segment.split == UNUSED})
    assert len(chosen[0]) == len(chosen[1]) > 0
    assert chosen[0] != chosen[1]


def test_balancing_segments_evens_out_training_and_touches_nothing_else() -> None:
    tracks = place_tracks(
        [*tracks_of(12, each=4), *[track(900 + n, artist=f"m {n}") for n in range(40)]], BuildConfig()
    )
    segments = [Segment(own, 5.0 * part, 0.0, own.split) for own in tracks.tracks for part in range(3)]
    config = BuildConfig(balance="segments")
    placed = place_segments(segments, config, source="seed 0")
    assert [(s.track, s.start_s) for s in placed] == [(s.track, s.start_s) for s in segments]
    before = Counter(segment.track.country for segment in segments if segment.split == "train")
    after = Counter(segment.track.country for segment in placed if segment.split == "train")
    assert before["TR"] > min(before.values())
    assert after == dict.fromkeys(COUNTRIES, min(before.values()))
    for old, new in zip(segments, placed, strict=True):
        assert new.split == old.split or (old.split, new.split) == ("train", UNUSED)
    shuffled = place_segments(segments[::-1], config, source="seed 0")
    assert {(s.track.track_id, s.start_s, s.split) for s in shuffled} == {
        (s.track.track_id, s.start_s, s.split) for s in placed
    }


def test_which_segments_go_is_drawn_among_the_segments_of_a_track_and_its_shifted_copies() -> None:
    """Each segment of a track has a chance of its own: no track is left out whole, or kept whole, as a rule."""
    many = [
        Segment(track(n), 5.0 * part, shift, "train") for n in range(30) for part in range(2) for shift in (0.0, 2.0)
    ]
    few = [Segment(track(500 + n, country="VN"), 0.0, 0.0, "train") for n in range(60)]
    others = [Segment(track(900 + n), 0.0, 0.0, split) for n, split in enumerate(("valid", "test"))]
    placed = place_segments([*many, *few, *others], BuildConfig(balance="segments"), source="seed 0")
    left = Counter(segment.track.track_id for segment in placed[: len(many)] if segment.split == "train")
    assert sum(left.values()) == 60
    assert len(set(left.values())) > 2
    by_part = Counter((s.start_s, s.shift) for s in placed[: len(many)] if s.split == "train")
    assert len(by_part) == 4


def test_tracks_are_evened_out_although_their_segments_are_placed_later() -> None:
    tracks = [*tracks_of(9), *[track(900 + n, artist=f"more {n}") for n in range(20)]]
    placed = place_tracks(tracks, BuildConfig(group="segment", balance="downsample"))
    assert Counter(own.country for own in placed.tracks) == dict.fromkeys(COUNTRIES, 9)
    assert {own.split for own in placed.tracks} == {""}
    assert len(placed.left_out) == 20
    other = place_tracks(tracks, BuildConfig(group="segment", balance="downsample", seed=1))
    assert {item.track_id for item in other.left_out} != {item.track_id for item in placed.left_out}


def test_nothing_is_evened_out_unasked() -> None:
    tracks = [*tracks_of(12), *[track(900 + n, artist=f"more {n}") for n in range(40)]]
    placed = place_tracks(tracks, BuildConfig())
    assert (len(placed.tracks), placed.left_out) == (len(tracks), [])
    segments = [Segment(own, 0.0, 0.0, own.split) for own in placed.tracks]
    assert place_segments(segments, BuildConfig(), source="seed 0") == segments


def test_splits_are_stratified_by_the_first_task_and_the_first_of_several_genres() -> None:
    tracks = [
        Track(track_id=f"t{n:03d}", artist=f"a{n}", country=COUNTRIES[n % 3], genre="Rock", genres=(genre, "Rock"))
        for n, genre in enumerate(["Folk", "Jazz", "Polka"] * 40)
    ]
    config = BuildConfig(task="genre,country", multi_label=True, balance="downsample")
    placed = place_tracks(tracks, config).tracks
    for split in ("train", "valid", "test"):
        sizes = Counter(own.genres[0] for own in placed if own.split == split)
        assert max(sizes.values()) - min(sizes.values()) <= 1
    uneven = [own._replace(genres=("Folk" if n % 4 else "Polka", "Rock")) for n, own in enumerate(tracks)]
    left = [own for own in place_tracks(uneven, config).tracks if own.split == "train"]
    sizes = Counter(own.genres[0] for own in left)
    assert sizes["Folk"] == sizes["Polka"]
    countries = Counter(own.country for own in left)
    assert sum(countries.values()) == 2 * sizes["Folk"], "the second task is not balanced"


def test_the_way_out_of_an_empty_split_fits_how_it_was_made() -> None:
    with pytest.raises(DatasetError) as by_segment:
        place_segments([Segment(track(0), 0.0, 0.0, "")], BuildConfig(group="segment"), source="seed 0")
    hint = by_segment.value.hint or ""
    overrides = [word.partition("=") for word in hint.split() if "=" in word]
    assert {name for name, _, _ in overrides} == {"valid_fraction", "test_fraction"}
    larger = BuildConfig(**{name: float(value) for name, _, value in overrides})
    assert larger.valid_fraction > BuildConfig().valid_fraction
    assert larger.test_fraction > BuildConfig().test_fraction
    official = [Segment(own, 0.0, 0.0, own.split) for own in with_official(tracks_of(9)) if own.split == "train"]
    with pytest.raises(DatasetError, match="no tracks are left for the valid and the test split") as caught:
        place_segments(official, BuildConfig(), source="official")
    assert (caught.value.hint or "").startswith("--seed 0 ")
    with pytest.raises(DatasetError) as by_artist:
        place_segments(official, BuildConfig(), source="seed 0")
    assert "--group track" in (by_artist.value.hint or "")
    assert (by_artist.value.hint or "").startswith("add recordings of more artists")
