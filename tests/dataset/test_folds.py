"""Folds: each artist in one of them under every spelling, shifted copies in training only."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.config.frontends import TableConfig
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import to_dict
from geoclass.dataset.dataset import SEGMENT_COLUMNS, TRACK_COLUMNS, Dataset
from geoclass.dataset.folds import deal_folds, fold_of_dataset
from geoclass.errors import DatasetError, UsageError
from geoclass.storage import write_json

N_ARTISTS, N_FOLDS = 18, 4


def write(
    folder: Path,
    *,
    group: str = "artist",
    shifts: tuple[float, ...] = (0.0,),
    same_name: bool = False,
    task: str = "country",
    fingerprint: str = "f",
) -> Dataset:
    """18 artists from two countries, two tracks of two segments each; the row of a segment is its own number."""
    tracks, segments = [], []
    for number in range(2 * N_ARTISTS):
        artist = number // 2
        name = ("Beyoncé", "BEYONCE")[artist % 2] if same_name and artist < 2 else f"name {artist}"
        split = ("train", "train", "valid", "test")[artist % 4]
        tracks.append({
            "track_id": f"t{number:02d}", "artist_id": str(artist), "artist": name, "split": split,
            "country": ("FR", "DE")[artist % 2], "genres": ("Folk|Rock", "Jazz|Folk")[artist // 2 % 2],
        })  # fmt: skip
        for shift in shifts if split == "train" else (0.0,):
            segments += [(f"t{number:02d}", start_s, shift, split) for start_s in (0.0, 5.0)]
    (folder / "features" / "f").mkdir(parents=True)
    rows = np.arange(len(segments), dtype=np.float32)[:, None] ** 2
    np.save(folder / "features" / "f" / "features.npy", rows)
    table = pd.DataFrame([{column: track.get(column, "") for column in TRACK_COLUMNS} for track in tracks])
    table.to_csv(folder / "tracks.csv", index=False)
    pd.DataFrame(segments, columns=SEGMENT_COLUMNS).to_csv(folder / "features" / "f" / "segments.csv", index=False)
    config = BuildConfig(
        task=task, multi_label=task == "genre", group=group, front_end=TableConfig(columns=("number",)),
    )  # type: ignore[arg-type]  # fmt: skip
    document = {
        "build": to_dict(config), "labels": {task: {"country": ["DE", "FR"], "genre": ["Folk", "Jazz", "Rock"]}[task]},
        "fingerprint": fingerprint * 64, "features": "f",
        "split": {"group": group, "protocol": "artist-disjoint", "source": "official"}, "counts": {"tracks": 36},
        "normalization": {"mean": [0.0], "std": [1.0]},
    }  # fmt: skip
    write_json(folder / "dataset.json", document, format="geoclass/dataset")
    return Dataset.open(folder)


def folds_of(dataset: Dataset, *, seed: int = 0) -> list[Dataset]:
    return [fold_of_dataset(dataset, number, n_folds=N_FOLDS, seed=seed) for number in range(N_FOLDS)]


def test_each_segment_is_tested_once_and_validates_once(tmp_path: Path) -> None:
    dataset = write(tmp_path)
    splits = np.array([fold.segments["split"].to_numpy() for fold in folds_of(dataset)])
    assert ((splits == "test").sum(axis=0) == 1).all()
    assert ((splits == "valid").sum(axis=0) == 1).all()
    assert ((splits == "train").sum(axis=0) == N_FOLDS - 2).all()
    for number in range(N_FOLDS):  # what validates in a fold is tested in the next
        assert ((splits[number] == "valid") == (splits[(number + 1) % N_FOLDS] == "test")).all()


@pytest.mark.parametrize("column", ["artist_id", "track_id"])
def test_no_artist_stands_in_two_splits_of_a_fold(tmp_path: Path, column: str) -> None:
    dataset = write(tmp_path, group={"artist_id": "artist", "track_id": "track"}[column])
    tracks = dataset.tracks.set_index("track_id", drop=False)
    for fold in folds_of(dataset):
        held = pd.DataFrame(
            {"of": tracks.loc[fold.segments["track_id"], column].to_numpy(), "in": fold.segments["split"]}
        )
        assert (held.groupby("of")["in"].nunique() == 1).all()
    if column == "track_id":  # two tracks of an artist may part
        held["artist"] = tracks.loc[fold.segments["track_id"], "artist_id"].to_numpy()
        assert (held.groupby("artist")["in"].nunique() > 1).any()


@pytest.mark.parametrize("task", ["country", "genre"])
def test_each_fold_tests_as_many_artists_of_each_label(tmp_path: Path, task: str) -> None:
    """Nine artists a country; ten and eight by their first genre: two or three of each in each of four folds."""
    dataset = write(tmp_path, task=task)
    tracks = dataset.tracks.set_index("track_id")
    label = tracks["country"] if task == "country" else tracks["genres"].map(lambda genres: genres.split("|")[0])
    for seed in range(6):
        for fold in folds_of(dataset, seed=seed):
            tested = Counter(label[fold.segments["track_id"][fold.segments["split"] == "test"]])
            assert len(tested) == 2
            assert set(tested.values()) <= {8, 12}


def test_a_fold_of_a_leaky_split_keeps_artists_apart_and_says_so(tmp_path: Path) -> None:
    dataset = write(tmp_path)
    dataset.tracks["artist_id"] = dataset.tracks["artist"] = [str(number % 9) for number in range(2 * N_ARTISTS)]
    assert dataset.protocol == "leaky"
    fold = fold_of_dataset(dataset, 0, n_folds=3)
    assert (fold.protocol, dataset.protocol) == ("artist-disjoint", "leaky")


def test_segments_are_dealt_out_singly_when_they_are_the_group(tmp_path: Path) -> None:
    fold = fold_of_dataset(write(tmp_path, group="segment"), 0, n_folds=3)
    assert (fold.segments.groupby("track_id")["split"].nunique() > 1).any()
    assert (fold.protocol, fold.group) == ("leaky", "segment")


def test_two_spellings_of_a_name_stand_in_one_fold(tmp_path: Path) -> None:
    dataset = write(tmp_path, same_name=True)
    for seed in range(5):
        for fold in folds_of(dataset, seed=seed):
            own = fold.segments[fold.segments["track_id"].isin(["t00", "t01", "t02", "t03"])]
            assert own["split"].nunique() == 1
            assert fold.protocol == "artist-disjoint"


def test_shifted_copies_are_trained_on_and_neither_validate_nor_are_tested(tmp_path: Path) -> None:
    plain, dataset = write(tmp_path / "plain"), write(tmp_path / "shifted", shifts=(0.0, 2.0, -2.0))
    for fold, without in zip(folds_of(dataset), folds_of(plain), strict=True):
        shifted = fold.segments["shift"] != 0
        assert set(fold.segments["split"][shifted]) == {"train", "unused"}
        assert "unused" not in set(fold.segments["split"][~shifted])
        side = dict(zip(without.segments["track_id"], without.segments["split"], strict=True))
        placed = fold.segments["split"][shifted].to_numpy()
        expected = [side[track] for track in fold.segments["track_id"][shifted]]
        # Copies have no part in where a track goes, and stay with it.
        assert placed.tolist() == [split if split == "train" else "unused" for split in expected]
        assert len(fold.split("train").segment_ids) > len(without.split("train").segment_ids)


def test_normalization_is_that_of_the_training_rows_of_the_fold(tmp_path: Path) -> None:
    dataset = write(tmp_path)
    before = dataset.mean.copy()
    for fold in folds_of(dataset):
        rows = np.arange(len(fold.segments), dtype=np.float64)[(fold.segments["split"] == "train").to_numpy()] ** 2
        assert fold.mean == pytest.approx([rows.mean()], rel=1e-5)
        assert fold.std == pytest.approx([rows.std()], rel=1e-5)
    assert (dataset.mean == before).all()


def test_a_fold_has_a_name_of_its_own_and_leaves_the_data_set_as_it_was(tmp_path: Path) -> None:
    dataset = write(tmp_path)
    splits = dataset.segments["split"].tolist()
    prints = {fold.fingerprint for seed in (0, 1) for fold in folds_of(dataset, seed=seed)}
    prints |= {fold_of_dataset(dataset, 0, n_folds=3).fingerprint, dataset.fingerprint}
    prints.add(fold_of_dataset(write(tmp_path / "other", fingerprint="e"), 0, n_folds=3).fingerprint)
    assert len(prints) == 2 * N_FOLDS + 3
    assert dataset.segments["split"].tolist() == splits
    fold = fold_of_dataset(dataset, 2, n_folds=N_FOLDS, seed=5)
    assert fold.document["split"]["source"] == "fold 3 of 4, seed 5"
    assert fold.document["split"]["group"] == "artist"
    assert dataset.document["split"]["source"] == "official"
    assert fold.folder == dataset.folder


def test_another_seed_deals_the_artists_out_otherwise(tmp_path: Path) -> None:
    dataset = write(tmp_path)
    one, other = (folds_of(dataset, seed=seed)[0].segments["split"].tolist() for seed in (0, 1))
    assert one != other
    assert one == folds_of(dataset)[0].segments["split"].tolist()  # seed 0 by default


@pytest.mark.parametrize(("number", "n_folds", "message"), [
    (0, 2, "2 folds cannot be divided"), (0, 0, "0 folds"), (0, -3, "-3 folds"),
    (3, 3, "there is no fold 3 of 3"), (-1, 3, "there is no fold -1 of 3"), (0, 19, "18 groups of tracks"),
])  # fmt: skip
def test_folds_that_cannot_be_are_refused(tmp_path: Path, number: int, n_folds: int, message: str) -> None:
    with pytest.raises((UsageError, DatasetError), match=f"^{message}") as caught:
        fold_of_dataset(write(tmp_path), number, n_folds=n_folds)
    expected = {0: "--folds 3 or more", 3: "numbered 0 to 2", -1: "numbered 0 to 2"}[number]
    assert (expected if n_folds != 19 else "give --folds 18") in (caught.value.hint or "")


def test_two_groups_have_no_folds_at_all() -> None:
    with pytest.raises(DatasetError, match="2 groups") as caught:
        deal_folds(["a", "b", "a"], ["x", "y", "x"], n_folds=3, seed=0)
    assert caught.value.hint == "add recordings of other artists"


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 6), st.sampled_from("AB")), min_size=9, max_size=40),
    n_folds=st.integers(3, 5),
    seed=st.integers(0, 3),
)
def test_folds_hold_whole_groups_of_nearly_equal_number(sizes: list[tuple[int, str]], n_folds: int, seed: int) -> None:
    groups = [f"g{number}" for number, (size, _) in enumerate(sizes) for _ in range(size)]
    labels = [label for size, label in sizes for _ in range(size)]
    folds = deal_folds(groups, labels, n_folds=n_folds, seed=seed)
    of_group: dict[str, set[int]] = {}
    for group, fold in zip(groups, folds, strict=True):
        of_group.setdefault(group, set()).add(fold)
    assert all(len(found) == 1 for found in of_group.values())
    assert set(folds) == set(range(n_folds))
    largest = max(size for size, _ in sizes)
    for label in set(labels):
        held = Counter(fold for fold, own in zip(folds, labels, strict=True) if own == label)
        counts = [held[fold] for fold in range(n_folds)]
        assert max(counts) - min(counts) <= largest
    backwards = deal_folds(groups[::-1], labels[::-1], n_folds=n_folds, seed=seed)
    assert backwards[::-1] == folds


def test_the_largest_group_goes_first_and_a_mixed_group_by_its_most_frequent_label() -> None:
    groups = ["big"] * 5 + ["mixed"] * 3 + ["b1", "b2"]
    labels = ["A"] * 5 + ["A", "B", "B"] + ["B", "B"]
    folds = dict(zip(groups, deal_folds(groups, labels, n_folds=3, seed=0), strict=True))
    assert folds["big"] == 0
    assert folds["mixed"] == 1  # fold 0 has no B either, but more tracks
    assert {folds["b1"], folds["b2"]} == {0, 2}  # folds without B, the emptier first
