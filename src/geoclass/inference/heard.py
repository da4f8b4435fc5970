"""What front ends computed of files, kept under the identity of the sound: heard once, never decoded again.

One SQLite file in the user's cache folder, shared by all runs. It is a cache and nothing more: when it cannot be opened
or written, a run goes on without it, and a run that is killed loses only the few entries that were not yet written.
"""

import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.audio.identity import sound_id
from geoclass.errors import StorageError
from geoclass.storage import cache_dir

MAX_BYTES = 2 << 30  # of the database; the entries used least recently go first
MAX_ENTRY_BYTES = 1 << 18  # spectrograms are larger, and cheaper to compute than to keep
_PENDING = 64  # entries that are written together
_BUSY_S = 10.0  # how long another run may hold the database
_DAY_S = 86_400
_SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS files (stat TEXT PRIMARY KEY, sound BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS features (
    sound BLOB NOT NULL, how TEXT NOT NULL, n_segments INTEGER NOT NULL, shape TEXT NOT NULL, note TEXT NOT NULL,
    data BLOB NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (sound, how));
CREATE INDEX IF NOT EXISTS features_used ON features (used);
"""
_GET = "SELECT n_segments, shape, note, data, used FROM features WHERE sound = ? AND how = ?"
_PUT = "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?, ?)"
_OLDEST = "DELETE FROM features WHERE rowid IN (SELECT rowid FROM features ORDER BY used, rowid LIMIT ?)"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What one front end computed of one file."""

    features: NDArray[np.float32]  # (n_segments, *feature_shape); no segments where there is a note
    note: str = ""  # why no model should be asked: "silence", "speech", …


@dataclass(frozen=True, kw_only=True)
class CacheInfo:
    """What the cache holds."""

    path: Path
    sounds: int
    entries: int
    n_bytes: int  # of the database
    max_bytes: int


class HeardCache:
    """Features by sound and front end. Safe for threads and for several runs at once.

    Args:
        path: The database; the user's by default.
        max_bytes: Maximum size of the database.

    Attributes:
        problem: Why nothing can be kept; "" when all is well.
    """

    def __init__(self, path: Path | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = path or cache_dir() / "features.sqlite"
        self.max_bytes = max_bytes
        self.problem = ""
        self._lock = Lock()
        self._entries: dict[tuple[bytes, str], Heard] = {}
        self._files: dict[str, bytes] = {}
        self._touched: set[tuple[bytes, str]] = set()
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = _open(self.path)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def __enter__(self) -> "HeardCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- which sound a file holds -------------------------------------------------------------------------------

    def sound_of(self, path: Path) -> bytes:
        """The identity of a file's sound; read anew only when the file has changed since it was last read.

        Raises:
            AudioError: It cannot be read.
        """
        key = _stat_key(path)
        if key:
            with self._lock:
                known = self._files.get(key) or self._row("SELECT sound FROM files WHERE stat = ?", key)
            if known:
                return known if isinstance(known, bytes) else bytes(known[0])
        sound = sound_id(path)
        if key and key == _stat_key(path):
            with self._lock:
                self._files[key] = sound
        return sound

    # ---- what was heard of it -----------------------------------------------------------------------------------

    def get(self, sound: bytes, how: str) -> Heard | None:
        """What is known of a sound; `how` identifies the front end, its settings and the excerpt."""
        with self._lock:
            if (waiting := self._entries.get((sound, how))) is not None:
                return waiting
            row = self._row(_GET, sound, how)
            if row is None:
                return None
            n_segments, shape, note, data, used = row
            if time.time() - used > _DAY_S:
                self._touched.add((sound, how))
        try:
            sizes = [int(size) for size in shape.split(",") if size]
            features = np.frombuffer(data, np.float32).reshape(n_segments, *sizes)
        except ValueError:  # damaged
            return None
        return Heard(features=features, note=note)

    def put(self, sound: bytes, how: str, heard: Heard) -> None:
        """Keep what was computed; it is written soon, together with others. What is too large is not kept."""
        if self._connection is None or heard.features.nbytes > MAX_ENTRY_BYTES:
            return
        kept = replace(heard, features=np.array(heard.features, np.float32, order="C"))
        with self._lock:
            self._entries[sound, how] = kept
            full = len(self._entries) >= _PENDING
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction."""
        with self._lock:
            if self._connection is not None and (self._entries or self._files or self._touched):
                try:
                    self._write(self._connection)
                    _shrink(self._connection, self.max_bytes)
                except sqlite3.Error as error:
                    self._give_up(error)
            self._entries.clear()
            self._files.clear()
            self._touched.clear()

    def _write(self, connection: sqlite3.Connection) -> None:
        now = int(time.time())
        rows = [
            (sound, how, len(kept.features), _shape(kept.features), kept.note, kept.features.tobytes(), now)
            for (sound, how), kept in self._entries.items()
        ]
        with connection:
            connection.executemany(_PUT, rows)
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", self._files.items())
            touched = [(now, *key) for key in self._touched]
            connection.executemany("UPDATE features SET used = ? WHERE sound = ? AND how = ?", touched)

    def close(self) -> None:
        """Write what waits and close the database."""
        self.flush()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # ---- housekeeping -------------------------------------------------------------------------------------------

    def info(self) -> CacheInfo:
        """What it holds.

        Raises:
            StorageError: The database cannot be opened.
        """
        self.flush()
        with self._lock:
            connection = self._opened()
            sounds, entries = connection.execute("SELECT COUNT(DISTINCT sound), COUNT(*) FROM features").fetchone()
            n_bytes = _n_bytes(connection)
        return CacheInfo(path=self.path, sounds=sounds, entries=entries, n_bytes=n_bytes, max_bytes=self.max_bytes)

    def clear(self) -> int:
        """Forget everything, and say how many entries there were. Other runs may go on using the cache.

        Raises:
            StorageError: The database cannot be opened, or another run holds it.
        """
        self.flush()
        with self._lock:
            connection = self._opened()
            try:
                with connection:
                    count = connection.execute("DELETE FROM features").rowcount
                    connection.execute("DELETE FROM files")
                connection.execute("VACUUM")
            except sqlite3.Error as error:
                raise StorageError(
                    f"cannot clear {self.path}: {error}", hint="try again when other runs are done"
                ) from error
        return int(count)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError(
                self.problem or f"the cache {self.path} is closed",
                hint=f"check that you may write to {self.path.parent}",
            )
        return self._connection

    def _row(self, query: str, *values: object) -> Any:
        if self._connection is None:
            return None
        try:
            return self._connection.execute(query, values).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        self.problem = f"the cache {self.path} cannot be used: {getattr(error, 'strerror', None) or error}"
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise  # locked, or not to be written
    except sqlite3.DatabaseError:  # no longer a database: there is nothing to lose
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.executescript(_SCHEMA)
        connection.execute("SELECT COUNT(*) FROM (SELECT 1 FROM features LIMIT 1)").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _shrink(connection: sqlite3.Connection, max_bytes: int) -> None:
    """Forget a tenth of the entries, those used least recently, for as long as the database is too large."""
    while _n_bytes(connection) > max_bytes:
        (count,) = connection.execute("SELECT COUNT(*) FROM features").fetchone()
        if not count:
            return
        with connection:
            connection.execute(_OLDEST, (count // 10 + 1,))
            connection.execute("DELETE FROM files WHERE sound NOT IN (SELECT sound FROM features)")
        connection.executescript("PRAGMA incremental_vacuum")  # `execute` would free one page


def _n_bytes(connection: sqlite3.Connection) -> int:
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages) * int(size)


def _shape(features: NDArray[np.float32]) -> str:
    return ",".join(map(str, features.shape[1:]))


def _stat_key(path: Path) -> str:
    """Changes with every write, rename or replacement of a file; "" when the file is not there."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"
