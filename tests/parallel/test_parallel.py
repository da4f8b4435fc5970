"""Work on threads: results in order, bounded, nothing lost and nothing left running when the loop ends early."""

import threading
from collections.abc import Callable

import pytest
from standing_clock import Clock

from geoclass.parallel import threads
from geoclass.parallel.threads import ordered_map

LIMIT_S = 300  # for what happens at once, on a machine that is busy


def test_results_keep_the_order_of_the_items() -> None:
    last = threading.Event()

    def first_comes_last(number: int) -> int:
        if number == 0:
            assert last.wait(LIMIT_S)
        if number == 15:  # so far is read before the first result
            last.set()
        return 10 * number

    assert list(ordered_map(first_comes_last, range(20), workers=4)) == [10 * number for number in range(20)]
    assert list(ordered_map(str, [], workers=4)) == []


def test_items_are_read_as_far_ahead_as_is_allowed() -> None:
    read: list[int] = []
    results = ordered_map(str, (read.append(number) or number for number in range(100)), workers=2, ahead=5)
    next(results)
    assert len(read) == 5
    results.close()  # type: ignore[attr-defined]


def test_an_exception_comes_in_its_place_and_ends_the_rest() -> None:
    begun: list[int] = []

    def fail(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError("two")
        return number

    results = ordered_map(fail, range(1_000), workers=2, ahead=4)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert len(begun) < 10


def test_what_has_begun_is_waited_for_when_the_loop_ends_early(
    monkeypatch: pytest.MonkeyPatch, started: Callable[[], set[threading.Thread]]
) -> None:
    begun, end = threading.Barrier(3), threading.Event()
    ended: list[int] = []
    join = threads._join

    def write(number: int) -> int:
        if number:
            begun.wait(LIMIT_S)
            end.wait(LIMIT_S)
        ended.append(number)
        return number

    def waiting(thread: threading.Thread, *, until_s: float) -> None:
        end.set()
        join(thread, until_s=until_s)

    monkeypatch.setattr(threads, "_join", waiting)
    results = ordered_map(write, range(50), workers=2, ahead=10)
    assert next(results) == 0
    begun.wait(LIMIT_S)
    results.close()  # type: ignore[attr-defined]
    assert sorted(ended) == [0, 1, 2]
    assert not started(), "nothing goes on behind our back"


def test_an_item_that_never_ends_is_replaced_and_holds_up_no_other(clock: Clock) -> None:
    end = threading.Event()
    both_hang = threading.Barrier(2, action=clock.move)  # nothing else is under way

    def hang(number: int) -> int:
        if number in (1, 2):
            both_hang.wait(LIMIT_S)
            end.wait()
        return number

    found = list(ordered_map(hang, range(8), workers=2, time_limit_s=0.05, overdue=lambda number: -number))
    end.set()
    assert found == [0, -1, -2, 3, 4, 5, 6, 7]


def test_threads_end_with_the_loop(started: Callable[[], set[threading.Thread]]) -> None:
    assert list(ordered_map(str, range(5), workers=3)) == ["0", "1", "2", "3", "4"]
    assert not started()
    results = ordered_map(str, range(50), workers=3)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not started()
