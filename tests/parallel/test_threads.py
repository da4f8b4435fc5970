"""How many threads work, how far they read ahead, what becomes of errors, limits, and work that nobody waits for."""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from weakref import WeakSet, ref

import pytest
from standing_clock import Clock

from geoclass.parallel import threads
from geoclass.parallel.threads import default_workers, is_work_left, ordered_map

LIMIT_S = 300  # for what happens at once, on a machine that is busy


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests leave threads that never end: they are none of these ones'."""
    monkeypatch.setattr(threads, "_left_alone", WeakSet())
    monkeypatch.setattr(threads, "_open_pools", WeakSet())


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """What work waits for that does not end by itself."""
    event = threading.Event()
    yield event
    event.set()


def close(results: Iterator[object]) -> None:
    results.close()  # type: ignore[attr-defined]


def read_before_the_first_result(**options: int) -> int:
    read: list[int] = []
    results = ordered_map(str, (read.append(number) or number for number in range(1_000)), **options)
    assert next(results) == "0"
    close(results)
    return len(read)


def test_the_cores_of_this_process_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: {1, 5, 9}}[process], raising=False)
    assert default_workers() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert default_workers() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_workers() == 1


def test_four_items_per_thread_are_under_way_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_before_the_first_result(workers=3) == 12
    assert read_before_the_first_result(workers=3, ahead=1) == 1
    monkeypatch.setattr(threads, "default_workers", lambda: 5)
    assert read_before_the_first_result() == 20


def test_so_many_threads_work_as_were_asked_for() -> None:
    together, running, most = threading.Barrier(3), 0, 0
    lock = threading.Lock()

    def meet(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(LIMIT_S)  # three at once, or nobody goes on
        with lock:
            running -= 1
        return number

    assert list(ordered_map(meet, range(12), workers=3)) == list(range(12))
    assert most == 3


def test_no_more_threads_are_started_than_there_is_work(started: Callable[[], set[threading.Thread]]) -> None:
    results = ordered_map(lambda number: len(started()), range(2), workers=8)
    assert max(results) <= 2


def test_threads_do_not_keep_the_process_from_ending() -> None:
    """And are told from others by their name."""
    (found,) = ordered_map(lambda _: threading.current_thread(), [None], workers=1)
    assert found is not threading.current_thread()
    assert (found.daemon, found.name) == (True, "geoclass")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_a_thread_raises_comes_out_of_the_loop(error: type[BaseException]) -> None:
    def fail(number: int) -> int:
        if number == 3:
            raise error("three")
        return number

    results = ordered_map(fail, range(9), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(error, match="three"):
        next(results)


def test_what_has_not_begun_is_dropped(end: threading.Event, started: Callable[[], set[threading.Thread]]) -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number:
            end.wait(LIMIT_S)
        return number

    results = ordered_map(work, range(9), workers=1, ahead=9, patience_s=0.01)
    assert next(results) == 0
    while len(begun) < 2:
        pass
    close(results)
    end.set()
    for thread in started():
        thread.join(LIMIT_S)
    assert begun == [0, 1]


def test_results_are_let_go_when_they_were_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Semaphore(0)

    class Line(SimpleQueue):  # type: ignore[type-arg]
        def get(self) -> object:
            asked.release()
            return super().get()

    class Large:
        pass

    monkeypatch.setattr(threads, "SimpleQueue", Line)
    results = ordered_map(lambda _: Large(), range(3), workers=1, ahead=1)
    found = next(results)
    gone = ref(found)
    del found
    for _ in range(2):
        assert asked.acquire(timeout=LIMIT_S)
    gc.collect()
    assert gone() is None, "although its thread still waits for work"
    close(results)


def test_a_limit_counts_from_the_beginning_of_an_items_work_and_not_from_its_place_in_the_line(
    clock: Clock,
) -> None:
    def work(number: int) -> int:
        clock.now_s += 10  # 40 of them take longer than the limit
        return number

    found = list(ordered_map(work, range(40), workers=1, ahead=40, time_limit_s=300, overdue=lambda number: -1))
    assert found == list(range(40))


def test_a_limit_without_an_answer_for_what_is_overdue_is_none(end: threading.Event) -> None:
    def work(number: int) -> int:
        end.wait(0.1)
        return number

    assert list(ordered_map(work, range(2), workers=2, time_limit_s=0.01)) == [0, 1]


def test_what_is_overdue_is_left_to_its_thread_and_others_take_its_place(clock: Clock, end: threading.Event) -> None:
    def hang(number: int) -> int:
        if number < 3:
            clock.move()
            end.wait(LIMIT_S)
        return number

    results = ordered_map(hang, range(6), workers=1, time_limit_s=0.05, overdue=lambda number: 100 + number)
    assert not is_work_left()
    assert next(results) == 100
    assert is_work_left()
    assert list(results) == [101, 102, 3, 4, 5]
    assert len(threads._left_alone) == 3
    end.set()
    for thread in list(threads._left_alone):
        thread.join(LIMIT_S)
    assert not is_work_left()


@pytest.mark.parametrize("options", [{"patience_s": 0.01}, {"time_limit_s": 0.01, "overdue": str}])
@pytest.mark.usefixtures("clock")
def test_leaving_waits_no_longer_than_patience_and_the_limit_allow(
    end: threading.Event, options: dict[str, object]
) -> None:
    begun = threading.Barrier(4)

    def work(number: int) -> int:
        if number:
            begun.wait(LIMIT_S)
            end.wait(LIMIT_S)
        return number

    results: Iterator[object] = ordered_map(work, range(4), workers=3, **options)  # type: ignore[arg-type]
    assert next(results) == 0
    begun.wait(LIMIT_S)
    close(results)
    assert is_work_left()
    assert len(threads._left_alone) == 3


def left_half_way(work: Callable[[int], int]) -> Iterator[int]:
    results = ordered_map(work, range(4), workers=2, ahead=3)
    assert next(results) == 0
    return results


def test_a_loop_that_is_forgotten_is_left_when_the_process_ends(started: Callable[[], set[threading.Thread]]) -> None:
    results = left_half_way(lambda number: number)
    assert started()
    threads._close_all()
    assert not started()
    close(results)


def test_the_process_waits_for_what_was_left_alone_but_not_for_ever(
    end: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(number: int) -> int:
        end.wait(LIMIT_S)
        return number

    assert list(ordered_map(hang, [1], workers=1, time_limit_s=0.01, overdue=lambda number: -number)) == [-1]
    monkeypatch.setattr(threads, "_PATIENCE_AT_EXIT_S", 0.01)
    threads._close_all()
    assert is_work_left(), "it hangs: the process ends all the same"
    monkeypatch.setattr(threads, "_PATIENCE_AT_EXIT_S", LIMIT_S)
    threading.Timer(0.02, end.set).start()
    threads._close_all()
    assert not is_work_left(), "it comes back within the time"
