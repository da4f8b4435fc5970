"""What a model heard, as one witness among others: what is left to countries that it has no word for."""

import numpy as np
import pytest

from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, background, country_index
from geoclass.evidence.sound import CONFIDENCE, opinions
from geoclass.inference.prediction import OUTSIDE, FieldPrediction


def heard(threshold: float = 0.5, /, **probabilities: float) -> Facts:
    return Facts(
        heard=FieldPrediction(
            task="country",
            kind="single",
            labels=tuple(probabilities),
            threshold=threshold,
            probabilities=np.array([*probabilities.values()], np.float32),
        )
    )


def share(found: Opinion, code: str) -> float:
    return dict(found.says(300))[code]


def prior(code: str) -> float:
    return float(background()[country_index()[code]])


def test_who_was_not_asked_or_hears_none_of_its_countries_says_nothing() -> None:
    assert list(opinions(Facts())) == []
    assert list(opinions(heard(**{OUTSIDE: 1.0}))) == []
    assert list(opinions(heard(**{"TR": 0.0, OUTSIDE: 1.0}))) == []


def test_what_a_model_takes_for_none_of_its_countries_is_left_to_all() -> None:
    (found,) = opinions(heard(**{"TR": 0.5, "IN": 0.2, OUTSIDE: 0.3}))
    assert share(found, "TR") == pytest.approx(0.5 + 0.3 * prior("TR"), abs=1e-6)
    assert share(found, "IN") == pytest.approx(0.2 + 0.3 * prior("IN"), abs=1e-6)
    assert share(found, "VN") == pytest.approx(0.3 * prior("VN"), abs=1e-6)


def test_a_model_that_was_never_taught_silence_is_not_believed_to_the_end() -> None:
    """Three of a hundred are left to all countries, in proportion."""
    (found,) = opinions(heard(TR=0.75, IN=0.25))
    assert share(found, "TR") == pytest.approx(0.97 * 0.75 + 0.03 * prior("TR"), abs=1e-6)
    assert share(found, "IN") == pytest.approx(0.97 * 0.25 + 0.03 * prior("IN"), abs=1e-6)
    (modest,) = opinions(heard(**{"TR": 0.96, OUTSIDE: 0.04}))
    assert share(modest, "TR") == pytest.approx(0.96 + 0.04 * prior("TR"), abs=1e-6), "who leaves more, leaves that"


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.9])
def test_a_threshold_up_to_nine_of_ten_changes_nothing(threshold: float) -> None:
    (found,) = opinions(heard(threshold, **{"TR": 0.6, OUTSIDE: 0.4}))
    assert share(found, "TR") == pytest.approx(0.6 + 0.4 * prior("TR"), abs=1e-6)


@pytest.mark.parametrize("threshold", [0.92, 0.95, 0.99])
def test_a_higher_one_is_where_the_promise_begins(threshold: float) -> None:
    """What reaches the model's own threshold reaches 0.9, and a probability p becomes p to the power that does that."""
    power = np.log(0.9) / np.log(threshold)
    for probability in (threshold, 0.8, 0.4):
        (found,) = opinions(heard(threshold, **{"TR": probability, OUTSIDE: 1 - probability}))
        tempered = min(0.97, probability**power)
        assert share(found, "TR") == pytest.approx(tempered + (1 - tempered) * prior("TR"), abs=1e-4)
    assert CONFIDENCE == 0.9, "the promise: nine of ten"


def test_a_model_that_never_is_right_enough_is_hardly_heard() -> None:
    (found,) = opinions(heard(1.0, **{"TR": 0.9, OUTSIDE: 0.1}))
    assert share(found, "TR") < 0.9 ** (np.log(0.9) / np.log(0.999)) + 2 * prior("TR")


def test_the_reason_names_the_likeliest_country() -> None:
    (found,) = opinions(heard(IN=0.3, TR=0.6, XX=0.1))
    assert (found.witness, found.clue, found.because) == ("sound", "sound", "it sounds like Türkiye")
    assert share(found, "TR") == pytest.approx(0.6 + 0.1 * prior("TR"), abs=1e-6), "XX is no country"
