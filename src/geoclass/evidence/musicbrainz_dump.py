"""MusicBrainz' JSON dump of artists, read as a stream: `artist.tar.xz` as it is downloaded, or its lines alone."""

import io
import json
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from geoclass.errors import CorpusError
from geoclass.evidence.artist_table import Artist, default_path, write_table
from geoclass.evidence.musicbrainz_json import parse_artist
from geoclass.progress import Progress

MEMBER = "mbdump/artist"
_HINT = "download artist.tar.xz from https://metabrainz.org/datasets/download (JSON dumps)"
_REPORT_BYTES = 1 << 20


@dataclass(kw_only=True)
class Import:
    """What an import has read."""

    artists: int = 0
    with_country: int = 0
    unreadable: int = 0  # lines that are not an artist


def import_dump(dump: Path, *, path: Path | None = None, progress: Progress | None = None) -> Import:
    """Replace the artist table by the artists of a dump. Memory stays flat; until the end the old table stays.

    Args:
        dump: `artist.tar.xz` (or .gz, .bz2, .tar), or a file of JSON lines.
        path: The table; the user's by default.
        progress: Called with bytes read of the file's size.

    Raises:
        CorpusError: The file is missing, cut off, or not a dump of artists; the old table is as it was.
        StorageError: The table cannot be written.
    """
    done = Import()
    write_table(_artists(dump, done, progress), path=path or default_path(), source=dump.name)
    return done


def _artists(dump: Path, done: Import, progress: Progress | None) -> Iterator[Artist]:
    try:
        size = dump.stat().st_size
        with open(dump, "rb") as file:
            if progress is not None:
                progress(0, total=size)
            yield from _parse(_lines(file, dump, progress), dump, done)
    except (EOFError, tarfile.TarError, lzma.LZMAError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise CorpusError(f"{dump}: {error.strerror}", hint=_HINT) from error
        what = (
            f"damaged or cut off after {done.artists:,} artists"
            if done.artists
            else "not a dump of artists, or damaged"
        )
        raise CorpusError(f"{dump}: {what} ({error or type(error).__name__})", hint=_HINT) from error


def _parse(lines: Iterator[bytes], dump: Path, done: Import) -> Iterator[Artist]:
    for line in lines:
        try:
            artist = parse_artist(json.loads(line))
        except (ValueError, RecursionError):
            artist = None
            done.unreadable += 1
            if not done.artists and done.unreadable >= 10:
                raise CorpusError(f"{dump}: not a dump of artists, no JSON lines", hint=_HINT) from None
        if artist is not None:
            done.artists += 1
            done.with_country += artist.country is not None
            yield artist
    if not done.artists:
        raise CorpusError(f"{dump}: no artist in it", hint=_HINT)


def _lines(file: IO[bytes], dump: Path, progress: Progress | None) -> Iterator[bytes]:
    head = file.read(512)
    file.seek(0)
    source: Any = _Counted(file, progress)
    if head.lstrip()[:1] == b"{":
        yield from io.BufferedReader(source)
        return
    with tarfile.open(fileobj=source, mode="r|*") as archive:
        for member in archive:
            if member.isfile() and member.name.removeprefix("./") in (MEMBER, "artist"):
                content = archive.extractfile(member)
                assert content is not None  # a file
                yield from content
                return
    raise CorpusError(f"{dump}: no {MEMBER} in the archive", hint=_HINT)


class _Counted(io.RawIOBase):
    """A file that reports how far it has been read."""

    def __init__(self, file: IO[bytes], progress: Progress | None) -> None:
        self._file, self._progress, self._unreported = file, progress, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self._unreported += len(found)
        if self._progress is not None and (self._unreported >= _REPORT_BYTES or not found):
            self._progress(self._unreported)
            self._unreported = 0
        return len(found)
