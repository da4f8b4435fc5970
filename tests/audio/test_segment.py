"""Segments against positions counted by hand: each sample carries its own number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.audio.segment import cut_segments
from geoclass.errors import AudioError


def ramp(n_samples: int) -> np.ndarray:
    return np.arange(n_samples, dtype=np.float32)


def test_segments_are_adjacent_and_what_is_left_over_at_the_end_is_dropped() -> None:
    segments, starts_s = cut_segments(ramp(47), sample_rate=2, seconds=5.0)  # 10 samples each
    assert segments.tolist() == [[float(10 * row + column) for column in range(10)] for row in range(4)]
    assert starts_s == [0.0, 5.0, 10.0, 15.0]


def test_a_track_of_exactly_n_segments_gives_n() -> None:
    for n_samples, expected in ((29, 2), (30, 3), (31, 3), (39, 3), (40, 4)):
        segments, starts_s = cut_segments(ramp(n_samples), sample_rate=2, seconds=5.0)
        assert len(segments) == len(starts_s) == expected


def test_a_track_shorter_than_a_segment_is_repeated_and_not_padded() -> None:
    segments, starts_s = cut_segments(ramp(7), sample_rate=2, seconds=5.0)
    assert segments.tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 1.0, 2.0]]
    assert starts_s == [0.0]


@pytest.mark.parametrize(("n_samples", "seconds", "enough"), [
    (2_999, 5.0, False), (3_000, 5.0, True), (4_999, 5.0, True),
    (2_999, 3.0, False), (3_000, 3.0, True),
    (1_999, 2.0, False), (2_000, 2.0, True), (2_500, 2.0, True),  # one whole segment is enough, however short
])  # fmt: skip
def test_three_seconds_or_one_segment_are_needed(n_samples: int, seconds: float, enough: bool) -> None:
    if enough:
        segments, _ = cut_segments(ramp(n_samples), sample_rate=1_000, seconds=seconds)
        assert segments.shape == (1, round(1_000 * seconds))
    else:
        with pytest.raises(AudioError, match="too short"):
            cut_segments(ramp(n_samples), sample_rate=1_000, seconds=seconds)


def test_what_is_too_short_says_how_long_it_is() -> None:
    with pytest.raises(AudioError) as caught:
        cut_segments(ramp(1_260), sample_rate=1_000, seconds=5.0)
    assert caught.value.message.startswith("too short: 1.3 s of sound, ")
    assert "3 s" in caught.value.message.partition(", ")[2]


def test_a_segment_of_a_broken_number_of_samples_is_rounded_and_starts_stay_true() -> None:
    segments, starts_s = cut_segments(ramp(100), sample_rate=3, seconds=4.5)  # 13.5 samples: 14
    assert segments.shape == (7, 14)
    assert segments[3, 0] == 42
    assert starts_s == pytest.approx([14 * row / 3 for row in range(7)])


@settings(max_examples=200, deadline=None)
@given(n_samples=st.integers(30, 3_000), sample_rate=st.integers(1, 9), seconds=st.floats(0.4, 30))
def test_each_segment_is_the_sound_that_begins_where_it_says(n_samples: int, sample_rate: int, seconds: float) -> None:
    length = round(seconds * sample_rate)
    if not 1 <= length <= n_samples:
        return
    segments, starts_s = cut_segments(ramp(n_samples), sample_rate=sample_rate, seconds=seconds)
    assert len(segments) == len(starts_s) == n_samples // length
    for segment, start_s in zip(segments, starts_s, strict=True):
        assert segment[0] == pytest.approx(start_s * sample_rate)
        assert (np.diff(segment) == 1).all()
    assert np.unique(segments).size == segments.size  # no sample twice
