"""The local table of artists and their countries: one SQLite file in the user's data folder.

An artist has one row in `artists`, and one in `names` for each name, sort name and alias, by its `name_key`. The
table is replaced as a whole in one transaction: whatever ends an import early, the old table stays.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from geoclass.errors import StorageError
from geoclass.storage import data_dir
from geoclass.text import name_key

VERSION = 1
_SCHEMA = (
    "DROP TABLE IF EXISTS names",
    "DROP TABLE IF EXISTS artists",
    "DROP TABLE IF EXISTS about",
    "CREATE TABLE about (format TEXT, version INTEGER, source TEXT)",
    "CREATE TABLE artists (id INTEGER PRIMARY KEY, mbid TEXT, name TEXT, country TEXT, note TEXT)",
    "CREATE TABLE names (key TEXT, artist INTEGER)",
)
_INDEXES = ("CREATE INDEX names_by_key ON names (key, artist)", "CREATE UNIQUE INDEX artists_by_mbid ON artists (mbid)")
_SELECT = "SELECT mbid, artists.name, country, note FROM artists "


@dataclass(frozen=True, kw_only=True)
class Artist:
    """One artist of the table."""

    mbid: str  # MusicBrainz identifier, lower case
    name: str
    country: str | None  # ISO 3166-1 alpha-2; None where it is not known
    note: str = ""  # distinguishes artists of one name
    aliases: tuple[str, ...] = ()  # other names; empty when read from the table


class Artists(Protocol):
    """A source of facts about artists: the table, a web service, both."""

    def by_mbid(self, mbid: str) -> Artist | None:
        """The artist with this identifier."""

    def by_name(self, name: str) -> tuple[Artist, ...]:
        """All artists that bear the name, also as an alias."""


class ArtistTable:
    """The table, open for reading.

    Raises:
        StorageError: It is damaged, or of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _errors(path):
            self._database = _connect(path)
            found = self._database.execute("SELECT format, version, source FROM about").fetchone()
        if found is None or found[0] != "geoclass/artists" or found[1] > VERSION:
            raise StorageError(f"{path} is not an artist table that this version of geoclass can read", hint=_HINT)
        self.identity = f"{found[2]}, {len(self)} artists"  # changes when another dump is imported

    @classmethod
    def open_default(cls) -> "ArtistTable | None":
        """The user's table; None where nothing was imported yet."""
        path = default_path()
        return cls(path) if path.exists() and _has_table(path) else None

    def by_mbid(self, mbid: str) -> Artist | None:
        """The artist with this identifier; None where the table has none."""
        found = self._artists(_SELECT + "WHERE mbid = ?", mbid.strip().lower())
        return found[0] if found else None

    def by_name(self, name: str) -> tuple[Artist, ...]:
        """All artists that bear the name, in any spelling, also as sort name or alias."""
        query = _SELECT + "JOIN names ON names.artist = artists.id WHERE names.key = ? GROUP BY artists.id"
        return self._artists(query, name_key(name))

    def __len__(self) -> int:
        with _errors(self.path):
            return int(self._database.execute("SELECT count(*) FROM artists").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _artists(self, query: str, value: str) -> tuple[Artist, ...]:
        with _errors(self.path):
            rows = self._database.execute(query, (value,)).fetchall()
        return tuple(Artist(mbid=mbid, name=name, country=country, note=note) for mbid, name, country, note in rows)


def write_table(artists: Iterable[Artist], *, path: Path, source: str) -> int:
    """Replace the table by `artists`, as a stream, in one transaction. Other tables in the file stay.

    Args:
        artists: Read once; an exception that comes out of it leaves the old table.
        path: The SQLite file; made where there is none.
        source: Where they come from, for `about`.

    Returns:
        How many artists were written.

    Raises:
        StorageError: The disk is full, the folder read-only, or another run holds the file.
    """
    with _errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as database:
            database.execute("PRAGMA cache_size = -65536")  # KiB
            database.execute("BEGIN IMMEDIATE")
            try:
                n = _fill(database, artists, source)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:  # SQLite itself rolls back when the disk is full
                    database.execute("ROLLBACK")
                raise
    return n


def default_path() -> Path:
    """In the user's data folder."""
    return data_dir() / "artists.sqlite"


_HINT = "import it again: geoclass artists import artist.tar.xz"


def _fill(database: sqlite3.Connection, artists: Iterable[Artist], source: str) -> int:
    for statement in _SCHEMA:
        database.execute(statement)
    n = 0
    for n, artist in enumerate(artists, start=1):
        row = (n, artist.mbid, artist.name, artist.country, artist.note)
        database.execute("INSERT INTO artists VALUES (?, ?, ?, ?, ?)", row)
        keys = {key for name in (artist.name, *artist.aliases) if (key := name_key(name))}
        database.executemany("INSERT INTO names VALUES (?, ?)", [(key, n) for key in sorted(keys)])
    # An artist that is listed twice in a dump counts once.
    database.execute("DELETE FROM artists WHERE id NOT IN (SELECT min(id) FROM artists GROUP BY mbid)")
    for statement in _INDEXES:
        database.execute(statement)
    database.execute("INSERT INTO about VALUES ('geoclass/artists', ?, ?)", (VERSION, source))
    return int(database.execute("SELECT count(*) FROM artists").fetchone()[0])


def _connect(path: Path) -> sqlite3.Connection:
    """Open an existing file. Writable if it can be: SQLite must clean up after an import that was killed."""
    mode = "rw" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, check_same_thread=False, timeout=10)


def _has_table(path: Path) -> bool:
    with _errors(path), closing(_connect(path)) as database:
        return bool(database.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone())


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        full = "full" in str(error)
        hint = "free some space and import again; the old table is unchanged" if full else _HINT
        raise StorageError(f"{path}: {error}", hint=hint) from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}", hint="check that you may write there") from error
