"""Which models answer when none is named."""

from collections.abc import Mapping

import pytest

from geoclass.bundle.catalogue import BUILTIN, FORMAT, models_for
from geoclass.errors import BundleError
from geoclass.storage import data_dir, write_json


def learned(thresholds: Mapping[str, float]) -> None:
    """A model called `mine`, as far as the catalogue reads it."""
    folder = data_dir() / "models" / "mine"
    folder.mkdir(parents=True)
    calibration = {task: {"temperature": 1.0, "threshold": threshold} for task, threshold in thresholds.items()}
    document = {"labels": {task: ["a", "b"] for task in thresholds}, "calibration": calibration}
    write_json(folder / "bundle.json", document, format=FORMAT)


def names(*fields: str, unless_mute: tuple[str, ...] = ()) -> list[str]:
    return [folder.name for folder in models_for(fields, unless_mute=unless_mute)]


def test_the_built_in_models_answer_what_they_were_made_for() -> None:
    assert names("country", "genre") == ["country-traditional", "genre-gtzan"]
    assert names("genre") == ["genre-gtzan"]
    assert all(folder.parent == BUILTIN for folder in models_for(["country", "genre"]))
    with pytest.raises(BundleError, match="tempo"):
        models_for(["tempo"])


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ({"country": 0.99}, ["mine", "genre-gtzan"]),
        ({"country": 1.0}, ["genre-gtzan"]),
        ({"country": 1.0, "genre": 0.8}, ["mine"]),  # it is asked about the genre anyway
        ({"genre": 1.0}, ["mine"]),  # the field that only the sound answers
    ],
)
def test_a_model_that_is_never_sure_is_not_asked_where_others_answer(
    thresholds: Mapping[str, float], expected: list[str]
) -> None:
    learned(thresholds)
    assert names("country", "genre", unless_mute=("country",)) == expected


def test_where_nobody_else_answers_it_is_asked_all_the_same() -> None:
    learned({"country": 1.0})
    assert names("country") == ["mine"]
    assert names("country", unless_mute=("country",)) == [], "the built-in one is never sure either"
