"""The SQLite file behind the cache of features: its tables, its bounded size, and what happens when it cannot be used.

Not safe for threads by itself: `HeardCache` holds a lock around every call.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoclass.errors import StorageError

_BUSY_S = 10.0  # how long another run may hold the database
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

Key = tuple[bytes, str]  # sound, how it was analysed


@dataclass(frozen=True)
class Row:
    """A row of `features` without its key."""

    n_segments: int
    shape: str  # of one segment: "64,128"
    note: str
    data: bytes  # float32
    used: int  # seconds since the epoch


@dataclass(frozen=True, kw_only=True)
class CacheInfo:
    """What the cache holds."""

    path: Path
    sounds: int
    entries: int
    n_bytes: int  # of the database
    max_bytes: int


class HeardDatabase:
    """Opened once; after an error it stays closed, reads find nothing and writes are dropped.

    Attributes:
        problem: Why nothing can be kept; "" when all is well.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self.path, self.max_bytes = path, max_bytes
        self.problem = ""
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = _open(path)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    @property
    def is_open(self) -> bool:
        """Whether the database is open."""
        return self._connection is not None

    def sound_of(self, stat: str) -> bytes | None:
        """The sound of a file with this state."""
        found = self._first("SELECT sound FROM files WHERE stat = ?", stat)
        return None if found is None else bytes(found[0])

    def get(self, key: Key) -> Row | None:
        """One row."""
        found = self._first(_GET, *key)
        return None if found is None else Row(*found)

    def write(self, *, rows: Mapping[Key, Row], files: Mapping[str, bytes], used: Iterable[Key], now: int) -> None:
        """Write all in one transaction, then delete the entries used least recently if the file is too large.

        Args:
            rows: By their keys.
            files: State of a file -> its sound.
            used: Rows that were read.
            now: Seconds since the epoch.
        """
        if self._connection is None:
            return
        values = [(*key, row.n_segments, row.shape, row.note, row.data, row.used) for key, row in rows.items()]
        try:
            with self._connection:
                self._connection.executemany(_PUT, values)
                self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", files.items())
                touched = [(now, *key) for key in used]
                self._connection.executemany("UPDATE features SET used = ? WHERE sound = ? AND how = ?", touched)
            _shrink(self._connection, self.max_bytes)
        except sqlite3.Error as error:
            self._give_up(error)

    def info(self) -> CacheInfo:
        """What it holds.

        Raises:
            StorageError: The database cannot be opened.
        """
        connection = self._opened()
        sounds, entries = connection.execute("SELECT COUNT(DISTINCT sound), COUNT(*) FROM features").fetchone()
        n_bytes = _n_bytes(connection)
        return CacheInfo(path=self.path, sounds=sounds, entries=entries, n_bytes=n_bytes, max_bytes=self.max_bytes)

    def clear(self) -> int:
        """Delete everything and return the number of entries there were. Other runs may go on using the database.

        Raises:
            StorageError: The database cannot be opened, or another run holds it.
        """
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

    def close(self) -> None:
        """Close it for good."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError(
                self.problem or f"the cache {self.path} is closed",
                hint=f"check that you may write to {self.path.parent}",
            )
        return self._connection

    def _first(self, query: str, *values: object) -> Any:
        if self._connection is None:
            return None
        try:
            return self._connection.execute(query, values).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        self.problem = f"the cache {self.path} cannot be used: {getattr(error, 'strerror', None) or error}"
        with suppress(sqlite3.Error):
            self.close()
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
    """Delete a tenth of the entries, those used least recently, for as long as the database is too large."""
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
