"""What may be written: which fields there are, and how sure one must be."""

import pytest
from tag_entries import field

from geoclass.errors import UsageError
from geoclass.tagging.policy import Policy

SHY, BOLD = (field("country", {"TR": 0.97}, threshold=threshold) for threshold in (0.96, 0.55))
POOLS = ("language", "sound")


def test_by_default_both_fields_are_filled_and_nothing_is_overwritten() -> None:
    assert (Policy().fields, Policy().overwrite) == (("country", "genre"), frozenset())
    assert not Policy().pools
    assert Policy(evidence=POOLS).pools


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"fields": ("mood",)}, "mood"),
        ({"fields": ("country", "tempo", "mood")}, "mood, tempo"),
        ({"overwrite": frozenset({"key"})}, "key"),
        ({"fields": ("mood",), "overwrite": frozenset({"key"})}, "key, mood"),
        ({"fields": ()}, "none"),
    ],
)
def test_fields_that_do_not_exist_are_named(options: dict, named: str) -> None:
    with pytest.raises(UsageError) as error:
        Policy(**options)
    assert error.value.message == f"fields: expected country or genre, found {named}"


@pytest.mark.parametrize("fields", [("country",), ("genre",), ("genre", "country")])
def test_fields_that_exist_are_fine(fields: tuple[str, ...]) -> None:
    assert Policy(fields=fields, overwrite=frozenset(fields)).fields == fields


def test_a_model_alone_is_believed_from_its_own_threshold_on() -> None:
    assert Policy().threshold(SHY) == 0.96
    assert Policy().threshold(BOLD) == 0.55
    assert Policy().threshold(None) == 0.9


def test_together_nine_of_ten_must_be_right_and_a_shy_model_stays_shy() -> None:
    together = Policy(evidence=POOLS)
    assert together.threshold(SHY) == 0.96
    assert together.threshold(BOLD) == 0.9
    assert together.threshold(None) == 0.9


@pytest.mark.parametrize("evidence", [None, POOLS])
@pytest.mark.parametrize("asked", [0.0, 0.3, 1.0])
def test_whoever_asks_for_a_confidence_gets_it(evidence: tuple[str, ...] | None, asked: float) -> None:
    policy = Policy(evidence=evidence, min_confidence=asked)
    assert [policy.threshold(answer) for answer in (SHY, BOLD, None)] == [asked] * 3


@pytest.mark.parametrize(
    ("evidence", "others"),
    [(None, False), (("sound",), False), (POOLS, True), (("sound", "codes"), True), (("language",), True)],
)
def test_others_are_all_witnesses_but_the_sound(evidence: tuple[str, ...] | None, others: bool) -> None:
    assert Policy(evidence=evidence).asks_others is others
    assert Policy(evidence=evidence).asks_sound is (evidence is not None and "sound" in evidence)
