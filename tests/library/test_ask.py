"""Which files the owner is asked about, and what becomes of the answers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from learn_helpers import GENRES, write_library
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.library.ask import questions
from geoclass.library.labels import Labels
from geoclass.library.teach import Sounds
from geoclass.models.columns import Whiten
from geoclass.tagging.corrections import Corrections


def library_of(points: np.ndarray) -> tuple[Sounds, Whiten]:
    rows = torch.from_numpy(points.astype(np.float32))
    whitening = Whiten(points.shape[1], 8)
    whitening.prepare(rows)
    return Sounds(rows=rows, files=np.arange(len(points))), whitening


def nothing_known(**of_file: tuple[str, ...]) -> dict[str, Labels]:
    known = {int(index.removeprefix("f")): labels for index, labels in of_file.items()}
    return {"genre": Labels(task="genre", kind="single", names=("a", "b"), of_file=known, others=frozenset())}


def test_each_island_is_asked_about_once_and_labelled_files_never() -> None:
    random = np.random.default_rng(0)
    islands = np.repeat(np.eye(6)[:4] * 20, 15, axis=0) + random.normal(0, 0.3, (60, 6))
    sounds, whitening = library_of(islands)
    artists = [f"artist {index}" for index in range(60)]
    asked = questions(4, nothing_known(f0=("a",)), sounds, artists, whitening=whitening)
    assert sorted(question.song // 15 for question in asked) == [0, 1, 2, 3]
    assert 0 not in [question.song for question in asked]
    assert sum(question.stands_for for question in asked) == 59


def test_the_unsure_are_asked_before_the_sure_and_an_artist_once() -> None:
    random = np.random.default_rng(1)
    sounds, whitening = library_of(random.normal(0, 1, (40, 5)))
    sure = np.tile([[0.99, 0.01]], (40, 1))
    sure[30:] = 0.5
    artists = [f"artist {index // 2}" for index in range(40)]
    asked = questions(5, nothing_known(), sounds, artists, whitening=whitening, answers={"genre": sure})
    assert len({artists[question.song] for question in asked}) == len(asked) == 5
    assert np.mean([question.song >= 30 for question in asked]) > 0.5


def test_no_more_than_there_is(tmp_path: Path) -> None:
    sounds, whitening = library_of(np.ones((3, 4)))
    assert len(questions(20, nothing_known(), sounds, ["a", "b", "b"], whitening=whitening)) <= 2
    assert questions(0, nothing_known(), sounds, ["a", "b", "c"], whitening=whitening) == []


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
