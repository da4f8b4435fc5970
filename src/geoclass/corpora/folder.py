"""A folder of your own music: one sub-folder per label, or a CSV of path, country, genre, artist.

music/Turkey/song.mp3    music/Turkey/Artist/song.mp3     or     music/labels.csv with path,country,artist
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from geoclass.audio.decode import AUDIO_SUFFIXES
from geoclass.corpora.base import Skipped, Track, check_root, check_task, file_problem, with_official_split
from geoclass.corpora.folder_csv import UNKNOWN, LabelTable
from geoclass.errors import CorpusError, UsageError
from geoclass.geo.countries import find_country
from geoclass.text import name_key

CSV_NAMES = ("labels.csv", "metadata.csv")  # looked for in the folder, in this order
_EXPECTED = (
    "one sub-folder per label (Turkey/song.mp3, Turkey/Artist/song.mp3), or labels.csv with path,country,genre,artist"
)


class Folder:
    """Sound files under a folder, labelled by the names of its sub-folders or by a CSV.

    With sub-folders, the label is the first folder (a country's name or code, or a genre, as `task` says), and the
    second, if there is one, the artist. With a CSV the paths are relative to the CSV's folder; the columns are `path`,
    `country` (or `latitude` and `longitude`, or `place`), `genre` (or `genres`, with "|" between them), and, if
    wanted, `artist`, `album`, `title`, `split`, `duration_s`, `licence`.

    Args:
        root: The folder, or the CSV.
        task: "country", "genre" or, with a CSV, "country,genre".

    Raises:
        CorpusError: Nothing there, a missing column, or no label that is a country.
        UsageError: Two tasks without a CSV.
    """

    name: ClassVar[str] = "folder"
    tasks: ClassVar[tuple[str, ...]] = ("country", "genre")

    def __init__(self, root: str | Path, *, task: str = "country") -> None:
        root = Path(root)
        self._tasks = check_task("a folder", task, self.tasks)
        check_root("music", root, expected=_EXPECTED)
        candidates = [root] if root.is_file() else [root / name for name in CSV_NAMES]
        table = next((path for path in candidates if path.is_file()), None)
        self._root = root.parent if root.is_file() else root
        self._table = LabelTable(table, root=self._root, tasks=self._tasks) if table is not None else None
        self.audio_root: Path | None = self._root
        self.columns: tuple[str, ...] = ()
        self.notes: list[str] = []
        if table is not None:
            self.description = f"{table.name} of a folder; labels as stated there"
            return
        if len(self._tasks) > 1:
            raise UsageError(
                f"the sub-folders of {root} give one label, not {task}",
                hint=f"write {root / CSV_NAMES[0]} with path,country,genre,artist, or choose one --task",
            )
        labels = [path.name for path in self._label_folders()]
        if not labels:
            raise CorpusError(f"{root} has neither {CSV_NAMES[0]} nor sub-folders", hint=f"expected: {_EXPECTED}")
        if self._tasks == ("country",) and not any(find_country(label) for label in labels):
            raise CorpusError(
                f"no sub-folder of {root} is named after a country: {', '.join(labels[:3])}"
                + (", …" if len(labels) > 3 else ""),
                hint='use names or ISO codes ("Turkey", "TR"), or --task genre',
            )
        self.description = f"folder {root.name}, one sub-folder per {self._tasks[0]}"

    def tracks(self) -> Iterator[Track | Skipped]:
        """The rows of the CSV in their order, or the sound files by path."""
        self.notes.clear()
        if self._table is None:
            yield from self._from_tree()
        else:
            yield from with_official_split([*self._table.tracks()], notes=self.notes)

    def _label_folders(self) -> list[Path]:
        return sorted(path for path in self._root.iterdir() if path.is_dir() and not path.name.startswith("."))

    def _from_tree(self) -> Iterator[Track | Skipped]:
        others = 0
        for path in sorted(self._root.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                if _is_sound(path):
                    yield Skipped(track_id=path.name, path=path.name, reason="file is outside the label folders")
                others += not _is_sound(path)
        for folder in self._label_folders():
            files, closed = _walk(folder)
            for path, reason in closed.items():
                inside = _printable(path.relative_to(self._root).as_posix())
                yield Skipped(track_id=inside, path=inside, reason=reason)
            for path in files:
                if _is_sound(path):
                    yield self._labelled(path.relative_to(self._root))
                others += not _is_sound(path)
        if others:
            self.notes.append(f"{others:,} files without the suffix of an audio file were ignored")

    def _labelled(self, relative: Path) -> Track | Skipped:
        label, *between = relative.parts[:-1]
        country = (find_country(label) or "") if self._tasks == ("country",) else ""
        path = _printable(relative.as_posix())
        problem = file_problem(self._root / relative)
        if path != relative.as_posix():
            problem = "file name is not UTF-8"
        elif self._tasks == ("country",) and not country:
            problem = UNKNOWN + label
        if problem:
            return Skipped(track_id=path, path=path, reason=problem)
        genre = label if self._tasks == ("genre",) else ""
        return Track(
            track_id=path,
            path=path,
            artist_id=self._artist_id(between[0], country) if between else "",
            artist=between[0] if between else "",
            album=between[1] if len(between) > 1 else "",
            title=relative.stem,
            country=country,
            genre=genre,
            genres=(genre,) if genre else (),
        )

    @staticmethod
    def _artist_id(name: str, country: str) -> str:
        """An artist is from one country, so that TR/artist 1 and CN/artist 1 are two; but one may play two genres."""
        return f"{country}/{name_key(name)}" if country else name_key(name)


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in AUDIO_SUFFIXES


def _walk(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """All files below `folder` that are not hidden, sorted; and the folders that were not entered, with the reason."""
    files: list[Path] = []
    closed: dict[Path, str] = {}

    def refuse(error: OSError) -> None:
        closed[Path(error.filename)] = f"folder cannot be read: {error.strerror}"

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if (link := Path(parent, name)).is_symlink():  # may lead back up
                closed[link] = "folder is a link"
        files += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(files), closed


def _printable(path: str) -> str:
    """`path` with what is not UTF-8 on disk replaced, so that a table can hold it."""
    return path.encode("utf-8", "replace").decode("utf-8")
