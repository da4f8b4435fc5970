"""Which files the owner is asked about, and what becomes of the answers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from learn_helpers import GENRES, write_library
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.learning.ask import questions
from geoclass.learning.labels import Labels
from geoclass.learning.teach import Sounds, whitened
from geoclass.models.columns import Whiten
from geoclass.tagging.corrections import Corrections


def library_of(points: np.ndarray) -> tuple[Sounds, torch.Tensor]:
    """A file per point, and its rows whitened."""
    rows = torch.from_numpy(points.astype(np.float32))
    whitening = Whiten(points.shape[1], 8)
    whitening.prepare(rows)
    return Sounds(rows=rows, files=np.arange(len(points))), whitened(rows, whitening)


def nothing_known(**of_file: tuple[str, ...]) -> dict[str, Labels]:
    known = {int(index.removeprefix("f")): labels for index, labels in of_file.items()}
    return {"genre": Labels(task="genre", kind="single", names=("a", "b"), of_file=known, others=frozenset())}


def test_each_island_is_asked_about_once_and_labelled_ones_last() -> None:
    random = np.random.default_rng(0)
    islands = np.repeat(np.eye(6)[:4] * 20, 15, axis=0) + random.normal(0, 0.3, (60, 6))
    sounds, rows = library_of(islands)
    artists = [f"artist {index}" for index in range(60)]
    asked = questions(3, nothing_known(f0=("a",)), sounds, artists, rows=rows)
    assert sorted(question.song // 15 for question in asked) == [1, 2, 3]
    everywhere = questions(4, nothing_known(), sounds, artists, rows=rows)
    assert sorted(question.song // 15 for question in everywhere) == [0, 1, 2, 3]
    assert sum(question.stands_for for question in everywhere) == 60
    assert all(abs(question.stands_for - 15) <= 2 for question in everywhere)


def test_an_artist_is_asked_about_once_and_many_files_before_few() -> None:
    random = np.random.default_rng(1)
    directions = np.eye(6)[:3] * 20
    points = np.concatenate([directions[[0]], directions[[1]].repeat(2, 0), directions[[2]].repeat(9, 0)])
    sounds, rows = library_of(points + random.normal(0, 0.3, points.shape))
    artists = ["one", "two", "two", *["nine"] * 9]
    asked = questions(5, nothing_known(), sounds, artists, rows=rows)
    assert [artists[question.song] for question in asked] == ["nine", "two", "one"]
    assert [question.stands_for for question in asked] == [9, 2, 1]


def test_a_field_that_is_known_is_not_asked() -> None:
    random = np.random.default_rng(2)
    sounds, rows = library_of(random.normal(0, 1, (12, 5)))
    labels = nothing_known(**{f"f{index}": ("a",) for index in range(12)})
    assert questions(5, labels, sounds, [f"a{index}" for index in range(12)], rows=rows) == []
    labels["country"] = Labels(task="country", kind="single", names=(), of_file={3: ("TR",)}, others=frozenset({4}))
    asked = questions(20, labels, sounds, [f"a{index}" for index in range(12)], rows=rows)
    assert sorted(question.song for question in asked) == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]
    assert {question.fields for question in asked} == {("country",)}


def test_no_more_than_there_is(tmp_path: Path) -> None:
    sounds, rows = library_of(np.ones((3, 4)))
    assert len(questions(20, nothing_known(), sounds, ["a", "b", "b"], rows=rows)) <= 2
    assert questions(0, nothing_known(), sounds, ["a", "b", "c"], rows=rows) == []


@pytest.mark.parametrize("answer", ["answered", "quit"])
def test_answers_are_remembered_and_teach(tmp_path: Path, answer: str) -> None:
    write_library(tmp_path / "Music", artists=5, tracks=2, unlabelled=2)
    typed = "q\n" if answer == "quit" else "x-land\nTürkiye\nFolk, Blues\n" + "\n" * 20
    done = CliRunner().invoke(app, ["learn", str(tmp_path / "Music"), "--ask", "3"], input=typed)
    assert done.exit_code == 0, done.output
    assert "1 of 3" in done.output
    assert "before" in done.output
    values = Corrections.load()._values
    if answer == "quit":
        assert not values
        return
    assert "is not a country" in done.output
    assert sorted(values.values()) == [("Folk", "Blues"), ("TR",)]
    assert next(key for key in values if key.startswith("country of ")).endswith(("artist 3", "artist 4"))
    assert GENRES
