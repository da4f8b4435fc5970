"""One run at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from geoclass.errors import StorageError, TaggingError
from geoclass.storage import state_dir, try_lock


@contextmanager
def only_run() -> Iterator[None]:
    """Hold the user's lock on tagging, so that two runs never work on one library at once.

    Raises:
        TaggingError: Another run holds it.
        StorageError: The lock file cannot be made.
    """
    path = state_dir() / "tag.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="ascii")  # noqa: SIM115  (closed below; errors of the run are not ours)
    except OSError as error:
        raise StorageError(
            f"cannot make the lock {path}: {error.strerror}", hint="set GEOCLASS_HOME to a folder that you may write to"
        ) from error
    with file:
        if not try_lock(file.fileno()):
            file.seek(0)
            raise TaggingError(
                f"another geoclass run (process {file.read().strip() or 'unknown'}) is changing tags",
                hint="wait until it is done, or stop it with Ctrl-C; what it has finished is kept",
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
