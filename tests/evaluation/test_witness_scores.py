"""What each witness is worth, on opinions that are made up."""

import pytest

from geoclass.evaluation.witnesses import Statements, WitnessScore, score_witnesses
from geoclass.evidence.opinion import Opinion, opinion

CLUES = {"language": "title", "sound": "sound", "words": "genre words"}


def says(witness: str, country: str, probability: float) -> Opinion:
    return opinion(witness, CLUES[witness], {country: probability}, "made up")


def scores(files: list[Statements], *, confidence: float = 0.9) -> dict[str, WitnessScore]:
    return {score.witnesses: score for score in score_witnesses(files, confidence=confidence)}


def test_each_witness_alone_all_but_it_and_all() -> None:
    found = scores([
        Statements(truth="TR", opinions=(says("language", "TR", 0.999), says("sound", "TR", 0.6))),
        Statements(truth="GR", opinions=(says("language", "TR", 0.999), says("words", "GR", 0.9999))),
        Statements(truth="JP", opinions=(says("sound", "CN", 0.6),)),
        Statements(truth="FR", opinions=()),
    ])  # fmt: skip
    assert list(found) == [
        "language alone", "words alone", "sound alone", "all but language", "all but words", "all but sound", "all",
    ]  # fmt: skip
    assert all(score.files == 4 for score in found.values())
    spoke = {name: (score.spoke, score.right) for name, score in found.items()}
    assert spoke["language alone"] == (2, 1)
    assert spoke["words alone"] == (1, 1)
    assert spoke["sound alone"] == (2, 1)
    assert spoke["all but language"] == (3, 2)
    assert spoke["all but words"] == (3, 1)
    assert spoke["all"][0] == 3


def test_written_is_what_reaches_the_confidence() -> None:
    files = [
        Statements(truth="TR", opinions=(says("words", "TR", 0.9999),)),
        Statements(truth="GR", opinions=(says("words", "TR", 0.9999),)),
    ]
    (surely,) = scores(files, confidence=0.5).values()
    assert (surely.written, surely.written_right, surely.right) == (2, 1, 1)
    (never,) = scores(files, confidence=1.01).values()
    assert (never.written, never.written_right, never.right) == (0, 0, 1)


def test_two_witnesses_are_not_left_out_one_by_one() -> None:
    both = Statements(truth="TR", opinions=(says("language", "TR", 0.9), says("sound", "TR", 0.6)))
    assert list(scores([both])) == ["language alone", "sound alone", "all"]


@pytest.mark.parametrize("files", [[], [Statements(truth="TR", opinions=())]])
def test_where_nobody_spoke_there_is_nothing_to_score(files: list[Statements]) -> None:
    assert score_witnesses(files) == ()
