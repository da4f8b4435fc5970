"""Work side by side, results in order, memory bounded: on threads here, or on a dask cluster.

Decoding, resampling and the front end release the interpreter lock, so threads scale and nothing is pickled.
"""

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


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
) -> Iterator[Result]:
    """Like `map`, on threads; what is done waits in order, bounded, so that memory stays flat.

    Leaving the loop early, by an exception or Ctrl-C, drops what has not begun and waits for what has.

    Args:
        function: Called on a thread.
        items: Read on the thread that asks for results.
        workers: Threads; None: one per core.
        ahead: How many items are under way or done at most; None: four a thread.
        time_limit_s: An item that takes longer is left to its thread, and another thread takes that one's place.
        overdue: What then stands for the result; needed with a limit.
    """
    workers = workers or default_workers()
    queue: SimpleQueue[_Job[Any, Any] | None] = SimpleQueue()
    waiting: deque[_Job[Item, Result]] = deque()
    threads: set[Thread] = set()

    def start_thread() -> None:
        # A daemon: a thread that a system call holds for ever must not keep the process from ending.
        thread = Thread(target=_work, args=(queue,), name="geoclass", daemon=True)
        threads.add(thread)
        thread.start()

    def first() -> Result:
        job = waiting[0]
        in_time = job.wait(time_limit_s)
        waiting.popleft()
        if in_time or overdue is None:
            return job.result()
        threads.discard(job.thread)
        start_thread()
        return overdue(job.item)

    try:
        for item in items:
            if len(threads) < workers:
                start_thread()
            waiting.append(_Job(function, item))
            queue.put(waiting[-1])
            if len(waiting) >= (ahead or 4 * workers):
                yield first()
        while waiting:
            yield first()
    finally:
        begun = [job for job in waiting if not job.cancel()]  # all are cancelled before any is waited for
        for job in begun:
            if not job.wait(time_limit_s):
                threads.discard(job.thread)
        for _ in threads:
            queue.put(None)
        for thread in threads:
            thread.join()


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
                return False
            wait([self], timeout=None if math.isinf(left_s) else left_s)
        return True


def _work(queue: "SimpleQueue[_Job[Any, Any] | None]") -> None:
    while (job := queue.get()) is not None:
        job.run()
        del job  # its result may be large, and the next job long in coming
