"""What was read of a collection's tags, kept for the next time: SQLite in the user's cache folder, safe to delete."""

import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType

from geoclass import __version__
from geoclass.errors import StorageError
from geoclass.library.song import FIELDS, Song
from geoclass.storage import cache_dir


class SongCache:
    """Songs by path and stamp. Threads may share it, and so may two runs; a damaged or foreign one is replaced."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or cache_dir() / "songs.sqlite"
        self._lock = Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = self._open()
            except sqlite3.DatabaseError:
                with suppress(OSError):
                    self.path.unlink()
                self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"cannot keep a cache in {self.path}: {error}", hint="GEOCLASS_HOME names another user folder"
            ) from error

    def get(self, path: str, stamp: str) -> Song | None:
        """The song of a file that has not changed since."""
        with self._lock:
            row = self._connection.execute(
                "SELECT song FROM songs WHERE path = ? AND stamp = ?", (_key(path), stamp)
            ).fetchone()
        if row is None:
            return None
        values = dict(zip(FIELDS, json.loads(row[0]), strict=True))
        return Song(path=path, **values | {"genres": tuple(values["genres"])})

    def put(self, songs: Iterable[tuple[str, Song]]) -> None:
        """Keep songs, each with the stamp of its file. What cannot be kept (a full disk) is read again next time."""
        rows = [(_key(song.path), stamp, json.dumps([getattr(song, name) for name in FIELDS])) for stamp, song in songs]
        with self._lock, suppress(sqlite3.Error), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO songs VALUES (?, ?, ?)", rows)

    def __enter__(self) -> "SongCache":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False, timeout=30)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # it can be read again from the files
            connection.execute("CREATE TABLE IF NOT EXISTS about (release TEXT)")
            row = connection.execute("SELECT release FROM about").fetchone()
            release = f"{__version__} {','.join(FIELDS)}"
            if row != (release,):  # another release may read tags differently
                connection.execute("DROP TABLE IF EXISTS songs")
                connection.execute("CREATE TABLE songs (path BLOB PRIMARY KEY, stamp TEXT, song TEXT) WITHOUT ROWID")
                connection.execute("DELETE FROM about")
                connection.execute("INSERT INTO about VALUES (?)", (release,))
                connection.commit()
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _key(path: str) -> bytes:
    return os.fsencode(os.path.abspath(path))
