"""Work side by side, results in order, memory bounded: on threads here, or on a dask cluster.

Decoding, resampling and the front end release the interpreter lock, so threads scale and nothing is pickled.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_workers() -> int:
    """The cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int | None = None, ahead: int | None = None
) -> Iterator[Result]:
    """Like `map`, on `workers` threads; at most `ahead` results wait, so that memory stays flat.

    Leaving the loop early, by an exception or Ctrl-C, cancels what has not begun.
    """
    workers = workers or default_workers()
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="geoclass")
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= (ahead or 4 * workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
