"""The journal of a run: what each file was before, on the disk before the file changes.

JSON lines. The first names the format, each other one a file; it holds the bytes that were replaced (their place, and a
hash of what took it), so that undo is exact, and the fields before and after, for files that somebody edited since.
"""

import base64
import hashlib
import json
import os
import re
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from geoclass.errors import StorageError
from geoclass.storage import state_dir
from geoclass.tagging.formats.edit import Edit, growth, inverse

FORMAT, VERSION = "geoclass/journal", 1


@dataclass(frozen=True, kw_only=True)
class Region:
    """A range of the new file, and the bytes that stood there before."""

    offset: int  # in the new file
    length: int  # of the new bytes
    sha256: str  # of the new bytes
    old: bytes


@dataclass(frozen=True, kw_only=True)
class Record:
    """One file that was about to change."""

    path: Path  # absolute, links resolved
    old_size: int  # bytes
    new_size: int
    regions: tuple[Region, ...]
    before: Mapping[str, tuple[str, ...]]  # the changed fields; () where there was none
    after: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        path: Path,
        edits: Sequence[Edit],
        *,
        size: int,
        before: Mapping[str, tuple[str, ...]],
        after: Mapping[str, tuple[str, ...]],
    ) -> "Record":
        """The record of applying `edits` to a file of `size` bytes."""
        regions = tuple(
            Region(offset=edit.offset, length=len(edit.old), sha256=_sha256(edit.old), old=edit.new)
            for edit in inverse(edits)
        )
        return cls(path=path, old_size=size, new_size=size + growth(edits), regions=regions, before=before, after=after)


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
        line = _encode(record)
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                raise StorageError(
                    f"cannot write the journal {self.path}: {error.strerror}",
                    hint="nothing is changed without a journal; free some space or name another place with --journal",
                ) from error

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o600)
            sync_folder(self.path.parent)
        end = os.fstat(self._descriptor).st_size
        if end == 0:  # new, or its first write failed
            header = {"format": FORMAT, "version": VERSION, "created": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            line = _line(header) + line
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(28, "no space left on the disk")
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, end)  # no half line for later ones to be glued to
            raise


def default_path() -> Path:
    """Where the journal of a run that starts now goes."""
    return _folder() / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{time.time_ns() % 10**9:09d}-{os.getpid()}.jsonl"


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
            file.write(_line({"undone": time.strftime("%Y-%m-%dT%H:%M:%S%z")}))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"cannot write the journal {path}: {error.strerror}") from error


def read_journal(path: Path) -> Iterator[Record]:
    """The records of a journal. A last line that a crash cut short is passed over: its file had not changed yet.

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
            yield _decode(document)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise StorageError(f"{path}, line {number}: not a record of a journal ({error})") from error


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable where the system can; some network file systems, and Windows, cannot."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _folder() -> Path:
    return state_dir() / "journals"


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield from file
    except OSError as error:
        raise StorageError(f"cannot read the journal {path}: {error.strerror}") from error


def _check_header(path: Path, line: bytes) -> None:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise StorageError(f"{path} is not a journal of geoclass tag")
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


def _encode(record: Record) -> bytes:
    regions = [
        [region.offset, region.length, region.sha256, base64.b64encode(zlib.compress(region.old, 1)).decode("ascii")]
        for region in record.regions
    ]
    document = vars(record) | {"path": str(record.path), "regions": regions}
    return _line(document)


def _decode(document: dict[str, Any]) -> Record:
    regions = tuple(
        Region(offset=offset, length=length, sha256=sha256, old=zlib.decompress(base64.b64decode(old)))
        for offset, length, sha256, old in document["regions"]
    )
    before, after = ({name: tuple(values) for name, values in document[side].items()} for side in ("before", "after"))
    return Record(
        path=Path(document["path"]),
        old_size=document["old_size"],
        new_size=document["new_size"],
        regions=regions,
        before=before,
        after=after,
    )


def _line(document: Mapping[str, Any]) -> bytes:
    # ASCII only: names that are not UTF-8 survive as escaped surrogates.
    return json.dumps(document, separators=(",", ":"), default=list).encode("ascii") + b"\n"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
