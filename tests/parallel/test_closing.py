"""Leaving a loop over threads: what is closed, what is waited for, how many threads torch has afterwards."""

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import WeakSet

import pytest
import torch

from geoclass.inference.classifier import Classifier
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import closing_source, is_work_left, ordered_map
from geoclass.training.run import TrainResult


def songs(music: Path) -> list[Path]:
    return sorted(music.rglob("*.mp3"))


def test_the_source_is_closed_although_a_traceback_refers_to_it() -> None:
    closed: list[str] = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append("source")

    def fail(number: int) -> int:
        raise ValueError(number)

    items = source()
    with pytest.raises(ValueError, match="0"):
        list(ordered_map(fail, items, workers=2))
    assert closed == ["source"]


def test_what_can_be_read_on_is_not_closed() -> None:
    numbers = iter(range(10))
    with closing_source(numbers) as source:
        assert next(source) == 0
    assert next(numbers) == 1, "an iterator without anything to close"


def test_closing_waits_as_long_as_patience_lasts(
    monkeypatch: pytest.MonkeyPatch, started: Callable[[], set[threading.Thread]]
) -> None:
    # Other tests leave threads that never end: they are none of this one's.
    monkeypatch.setattr("geoclass.parallel.threads._left_alone", WeakSet())
    begun, end = threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number:
            begun.set()
            end.wait()
        return number

    results = ordered_map(work, range(4), workers=2, patience_s=0.05)
    assert next(results) == 0
    begun.wait()
    results.close()  # type: ignore[attr-defined]
    assert is_work_left()
    end.set()
    for thread in started():
        thread.join()
    assert not is_work_left()


def test_predict_many_closes_its_threads_and_its_source(
    small_run: TrainResult,
    music: Path,
    started: Callable[[], set[threading.Thread]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geoclass.inference.classifier.PATIENCE_S", math.inf)  # a machine that is busy needs more
    closed: list[str] = []

    def paths() -> Iterator[Path]:
        try:
            yield from songs(music)
        finally:
            closed.append("source")

    for batched in (False, True):
        classifier = Classifier(small_run.bundle, workers=2, batch_size=3)
        classifier._file_by_file = not batched
        answers = classifier.predict_many(paths())
        next(answers)
        answers.close()  # type: ignore[attr-defined]
        assert closed.pop() == "source"
        assert not started()


def test_who_reads_predictions_computes_on_as_many_threads_as_before(small_run: TrainResult, music: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        seen = []
        for _ in Classifier(small_run.bundle, workers=2).predict_many(songs(music)[:6]):
            seen.append(torch.get_num_threads())
        assert seen == [3] * 6
        fresh: list[int] = []
        thread = threading.Thread(target=lambda: fresh.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert fresh == [3], "threads to come too"
    finally:
        torch.set_num_threads(before)


def test_work_on_one_thread_computes_on_one() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert list(ordered_map(on_one_thread(lambda _: torch.get_num_threads()), range(4), workers=2)) == [1] * 4
        assert on_one_thread(lambda _: torch.get_num_threads())(0) == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
