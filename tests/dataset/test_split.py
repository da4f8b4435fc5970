"""Splits: a partition, disjoint by group, the same for any order, each label wherever its groups allow."""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.dataset.balance import surplus
from geoclass.dataset.split import SPLITS, empty_cells, merge_groups, split_groups, split_segments
from geoclass.errors import DatasetError

FRACTIONS = {"valid_fraction": 0.15, "test_fraction": 0.15}
items = st.lists(
    st.tuples(st.integers(0, 30).map("artist {}".format), st.sampled_from(["TR", "VN", "IN", "IR"])),
    min_size=12,
    max_size=200,
).filter(lambda pairs: len({group for group, _ in pairs}) >= 3)


@settings(max_examples=150, deadline=None)
@given(pairs=items, seed=st.integers(0, 5))
def test_no_group_stands_on_two_sides(pairs: list[tuple[str, str]], seed: int) -> None:
    groups, labels = zip(*pairs, strict=True)
    splits = split_groups(groups, labels, seed=seed, **FRACTIONS)
    sides = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        sides[group].add(split)
    assert all(len(side) == 1 for side in sides.values())
    assert set(splits) <= set(SPLITS)
    assert len(splits) == len(groups)


@settings(max_examples=100, deadline=None)
@given(pairs=items, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(pairs: list[tuple[str, str]], shuffle: random.Random) -> None:
    def by_group(pairs: list[tuple[str, str]]) -> dict[str, str]:
        groups, labels = zip(*pairs, strict=True)
        return dict(zip(groups, split_groups(groups, labels, seed=1, **FRACTIONS), strict=True))

    shuffled = list(pairs)
    shuffle.shuffle(shuffled)
    assert by_group(pairs) == by_group(shuffled)


@settings(max_examples=100, deadline=None)
@given(pairs=items)
def test_a_label_with_groups_of_its_own_is_in_every_split(pairs: list[tuple[str, str]]) -> None:
    pairs = [(f"{label} {group}", label) for group, label in pairs]  # no group has two labels
    groups, labels = zip(*pairs, strict=True)
    splits = split_groups(groups, labels, seed=0, **FRACTIONS)
    for label in set(labels):
        n_groups = len({group for group, own in pairs if own == label})
        present = {split for split, own in zip(splits, labels, strict=True) if own == label}
        assert len(present) == min(3, n_groups)
        assert "train" in present


def test_sizes_come_close_to_the_fractions() -> None:
    rng = random.Random(0)
    pairs = [(f"a{rng.randrange(400)}", rng.choice("ABC")) for _ in range(3000)]
    groups = [f"{group}{label}" for group, label in pairs]
    labels = [label for _, label in pairs]
    splits = split_groups(groups, labels, seed=0, **FRACTIONS)
    for label in "ABC":
        counts = Counter(split for split, own in zip(splits, labels, strict=True) if own == label)
        assert counts["test"] / sum(counts.values()) == pytest.approx(0.15, abs=0.02)
        assert counts["valid"] / sum(counts.values()) == pytest.approx(0.15, abs=0.02)


def test_items_with_a_key_in_common_are_one_group() -> None:
    keys = [["id 1", "name x"], ["id 2", "name x"], ["id 2", "name y"], ["id 3", "name z"], ["track 9"]]
    groups = merge_groups(keys)
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups)) == 3
    assert merge_groups(keys[::-1]) == groups[::-1]


def test_another_seed_gives_another_split() -> None:
    groups, labels = [f"a{n}" for n in range(60)], ["TR", "VN"] * 30
    assert split_groups(groups, labels, seed=0, **FRACTIONS) != split_groups(groups, labels, seed=1, **FRACTIONS)


def test_two_artists_cannot_fill_three_splits() -> None:
    with pytest.raises(DatasetError, match="2 group"):
        split_groups(["a", "b", "a"], ["TR", "VN", "TR"], seed=0, **FRACTIONS)


def test_segments_are_dealt_out_by_label_and_without_order() -> None:
    names, labels = [f"s{n}" for n in range(200)], ["TR"] * 120 + ["VN"] * 80
    splits = split_segments(names, labels, seed=0, **FRACTIONS)
    counts = Counter(zip(labels, splits, strict=True))
    assert counts["TR", "test"] == counts["TR", "valid"] == 18
    assert counts["VN", "test"] == counts["VN", "valid"] == 12
    backwards = split_segments(names[::-1], labels[::-1], seed=0, **FRACTIONS)
    assert backwards[::-1] == splits


def test_balancing_evens_out_the_training_split_alone() -> None:
    labels = ["TR"] * 10 + ["VN"] * 4 + ["TR"] * 5
    splits = ["train"] * 14 + ["test"] * 5
    gone = surplus([f"t{n}" for n in range(19)], labels, splits, seed=0)
    assert len(gone) == 6
    assert all(labels[index] == "TR" and splits[index] == "train" for index in gone)


def test_missing_cells_are_named() -> None:
    assert empty_cells(["TR", "TR", "VN", "TR"], ["train", "valid", "train", "test"]) == {
        "valid": ["VN"],
        "test": ["VN"],
    }
