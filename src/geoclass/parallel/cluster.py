"""Work on the workers of a dask cluster, results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from geoclass import __version__
from geoclass.errors import ClusterError, UsageError
from geoclass.parallel.threads import closing_source

Item = TypeVar("Item")
Result = TypeVar("Result")


def cluster_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, scheduler: str, check: Callable[[], None]
) -> Iterator[Result]:
    """Like `ordered_map`, on the workers of a dask cluster. Work of a worker that dies is done again by another.

    Args:
        function: Sent to the workers; they must have the same version of this package.
        items: Sent to the workers.
        scheduler: Such as "tcp://host:8786".
        check: Run on every worker first; raises when a worker cannot do the work (no files, say).

    Raises:
        UsageError: dask is not installed, or `scheduler` is no address.
        ClusterError: No scheduler, no workers, versions that differ, a worker that fails `check`, or work lost
            for good.
    """
    try:
        import distributed
    except ImportError as error:
        raise UsageError(
            "--scheduler needs dask.distributed", hint="pip install 'geoclass[cluster]' here and on the workers"
        ) from error
    if not scheduler.rpartition(":")[2].isdigit():
        raise UsageError(
            f"--scheduler {scheduler}: not a valid address", hint="expected something like tcp://host:8786"
        )
    try:
        client = distributed.Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no dask scheduler responds at {scheduler}",
            hint="start one with `dask scheduler`, and `dask worker ADDRESS` on each machine",
        ) from error
    with client, closing_source(items) as source:
        _check_workers(client, scheduler, check)
        waiting: deque[Any] = deque()
        try:
            for item in source:
                waiting.append(client.submit(function, item, pure=False))
                if len(waiting) >= 4 * max(1, sum(client.nthreads().values())):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except (distributed.KilledWorker, distributed.CancelledError, OSError) as error:
            raise ClusterError(
                f"the cluster at {scheduler} lost tasks: {error}",
                hint="run the same command again: it continues from here",
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _check_workers(client: Any, scheduler: str, check: Callable[[], None]) -> None:
    try:
        client.wait_for_workers(1, timeout=30)
    except TimeoutError as error:
        raise ClusterError(
            f"the scheduler at {scheduler} has no workers", hint=f"start some with `dask worker {scheduler}`"
        ) from error
    versions = client.run(_version)
    if others := {worker: version for worker, version in versions.items() if version != __version__}:
        worker, version = next(iter(others.items()))
        raise ClusterError(
            f"geoclass is {__version__} here and {version} on {len(others)} worker(s), such as {worker}",
            hint="install the same version everywhere",
        )
    for worker, problem in client.run(_problem, check).items():
        if problem:
            raise ClusterError(f"worker {worker}: {problem}", hint="all machines must see the corpus at the same path")


def _version() -> str:
    return __version__


def _problem(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:
        return str(error)
    return ""
