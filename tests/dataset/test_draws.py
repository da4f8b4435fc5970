"""Random numbers of a sample: uniform, independent, and the same wherever the sample is met."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geoclass.dataset.draws import Draws, nth_keys, occurrences, segment_keys

N = 20_000


def keys(n: int) -> np.ndarray:
    return segment_keys([f"track {number}" for number in range(n // 4)], np.arange(n) // 4)


def test_they_are_uniform() -> None:
    drawn = Draws(keys(N), seed=0, epoch=0).uniform("gain")
    assert stats.kstest(drawn, "uniform").statistic < 0.012
    bits = (drawn[:, None] * 2.0 ** np.arange(1, 33)).astype(np.int64) % 2
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.02, "every bit"


def test_neighbours_uses_epochs_and_seeds_are_independent() -> None:
    one = Draws(keys(N), seed=0, epoch=0).uniform("gain")
    others = [
        Draws(keys(N), seed=0, epoch=0).uniform("mixup"),
        Draws(keys(N), seed=0, epoch=1).uniform("gain"),
        Draws(keys(N), seed=1, epoch=0).uniform("gain"),
        np.roll(one, 1),
    ]
    for other in others:
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    assert abs(np.corrcoef(one[:-4:4], one[1:-3:4])[0, 1]) < 0.05, "segments of one track"


@given(st.permutations(range(12)))
def test_a_sample_has_its_numbers_in_any_company(order: list[int]) -> None:
    whole = Draws(keys(12), seed=5, epoch=2).uniform("gain")
    np.testing.assert_array_equal(Draws(keys(12)[order], seed=5, epoch=2).uniform("gain"), whole[order])


def test_a_key_is_that_of_the_track_and_its_segment_not_of_the_row() -> None:
    forward = segment_keys(["a", "b"], np.array([0, 0, 1, 1, 1]))
    backward = segment_keys(["b", "a"], np.array([0, 0, 0, 1, 1]))
    np.testing.assert_array_equal(forward, np.r_[backward[3:], backward[:3]])
    assert len(set(forward.tolist())) == 5


def test_numbers_are_pinned() -> None:
    """A run that is resumed by a later version draws what the earlier one would have drawn."""
    assert Draws(segment_keys(["a"], np.array([0, 0])), seed=0, epoch=0).uniform("gain").round(6).tolist() == PINNED


PINNED = [0.176399, 0.869565]


@given(st.lists(st.integers(0, 4), max_size=30))
def test_occurrences_count_what_came_before(values: list[int]) -> None:
    expected = [values[:place].count(value) for place, value in enumerate(values)]
    assert occurrences(np.array(values, np.int64)).tolist() == expected


def test_what_comes_again_has_another_key() -> None:
    again = nth_keys(np.full(50, 7, np.uint64), np.arange(50))
    assert again[0] == 7
    assert len(set(again.tolist())) == 50
