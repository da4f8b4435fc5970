"""Runs that end early, with a real model in a process of their own: they end, and say why."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from geoclass.inference.prediction import Prediction
from geoclass.tagging.apply import iter_apply
from geoclass.tagging.plan import iter_plan, plan_tags
from geoclass.tagging.policy import Policy

N_FILES = 16
LIMIT_S = 300  # for what hangs; an end takes a fraction of a second on a machine that is not busy


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Sounds that every model answers: five seconds of chords that change."""
    folder = tmp_path / "music"
    folder.mkdir()
    for index in range(N_FILES):
        time_s = np.arange(5 * 22_050) / 22_050
        pitch = 220 * 2 ** ((np.floor(time_s * 4) * 7 % 12 + index) / 12)
        sound = 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / 22_050) * (1 - time_s * 4 % 1)
        sound += np.random.default_rng(index).normal(0, 0.01, len(sound))
        soundfile.write(folder / f"{index:02d}.wav", sound, 22_050)
    return folder


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and stderr."""
    command = [sys.executable, "-m", "geoclass", *map(str, arguments)]
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False
    )
    return done.returncode, done.stderr


def test_a_journal_that_cannot_be_written_ends_the_run(music: Path, tmp_path: Path) -> None:
    """The models are still working when the first file cannot be written."""
    (tmp_path / "file").touch()
    old = {path: path.read_bytes() for path in music.iterdir()}
    journal = tmp_path / "file" / "journal"
    code, said = run("tag", music, "--min-confidence", 0, "--journal", journal)
    assert code == 3, said
    assert f"error: cannot write the journal {journal}: " in said
    assert "hint: no file is changed without a journal; name a writable folder" in " ".join(said.split())
    assert "Traceback" not in said
    assert {path: path.read_bytes() for path in music.iterdir()} == old


def test_a_full_disk_under_the_journal_ends_the_run(music: Path, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(256 * 2**10))
    old = {path: path.read_bytes() for path in music.iterdir()}
    code, said = run("tag", music, "--min-confidence", 0, "--journal", small_disk / "journal")
    assert code == 3, said
    assert "No space left" in said
    assert "free some space" in " ".join(said.split())
    assert {path: path.read_bytes() for path in music.iterdir()} == old
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


# ---- nobody waits for garbage collection ------------------------------------------------------------------------


class Reading:
    """A classifier whose iterator says whether it was closed."""

    model_id, tasks, never_sure = "fake 1 0123abcd", ("country", "genre"), ()

    def __init__(self) -> None:
        self.n_closed = self.n_asked = 0

    def predict_many(self, paths: object) -> Iterator[Prediction]:
        from tagging_helpers import FakeClassifier

        try:
            for answer in FakeClassifier().predict_many(paths):  # type: ignore[arg-type]
                self.n_asked += 1
                yield answer
        finally:
            self.n_closed += 1


@pytest.mark.parametrize("vote", ["none", "artist", "album"])
def test_a_plan_that_is_left_closes_the_classifier(make, vote: str) -> None:
    reading = Reading()
    plan = iter_plan(reading, paths=[make(f"{name}.mp3") for name in "abc"], policy=Policy(vote=vote))
    kept = [plan]  # somebody still refers to it
    next(plan)
    kept[0].close()
    assert reading.n_closed == 1


def test_writing_that_is_left_closes_the_plan(make, tmp_path: Path) -> None:
    reading = Reading()
    paths = [make(f"{index}.mp3") for index in range(40)]
    plan = iter_plan(reading, paths=paths)
    running = iter_apply(plan, journal=tmp_path / "journal")
    next(running)
    running.close()
    assert reading.n_closed == 1
    assert reading.n_asked < len(paths)
    with pytest.raises(StopIteration):
        next(plan)


def test_writing_that_fails_closes_the_plan(make, tmp_path: Path) -> None:
    from geoclass.errors import StorageError

    reading = Reading()
    plan = plan_tags(reading, paths=[make(f"{index}.mp3") for index in range(40)])
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as error:
        list(iter_apply(plan, journal=tmp_path / "file" / "journal"))
    assert reading.n_closed == 1
    assert error.traceback  # which still refers to every frame of the run
