"""Which models a run loads, of `tag` and of the beets plugin alike."""

import pytest

from geoclass.evidence.registry import USUAL
from geoclass.tagging.models import load_classifier
from geoclass.tagging.policy import Policy


@pytest.mark.parametrize(
    ("policy", "tasks"),
    [
        (Policy(evidence=USUAL), ("genre",)),  # the built-in model of the country is never sure: its threshold is 1
        (Policy(evidence=("sound",)), ("country", "genre")),
        (Policy(evidence=("language", "words")), ("genre",)),
        (Policy(), ("country", "genre")),
        (Policy(evidence=USUAL, fields=("country",)), None),
    ],
)
def test_a_model_that_nobody_would_heed_is_not_loaded(policy: Policy, tasks: tuple[str, ...] | None) -> None:
    classifier = load_classifier([], policy, device="cpu")
    assert (classifier and classifier.tasks) == tasks


def test_a_model_that_is_named_is_asked_all_the_same() -> None:
    classifier = load_classifier(["country-traditional"], Policy(evidence=USUAL, fields=("country",)), device="cpu")
    assert classifier is not None
    assert classifier.tasks == ("country",)


def test_no_model_is_loaded_for_a_country_without_the_sound() -> None:
    deaf = Policy(evidence=("language", "words"), fields=("country",))
    assert load_classifier(["country-traditional"], deaf, device="cpu") is None
