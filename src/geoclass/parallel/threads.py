"""Work side by side on threads, results in order, memory bounded.

Decoding, resampling and the front end release the interpreter lock, so threads scale and nothing is pickled.
"""

import atexit
import math
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing, contextmanager
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE_S = 0.5  # for work that may be dropped: reading, decoding, predicting
_PATIENCE_AT_EXIT_S = 5.0


def default_workers() -> int:
    """The cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    ahead: int | None = None,
    time_limit_s: float = math.inf,
    overdue: Callable[[Item], Result] | None = None,
    patience_s: float = math.inf,
) -> Iterator[Result]:
    """Like `map`, on threads; what is done waits in order, bounded, so that memory stays flat.

    Leaving the loop early, by an exception or Ctrl-C, drops what has not begun, waits for what has, and closes
    `items`. A loop that is forgotten half-way is left when the process ends.

    Args:
        function: Called on a thread.
        items: Read on the thread that asks for results; a generator is closed in the end.
        workers: Threads; None: one per core.
        ahead: How many items are under way or done at most; None: four per thread.
        time_limit_s: An item that takes longer is left to its thread, and another thread takes that one's place.
        overdue: Makes the result of such an item; required with a limit.
        patience_s: How long leaving early waits for what has begun. Set it where nothing is written.
    """
    workers = workers or default_workers()
    pool = _Pool(function, workers=workers, time_limit_s=time_limit_s, overdue=overdue, patience_s=patience_s)
    with closing_source(items) as source, closing(pool):
        for item in source:
            pool.submit(item)
            if len(pool.waiting) >= (ahead or 4 * workers):
                yield pool.first()
        while pool.waiting:
            yield pool.first()


@contextmanager
def closing_source(items: Iterable[Item]) -> Iterator[Iterator[Item]]:
    """The iterator of `items`; a generator is closed when the block ends, even if something still refers to it.

    A traceback keeps the generators of a failed run alive, and with them the threads that work for them.
    """
    source = iter(items)
    try:
        yield source
    finally:
        if isinstance(source, Generator):
            source.close()


def is_work_left() -> bool:
    """Whether threads still compute results that nobody waits for."""
    return any(thread.is_alive() for thread in _left_alone)


class _Pool(Generic[Item, Result]):
    """The threads of one `ordered_map`, and the jobs that are under way."""

    def __init__(
        self,
        function: Callable[[Item], Result],
        *,
        workers: int,
        time_limit_s: float,
        overdue: Callable[[Item], Result] | None,
        patience_s: float,
    ) -> None:
        self.waiting: deque[_Job[Item, Result]] = deque()
        self._function, self._overdue = function, overdue
        self._workers, self._time_limit_s, self._patience_s = workers, time_limit_s, patience_s
        self._queue: SimpleQueue[_Job[Any, Any] | None] = SimpleQueue()
        self._threads: set[Thread] = set()
        _open_pools.add(self)

    def submit(self, item: Item) -> None:
        """Put an item at the end of the line."""
        if len(self._threads) < self._workers:
            self._start_thread()
        self.waiting.append(_Job(self._function, item))
        self._queue.put(self.waiting[-1])

    def first(self) -> Result:
        """Wait for the result of the item that has waited longest."""
        job = self.waiting[0]
        in_time = job.wait(self._time_limit_s)
        self.waiting.popleft()
        if in_time or self._overdue is None:
            return job.result()
        self._threads.discard(job.thread)
        _left_alone.add(job.thread)
        self._start_thread()
        return self._overdue(job.item)

    def close(self) -> None:
        """Drop what has not begun; wait for what has, for as long as `patience_s` allows."""
        for job in self.waiting:
            job.cancel()
        self.waiting.clear()
        self._queue.put(None)
        until_s = time.monotonic() + min(self._patience_s, self._time_limit_s)
        while self._threads:
            thread = next(iter(self._threads))
            _join(thread, until_s=until_s)
            if thread.is_alive():
                _left_alone.add(thread)
            self._threads.discard(thread)

    def _start_thread(self) -> None:
        # A daemon: a thread stuck in a system call must not keep the process from ending.
        thread = Thread(target=_work, args=(self._queue,), name="geoclass", daemon=True)
        self._threads.add(thread)
        thread.start()


_open_pools: "WeakSet[_Pool[Any, Any]]" = WeakSet()
_left_alone: "WeakSet[Thread]" = WeakSet()  # their item took too long, or nobody waited for it


@atexit.register
def _close_all() -> None:
    """At exit: a thread that returns from torch while the interpreter shuts down would abort the process."""
    for pool in list(_open_pools):
        pool.close()
    until_s = time.monotonic() + _PATIENCE_AT_EXIT_S
    for thread in list(_left_alone):
        _join(thread, until_s=until_s)


def _join(thread: Thread, *, until_s: float) -> None:
    thread.join(None if math.isinf(until_s) else max(0.0, until_s - time.monotonic()))


class _Job(Future[Result], Generic[Item, Result]):
    """A call to come, and its result."""

    def __init__(self, function: Callable[[Item], Result], item: Item) -> None:
        super().__init__()
        self.item = item
        self.thread = current_thread()  # the one that runs it, once it is begun
        self._function = function
        self._begun_s = math.inf

    def run(self) -> None:
        """On a thread."""
        if not self.set_running_or_notify_cancel():
            return
        self.thread = current_thread()
        self._begun_s = time.monotonic()
        try:
            result = self._function(self.item)
        except BaseException as error:
            self.set_exception(error)
        else:
            self.set_result(result)

    def wait(self, time_limit_s: float) -> bool:
        """Wait until it is done or has run for `time_limit_s`; whether it is done."""
        while not self.done():
            left_s = time_limit_s - max(0.0, time.monotonic() - self._begun_s)
            if left_s <= 0:
                return self.done()
            wait([self], timeout=None if math.isinf(left_s) else left_s)
        return True


def _work(queue: "SimpleQueue[_Job[Any, Any] | None]") -> None:
    while (job := queue.get()) is not None:
        job.run()
        del job  # its result may be large, and the next job long in coming
    queue.put(None)  # for the next thread, also for one that was given up and comes back later
