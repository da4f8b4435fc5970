"""Splits: a partition, disjoint by group, the same for any order, each label wherever its groups allow."""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.dataset.balance import surplus
from geoclass.dataset.split import artist_keys, empty_cells, hash_key, merge_groups, split_groups, split_segments
from geoclass.errors import DatasetError
from geoclass.vocabulary import SPLITS

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
    with pytest.raises(DatasetError, match=r"^2 groups of tracks cannot fill 3 splits$") as caught:
        split_groups(["a", "b", "a"], ["TR", "VN", "TR"], seed=0, **FRACTIONS)
    assert caught.value.hint == "add recordings of other artists, or split by --group track"


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


# ---- by hand: which group goes where --------------------------------------------------------------------------


def sizes_of(groups: list[str], labels: list[str], *, valid: float, test: float) -> dict[str, str]:
    splits = split_groups(groups, labels, valid_fraction=valid, test_fraction=test, seed=0)
    return dict(zip(groups, splits, strict=True))


def test_the_largest_group_is_placed_before_the_small_ones() -> None:
    """Twelve tracks, six of them by one artist. Placed last, that artist would make ten training tracks."""
    groups = ["a big one"] * 6 + [f"b{n}" for n in range(6)]
    placed = sizes_of(groups, ["TR"] * 12, valid=0.25, test=0.25)
    assert placed["a big one"] == "train"
    assert Counter(placed[group] for group in groups) == {"train": 6, "valid": 3, "test": 3}


def test_what_is_wanted_equally_goes_to_validation_before_test() -> None:
    """Nine artists of one track: 1.8, 3.6 and 3.6 are wanted; the last one finds validation and test 0.6 short each."""
    groups = [f"a{n}" for n in range(9)]
    placed = sizes_of(groups, ["TR"] * 9, valid=0.4, test=0.4)
    assert Counter(placed.values()) == {"train": 2, "valid": 4, "test": 3}


def test_a_group_with_several_labels_goes_where_its_rarest_is_wanting() -> None:
    """Of 18 Z tracks validation has 8 and wants 2.8 more, training wants 5.4; of the A tracks validation wants most."""
    groups = ["z1"] + ["z2"] * 8 + ["both"] * 10 + [f"a{n}" for n in range(30)]
    labels = ["Z"] * 9 + ["Z"] * 9 + ["A"] + ["A"] * 30
    placed = sizes_of(groups, labels, valid=0.6, test=0.1)
    assert (placed["z1"], placed["z2"], placed["both"]) == ("test", "valid", "train")


def test_the_smallest_groups_of_a_label_are_tested_and_validate() -> None:
    groups = ["a"] * 1 + ["b"] * 2 + ["c"] * 5
    assert sizes_of(groups, ["TR"] * 8, valid=0.15, test=0.15) == {"a": "test", "b": "valid", "c": "train"}
    assert sizes_of(["a", "b", "b", "c"], ["TR", "TR", "TR", "VN"], valid=0.2, test=0.2)["b"] == "train"


def test_sequences_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError):
        split_groups(["a", "b", "c", "d"], ["TR"] * 3, seed=0, **FRACTIONS)
    with pytest.raises(ValueError):
        empty_cells(["TR"] * 3, ["train"] * 4)


def test_names_that_are_not_utf_8_are_shuffled_too() -> None:
    assert hash_key(0, "caf\udce9") != hash_key(0, "caf")
    assert len({hash_key(seed, "a") for seed in range(5)}) == 5


def test_segments_of_a_label_are_dealt_out_by_their_own_fractions() -> None:
    names = [f"s{n}" for n in range(100)]
    splits = split_segments(names, ["TR"] * 60 + ["VN"] * 40, valid_fraction=0.1, test_fraction=0.3, seed=0)
    assert Counter(splits[:60]) == {"train": 36, "valid": 6, "test": 18}
    assert Counter(splits[60:]) == {"train": 24, "valid": 4, "test": 12}
    assert splits != split_segments(names, ["TR"] * 60 + ["VN"] * 40, valid_fraction=0.1, test_fraction=0.3, seed=1)


# ---- artists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("1", "Beyoncé"), ("2", "BEYONCE"), True),  # one name, two ids
        (("1", "Beyoncé"), ("", "beyonce"), True),
        (("", "Sigur Rós"), ("", "sigur  ros"), True),
        (("1", "A"), ("1", "B"), True),  # one id, two names
        (("1", "!!!"), ("2", "???"), False),
        (("1", ""), ("2", ""), False),
        (("", ""), ("", ""), False),  # unknown artists stand alone
        (("TR/artist 1", "Artist 1"), ("CN/artist 1", "Artist 1"), False),
        (("TR/artist 1", "Artist 1"), ("TR/artist 1", "artist 1"), True),
        (("7", "x"), ("", "7"), False),  # a name is no id
    ],
)
def test_who_is_one_artist(one: tuple[str, str], other: tuple[str, str], same: bool) -> None:
    first, second = merge_groups([artist_keys("t1", *one), artist_keys("t2", *other)])
    assert (first == second) == same


def test_artists_are_joined_over_any_number_of_keys() -> None:
    keys = [["n9"], ["n8", "n9"], ["n7", "n8"], ["n1", "n7"], ["n5"], ["n5", "n6"]]
    assert merge_groups(keys) == ["n1"] * 4 + ["n5"] * 2
