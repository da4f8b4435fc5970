"""Which files a collection holds."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from geoclass.tagging.formats.registry import SUFFIXES


def sound_files(paths: Iterable[Path], *, recursive: bool = True) -> Iterator[Path]:
    """The files that `paths` name, and the sound files in the folders among them, sorted within each folder.

    Links to folders are followed, each folder is entered once. A path that is named is returned whatever it is, so
    that what is wrong with it can be reported.
    """
    entered: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            yield from _walk(path, entered, recursive=recursive)
        else:
            yield path


def _walk(folder: Path, entered: set[tuple[int, int]], *, recursive: bool) -> Iterator[Path]:
    try:
        found = os.stat(folder)
        if (found.st_dev, found.st_ino) in entered:
            return
        entered.add((found.st_dev, found.st_ino))
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        yield folder  # to be reported where it is opened
        return
    for entry in entries:
        path = Path(entry.path)
        if path.is_dir():
            if recursive:
                yield from _walk(path, entered, recursive=True)
        elif path.suffix.lower() in SUFFIXES and not entry.name.startswith("."):
            yield path
