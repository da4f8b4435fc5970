"""A library as a whole: which files are in it, and one run at a time."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from geoclass.audio.decode import AUDIO_SUFFIXES
from geoclass.errors import StorageError, TaggingError
from geoclass.storage import state_dir

_TAGGABLE = AUDIO_SUFFIXES - {".au"}


def sound_files(paths: Iterable[Path], *, recursive: bool = True) -> Iterator[Path]:
    """The files that `paths` name, and the sound files in the folders among them, sorted within each folder.

    Links to folders are followed, each folder is entered once. A path that is named is given back whatever it is, so
    that what is wrong with it can be told.
    """
    entered: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            yield from _walk(path, entered, recursive=recursive)
        else:
            yield path


def _walk(folder: Path, entered: set[tuple[int, int]], *, recursive: bool) -> Iterator[Path]:
    try:
        found = os.stat(folder)
        if (found.st_dev, found.st_ino) in entered:
            return
        entered.add((found.st_dev, found.st_ino))
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        yield folder  # to be reported where it is opened
        return
    for entry in entries:
        path = Path(entry.path)
        if path.is_dir():
            if recursive:
                yield from _walk(path, entered, recursive=True)
        elif path.suffix.lower() in _TAGGABLE and not entry.name.startswith("."):
            yield path


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
            f"cannot make the lock {path}: {error.strerror}", hint="GEOCLASS_HOME names another user folder"
        ) from error
    with file:
        if not _try_lock(file.fileno()):
            file.seek(0)
            raise TaggingError(
                f"another geoclass run (process {file.read().strip() or 'unknown'}) is changing tags",
                hint="wait until it is done, or stop it with Ctrl-C; what it has finished is kept",
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _try_lock(descriptor: int) -> bool:
    """Lock until the descriptor is closed, also by a crash; False when somebody else holds the lock."""
    try:
        import fcntl
    except ImportError:
        return _try_lock_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _try_lock_windows(descriptor: int) -> bool:
    import msvcrt

    try:
        # Far behind the text, so that a second run can still read who holds the lock.
        os.lseek(descriptor, 1_024, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    return True
