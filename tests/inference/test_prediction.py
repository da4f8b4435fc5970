"""What a prediction says, and what of it would be written."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoclass.inference.prediction import OUTSIDE, FieldPrediction, Prediction


def answer(kind: str = "single", threshold: float = 0.5, /, **probabilities: float) -> FieldPrediction:
    return FieldPrediction(
        task="country",
        kind=kind,
        labels=tuple(probabilities),
        probabilities=np.array([*probabilities.values()], np.float32),
        threshold=threshold,
    )


def test_candidates_come_best_first_and_ties_in_the_order_of_the_model() -> None:
    assert answer(IN=0.25, TR=0.5, AF=0.25).candidates == (("TR", 0.5), ("IN", 0.25), ("AF", 0.25))


def test_none_of_these_is_no_candidate_and_lends_its_share_to_nobody() -> None:
    said = answer(**{"TR": 0.125, OUTSIDE: 0.75, "IN": 0.125})
    assert said.candidates == (("TR", 0.125), ("IN", 0.125))
    assert said.probability == 0.125
    assert said.value(min_probability=0.2) == ()
    assert OUTSIDE == "ZZ", "which ISO 3166-1 leaves to its users, and bundles on disk hold"


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=8), st.floats(0, 1, width=32))
def test_what_is_written_is_the_best_that_reaches_the_threshold(values: list[float], threshold: float) -> None:
    named = {f"L{index}": value for index, value in enumerate(values)}
    sure = {name for name, value in named.items() if value >= threshold}
    assert set(answer("multi", threshold, **named).value()) == sure
    single = answer("single", threshold, **named)
    assert single.probability == max(values)
    written = single.value()
    assert len(written) == min(1, len(sure))
    assert all(named[name] == max(values) for name in written)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_confidence_that_is_asked_for_takes_the_place_of_the_models_own(kind: str) -> None:
    said = answer(kind, 0.7, Folk=0.75, Jazz=0.25)
    assert said.value() == ("Folk",)
    assert said.value(min_probability=0.75) == ("Folk",), "what just reaches it is written"
    assert said.value(min_probability=0.76) == ()
    assert said.value(min_probability=0.0) == (("Folk",) if kind == "single" else ("Folk", "Jazz"))


def test_a_prediction_says_no_more_than_it_was_asked() -> None:
    said = Prediction(path=Path("a.mp3"), fields={})
    assert (said.note, said.embedding) == ("", None)
