"""Runs that end early, with a real model in a process of their own: they end at once, and say why."""

import subprocess
import sys
import threading
import time
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
START_S, END_S = 120.0, 10.0  # limits on a machine that may be busy; an end takes a fraction of a second


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


def run_until_error(*arguments: object) -> tuple[int, str, float]:
    """Exit code, stderr, and the seconds from the first line of the error to the end of the process."""
    command = [sys.executable, "-m", "geoclass", *map(str, arguments)]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(START_S, process.kill)
        watchdog.start()
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("error:"):
                break
        began_s = time.monotonic()
        watchdog.cancel()
        watchdog = threading.Timer(END_S, process.kill)
        watchdog.start()
        said += process.stderr.readlines()
        code = process.wait()
        watchdog.cancel()
    return code, "".join(said), time.monotonic() - began_s


def test_a_journal_that_cannot_be_written_ends_the_run(music: Path, tmp_path: Path) -> None:
    """The models are still working when the first file cannot be written."""
    (tmp_path / "file").touch()
    old = {path: path.read_bytes() for path in music.iterdir()}
    journal = tmp_path / "file" / "journal"
    code, said, seconds = run_until_error("tag", music, "--min-confidence", 0, "--journal", journal)
    assert code == 3, said
    assert f"error: cannot write the journal {journal}: " in said
    assert "hint: no file is changed without a journal; name a writable folder" in " ".join(said.split())
    assert "Traceback" not in said
    assert seconds < END_S
    assert {path: path.read_bytes() for path in music.iterdir()} == old


def test_a_full_disk_under_the_journal_ends_the_run(music: Path, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(256 * 2**10))
    old = {path: path.read_bytes() for path in music.iterdir()}
    code, said, seconds = run_until_error("tag", music, "--min-confidence", 0, "--journal", small_disk / "journal")
    assert code == 3, said
    assert "No space left" in said
    assert "free some space" in " ".join(said.split())
    assert seconds < END_S
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
