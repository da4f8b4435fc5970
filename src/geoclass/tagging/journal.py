"""The journal of a run: what each file was before, on the disk before the file changes.

JSON lines. The first names the format, each other one a file; it holds the bytes that were replaced (their place, and a
hash of what took it), so that undo is exact, and the fields before and after, for files edited since.
"""

import errno
import json
import os
import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from types import TracebackType

from geoclass.errors import StorageError
from geoclass.storage import state_dir, sync_folder
from geoclass.tagging.record import Record, decode, encode, to_line

FORMAT, VERSION = "geoclass/journal", 1
_MAX_HEADER_BYTES = 4_096


class Journal:
    """An open journal. The file appears with the first record: a run that changes nothing leaves none.

    Raises:
        StorageError: The journal cannot be written; then no file may change either.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._descriptor: int | None = None
        self._lock = Lock()

    def add(self, record: Record) -> None:
        """Append a record; it is on the disk when this returns. Safe to call from several threads."""
        line = encode(record)
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                raise StorageError(
                    f"cannot write the journal {self.path}: {error.strerror}", hint=_way_out(error, self.path)
                ) from error

    def close(self) -> None:
        """Close the file, if there is one; one that holds nothing is removed."""
        with self._lock:
            if self._descriptor is None:
                return
            is_empty = os.fstat(self._descriptor).st_size == 0
            os.close(self._descriptor)
            self._descriptor = None
            if is_empty:
                self.path.unlink(missing_ok=True)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            _make_folder(self.path.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o600)
            sync_folder(self.path.parent)
        end = os.fstat(self._descriptor).st_size
        if end == 0:  # new, or its first write failed
            header = {"format": FORMAT, "version": VERSION, "created": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            line = to_line(header) + line
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, end)  # no half line for later ones to be glued to
            raise


def default_path() -> Path:
    """Where the journal of a run that starts now goes."""
    seconds, rest_ns = divmod(time.time_ns(), 10**9)  # one reading: of two clocks, one may be a second behind
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.localtime(seconds))
    return _folder() / f"{stamp}-{rest_ns:09d}-{os.getpid()}.jsonl"


def last_journal() -> Path | None:
    """The newest journal in the user's folder that was not undone yet."""
    for path in sorted(_folder().glob("*.jsonl"), reverse=True):
        if not _is_undone(path):
            return path
    return None


def mark_undone(path: Path) -> None:
    """Note that everything in the journal was put back."""
    try:
        with open(path, "ab") as file:
            file.write(to_line({"undone": time.strftime("%Y-%m-%dT%H:%M:%S%z")}))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"cannot write the journal {path}: {error.strerror}") from error


def read_journal(path: Path) -> Iterator[Record]:
    """The records of a journal. An incomplete last line, after a crash, is skipped: its file had not changed yet.

    Raises:
        StorageError: Missing, not a journal, damaged, or of a newer version.
    """
    lines = _lines(path)
    header = next(lines, b"")
    if not header.endswith(b"\n") and b'{"format":"geoclass/journal"'.startswith(header[:28]):
        return  # a crash cut the very first write short
    _check_header(path, header)
    for number, line in enumerate(lines, start=2):
        if not line.endswith(b"\n"):
            return
        try:
            document = json.loads(line)
            if "undone" in document:
                continue
            yield decode(document)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise StorageError(f"{path}, line {number}: not a record of a journal ({error})") from error


def _folder() -> Path:
    return state_dir() / "journals"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # what is in the way is a file
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error


def _way_out(error: OSError, path: Path) -> str:
    """What to do about a journal that cannot be written."""
    if isinstance(error, FileExistsError) and path.exists():
        return f"name another file with --journal; `geoclass undo {path}` undoes the run that it records"
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return "no file is changed without a journal; free some space, or name another disk with --journal"
    return "no file is changed without a journal; name a writable folder with --journal"


def _where_journals_are() -> str:
    return f"`geoclass undo` without a name undoes the last run; the journals of earlier ones are in {_folder()}"


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield file.readline(_MAX_HEADER_BYTES)  # a file of another kind may be one line of gigabytes
            yield from file
    except OSError as error:
        raise StorageError(f"cannot read the journal {path}: {error.strerror}", hint=_where_journals_are()) from error


def _check_header(path: Path, line: bytes) -> None:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise StorageError(f"{path} is not a journal of geoclass tag", hint=_where_journals_are())
    if not isinstance(header.get("version"), int) or header["version"] > VERSION:
        raise StorageError(
            f"{path} has version {header.get('version')!r}; this geoclass reads up to {VERSION}",
            hint="upgrade with `pip install --upgrade geoclass`",
        )


def _is_undone(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(max(0, file.seek(0, 2) - 200))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    return re.match(rb'\{"undone"', last) is not None
