"""One file changed: whole or not at all, with everything that belongs to it kept.

A copy with the edits is made beside the file, read back and compared, put on the disk, and only then takes the name.
A crash at any moment leaves the old file or the new one, and at worst a copy that the next run removes.
"""

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from geoclass.errors import TaggingError
from geoclass.storage import sync_folder, try_lock
from geoclass.tagging.formats.edit import Edit, copy_patched, is_patched

_PREFIX, _SUFFIX = ".geoclass-", ".tmp"


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What identifies an unchanged file."""

    device: int
    inode: int
    size: int  # bytes
    mtime_ns: int


def stamp_of(path: Path) -> Stamp:
    """The stamp of the file that `path` names, links followed.

    Raises:
        TaggingError: There is none, or it is no regular file (a folder, a FIFO, a device).
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise TaggingError(f"{path}: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise TaggingError(f"{path}: not a regular file")
    return Stamp(device=found.st_dev, inode=found.st_ino, size=found.st_size, mtime_ns=found.st_mtime_ns)


def rewrite_file(
    path: Path,
    make_edits: Callable[[BinaryIO], Sequence[Edit]],
    *,
    stamp: Stamp,
    check: Callable[[Path], None],
    before_replace: Callable[[Sequence[Edit]], None],
    touch: bool = False,
) -> bool:
    """Replace a file by itself with edits; mode, owner, extended attributes and times are kept.

    Args:
        path: Links resolved.
        make_edits: From the open file to the edits.
        stamp: Of the file that the edits were decided on.
        check: Reads the finished copy and raises when it does not hold what it should.
        before_replace: Called with the edits when the copy is whole and on the disk (the journal).
        touch: Give the file a new modification time.

    Returns:
        Whether anything changed; without edits the file is not touched.

    Raises:
        TaggingError: Read-only, linked more than once, changed since `stamp`, no space, …; the file is as it was.
    """
    try:
        with open(path, "rb") as source:
            found = os.fstat(source.fileno())
            _refuse(path, found, stamp)
            edits = make_edits(source)
            if not edits:
                return False
            with _Copy(path) as copy:
                copy_patched(source, copy.file, edits, size=found.st_size)
                copy.file.flush()
                if not is_patched(source, copy.file, edits, size=found.st_size):
                    raise TaggingError(
                        f"{path}: the copy differs from what should have been written; nothing was changed"
                    )
                check(copy.path)
                _keep_attributes(path, copy.path, found, touch=touch)
                os.fsync(copy.file.fileno())
                if stamp_of(path) != stamp:
                    raise TaggingError(f"{path}: changed by another program meanwhile")
                before_replace(edits)
                if os.name == "nt":  # where no open file is replaced
                    source.close()
                    copy.file.close()
                os.replace(copy.path, path)
        sync_folder(path.parent)
    except ValueError as error:
        raise TaggingError(f"{path}: {error}") from error
    except OSError as error:
        raise TaggingError(f"{path}: {error.strerror or error}") from error
    return True


def sweep(folder: Path) -> None:
    """Remove the copies that a killed run left in `folder`; those of a live run are locked, and stay."""
    try:
        with os.scandir(folder) as entries:
            left = [entry.path for entry in entries if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX)]
    except OSError:
        return  # a folder that cannot be listed fails where its files are read
    for name in left:
        try:
            with open(name, "rb") as file:
                if try_lock(file.fileno()):
                    os.unlink(name)
        except OSError:
            continue


class _Copy:
    """A locked temporary file beside `path`, removed on the way out unless it took the name."""

    def __init__(self, path: Path) -> None:
        descriptor, name = mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=path.parent)
        self.path = Path(name)
        self.file = open(descriptor, "w+b")  # noqa: SIM115  (closed in __exit__)
        try_lock(self.file.fileno())

    def __enter__(self) -> "_Copy":
        return self

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)
        self.file.close()


def _refuse(path: Path, found: os.stat_result, stamp: Stamp) -> None:
    """Raise when the file must not be replaced."""
    current = Stamp(device=found.st_dev, inode=found.st_ino, size=found.st_size, mtime_ns=found.st_mtime_ns)
    if current != stamp:
        raise TaggingError(f"{path}: changed by another program meanwhile")
    if not found.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
        raise TaggingError(f"{path}: the file is read-only", hint="make it writable first, for example with chmod u+w")
    if found.st_nlink > 1:
        raise TaggingError(
            f"{path}: the file has {found.st_nlink} hard links, and replacing it would break them",
            hint="give it a copy of its own first: cp -p FILE COPY && mv COPY FILE",
        )


def _keep_attributes(path: Path, copy: Path, found: os.stat_result, *, touch: bool) -> None:
    """Owner first (changing it clears mode bits), then mode, extended attributes and times."""
    if hasattr(os, "chown"):
        made = os.stat(copy)
        if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
            try:
                os.chown(copy, found.st_uid, found.st_gid)
            except PermissionError as error:
                raise TaggingError(
                    f"{path}: the file belongs to another user, and a copy could not be given to them",
                    hint="run geoclass as the owner of the files",
                ) from error
    shutil.copystat(path, copy)
    if touch:
        os.utime(copy)
