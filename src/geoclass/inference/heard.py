"""The cache of features by the identity of the sound: each file is decoded once.

One SQLite file in the user's cache folder, shared by all runs. It is only a cache: when it cannot be opened
or written, a run goes on without it, and a run that is killed loses only the few entries that were not yet written.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from geoclass.audio.identity import sound_id
from geoclass.inference.heard_database import CacheInfo, HeardDatabase, Key, Row
from geoclass.storage import cache_dir

MAX_BYTES = 2 << 30  # of the database; the entries used least recently go first
MAX_ENTRY_BYTES = 1 << 18  # spectrograms are larger, and cheaper to compute than to keep
_PENDING = 64  # entries that are written together
_DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The output of one front end for one file."""

    features: NDArray[np.float32]  # (n_segments, *feature_shape); no segments where there is a note
    note: str = ""  # why there is nothing to predict from: "silence", "speech", …


class HeardCache:
    """Features by sound and front end. Safe for threads and for several runs at once.

    Args:
        path: The database; the user's by default.
        max_bytes: Maximum size of the database.
    """

    def __init__(self, path: Path | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self._database = HeardDatabase(path or cache_dir() / "features.sqlite", max_bytes=max_bytes)
        self._lock = Lock()
        self._entries: dict[Key, Heard] = {}
        self._files: dict[str, bytes] = {}
        self._touched: set[Key] = set()

    @property
    def path(self) -> Path:
        """The database."""
        return self._database.path

    @property
    def problem(self) -> str:
        """Why nothing can be kept; "" when all is well."""
        return self._database.problem

    def __enter__(self) -> "HeardCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- which sound a file holds -------------------------------------------------------------------------------

    def sound_of(self, path: Path) -> bytes:
        """The identity of a file's sound; read again only if the file has changed since.

        Raises:
            AudioError: It cannot be read.
        """
        key = _stat_key(path)
        if key:
            with self._lock:
                known = self._files.get(key) or self._database.sound_of(key)
            if known:
                return known
        sound = sound_id(path)
        if key and key == _stat_key(path):
            with self._lock:
                self._files[key] = sound
        return sound

    # ---- what was heard of it -----------------------------------------------------------------------------------

    def get(self, sound: bytes, how: str) -> Heard | None:
        """The cached features of a sound; `how` identifies the front end, its settings and the excerpt."""
        with self._lock:
            if (waiting := self._entries.get((sound, how))) is not None:
                return waiting
            row = self._database.get((sound, how))
            if row is None:
                return None
            if time.time() - row.used > _DAY_S:
                self._touched.add((sound, how))
        try:
            sizes = [int(size) for size in row.shape.split(",") if size]
            features = np.frombuffer(row.data, np.float32).reshape(row.n_segments, *sizes)
        except ValueError:  # damaged
            return None
        return Heard(features=features, note=row.note)

    def put(self, sound: bytes, how: str, heard: Heard) -> None:
        """Cache features; they are written soon, together with others. Too large ones are not cached."""
        if not self._database.is_open or heard.features.nbytes > MAX_ENTRY_BYTES:
            return
        kept = replace(heard, features=np.array(heard.features, np.float32, order="C"))
        with self._lock:
            self._entries[sound, how] = kept
            full = len(self._entries) >= _PENDING
        if full:
            self.flush()

    def flush(self) -> None:
        """Write pending entries, in one transaction."""
        with self._lock:
            self._flush()

    def close(self) -> None:
        """Write pending entries and close the database."""
        with self._lock:
            self._flush()
            self._database.close()

    def _flush(self) -> None:
        if self._entries or self._files or self._touched:
            now = int(time.time())
            rows = {
                key: Row(len(kept.features), _shape(kept.features), kept.note, kept.features.tobytes(), now)
                for key, kept in self._entries.items()
            }
            self._database.write(rows=rows, files=self._files, used=self._touched, now=now)
        self._entries.clear()
        self._files.clear()
        self._touched.clear()

    # ---- housekeeping -------------------------------------------------------------------------------------------

    def info(self) -> CacheInfo:
        """What it holds.

        Raises:
            StorageError: The database cannot be opened.
        """
        with self._lock:
            self._flush()
            return self._database.info()

    def clear(self) -> int:
        """Delete everything and return the number of entries there were. Other runs may go on using the cache.

        Raises:
            StorageError: The database cannot be opened, or another run holds it.
        """
        with self._lock:
            self._flush()
            return self._database.clear()


def _shape(features: NDArray[np.float32]) -> str:
    return ",".join(map(str, features.shape[1:]))


def _stat_key(path: Path) -> str:
    """Changes with every write, rename or replacement of a file; "" when the file is not there."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"
