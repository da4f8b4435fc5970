"""geoclass's own files: written atomically, read with their format checked; user folders; hashes."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from geoclass.errors import StorageError, UsageError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it is fsynced and takes the name, else it is removed.

    Raises:
        StorageError: The folder is read-only, the disk is full, or the like.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}", hint=_hint(path)) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}", hint=_hint(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with "\\n" line ends, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def refuse_foreign(path: Path, *, mark: bytes) -> None:
    """Before a file is replaced: make sure that it is one of ours.

    Args:
        path: What is to be written.
        mark: Stands in the first 4 KiB of every such file of ours.

    Raises:
        UsageError: Something else has that name.
    """
    try:
        with open(path, "rb") as file:
            if mark in file.read(4096):
                return
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", hint="choose another name") from error
    raise UsageError(f"{path} exists, and geoclass did not write it", hint="choose another name, or remove it first")


def write_json(path: Path, content: dict[str, Any], *, format: str, version: int = 1) -> None:
    """Write `content` under its format ("geoclass/…") and version, atomically."""
    document = {"format": format, "version": version} | content
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path, *, format: str, version: int = 1) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        StorageError: Missing, not JSON, of another format, or of a newer version.
    """
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise StorageError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != format:
        found = document.get("format") if isinstance(document, dict) else None
        raise StorageError(f"{path} is not a {format} file (its format is {found!r})")
    if not isinstance(document.get("version"), int) or document["version"] > version:
        raise StorageError(
            f"{path} has version {document.get('version')!r} of {format}; this geoclass reads up to {version}",
            hint="upgrade with `pip install --upgrade geoclass`",
        )
    return document


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable where the system can; some network file systems, and Windows, cannot."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed, also by a crash; False when another process holds the lock."""
    try:
        import fcntl
    except ImportError:
        return _try_lock_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made where there is none; waits for another process that holds it."""
    with open(path, "ab") as file:
        while not try_lock(file.fileno()):
            time.sleep(0.01)
        yield


def _try_lock_windows(descriptor: int) -> bool:
    import msvcrt

    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    try:
        # Far beyond any content: on Windows others cannot read what is locked.
        os.lseek(descriptor, 1 << 40, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    finally:
        os.lseek(descriptor, position, os.SEEK_SET)
    return True


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(*parts: object) -> str:
    """Hex SHA-256 over the canonical JSON of `parts`: equal values give equal fingerprints on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def data_dir() -> Path:
    """Where data sets, runs and models of the user live (`GEOCLASS_HOME` overrides)."""
    return _user_dir("data")


def cache_dir() -> Path:
    """Where look-ups that can be made again live."""
    return _user_dir("cache")


def state_dir() -> Path:
    """Where the undo journals live."""
    return _user_dir("state")


def newest_dataset() -> Path:
    """The data set that was finished last in the user data folder.

    Raises:
        StorageError: There is none.
    """
    root = data_dir() / "datasets"
    found = sorted(root.glob("*/dataset.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise StorageError(
            f"no data set was named, and {root} holds none",
            hint="make one with `geoclass build-dataset --fma-root DIR`",
        )
    return found[-1].parent


def _user_dir(kind: str) -> Path:
    home = os.environ.get("GEOCLASS_HOME")
    if home:
        return Path(home) / kind
    import platformdirs

    paths = platformdirs.PlatformDirs("geoclass", appauthor=False)
    return {"data": paths.user_data_path, "cache": paths.user_cache_path, "state": paths.user_state_path}[kind]


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _hint(path: Path) -> str:
    return f"check that there is space on the disk and that you may write to {path.parent}"
