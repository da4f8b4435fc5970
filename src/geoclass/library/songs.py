"""The songs of a collection, from the tags of its files."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

from geoclass.errors import TaggingError, UsageError
from geoclass.library.scan import sound_files
from geoclass.library.song import Song, song_of
from geoclass.library.song_cache import SongCache
from geoclass.parallel.threads import ordered_map
from geoclass.progress import Progress
from geoclass.tagging.tags import read_duration_s, read_tags

_CHUNK = 64  # files that a thread takes at once: one alone takes less time than handing it over
_THREADS = 4  # reading tags waits for the disk more than for a core

Inode = tuple[int, int]  # device and inode: what two names of one file have in common


def read_collection(paths: Sequence[Path], *, use_cache: bool = True, progress: Progress | None = None) -> list[Song]:
    """The songs of files and folders, from the tags or, for files that have not changed, from the cache.

    Args:
        paths: Sound files, and folders of them.
        use_cache: Keep what is read in the user's cache folder for the next time.
        progress: Called with the number of files done.

    Raises:
        UsageError: There is no sound file.
    """
    files = list(sound_files(paths))
    if not files:
        raise UsageError(
            f"no sound files in {', '.join(map(str, paths))}", hint="name sound files, or folders that hold some"
        )
    if progress:
        progress(0, total=len(files))
    with SongCache() if use_cache else nullcontext() as cache:
        return list(read_songs(files, cache=cache, progress=progress))


def read_songs(
    paths: Iterable[Path], *, cache: SongCache | None = None, progress: Progress | None = None
) -> Iterator[Song]:
    """Read the tags of files, in their order; a file to which several links lead comes once.

    Args:
        paths: Files, such as `sound_files` finds.
        cache: What earlier runs read of files that have not changed since; what is read now is kept there.
        progress: Called with the number of files done.
    """
    seen: set[Inode] = set()
    chunks = _chunks(map(os.fspath, paths))
    for chunk in ordered_map(lambda some: _read_chunk(some, cache), chunks, workers=_THREADS):
        for inode, song in chunk:
            if inode not in seen:
                yield song
            if inode is not None:
                seen.add(inode)
        if progress:
            progress(len(chunk))


def _chunks(paths: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(paths, _CHUNK)):
        yield chunk


def _read_chunk(paths: list[str], cache: SongCache | None) -> list[tuple[Inode | None, Song]]:
    """On a thread: the songs, and which file each is (None: there is none)."""
    songs: list[tuple[Inode | None, Song]] = []
    fresh: list[tuple[str, Song]] = []
    for path in paths:
        try:
            found = os.stat(path)
        except (OSError, ValueError) as error:
            songs.append((None, Song(path=path, error=getattr(error, "strerror", None) or str(error))))
            continue
        if not stat.S_ISREG(found.st_mode):  # opening a FIFO would block
            songs.append((None, Song(path=path, error="not a regular file")))
            continue
        # A tagger may preserve size and modification time, but not the time of the last change of status.
        stamp = f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
        song = cache.get(path, stamp) if cache else None
        if song is None:
            song = _read(path)
            if not song.error:
                fresh.append((stamp, song))
        songs.append(((found.st_dev, found.st_ino), song))
    if cache and fresh:
        cache.put(fresh)
    return songs


def _read(path: str) -> Song:
    try:
        return song_of(path, read_tags(Path(path)), duration_s=read_duration_s(Path(path)))
    except TaggingError as error:
        return Song(path=path, error=error.message.removeprefix(f"{path}: "))
