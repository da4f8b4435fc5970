"""A folder of your own music: one sub-folder per label, or a CSV of path, country, genre, artist.

music/Turkey/song.mp3    music/Turkey/Artist/song.mp3     or     music/labels.csv with path,country,artist
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from geoclass.audio.decode import AUDIO_SUFFIXES
from geoclass.corpora.base import Skipped, Track, check_root, check_task, file_problem, with_official_split
from geoclass.corpora.tables import coordinates, find_columns, finite, header_of, read_rows
from geoclass.errors import CorpusError, UsageError
from geoclass.geo.countries import find_country
from geoclass.text import name_key
from geoclass.vocabulary import SPLITS

CSV_NAMES = ("labels.csv", "metadata.csv")  # looked for in the folder, in this order
_SPLITS = {"train": "train", "training": "train", "valid": "valid", "validation": "valid", "test": "test"}
_UNKNOWN = "unknown country: "
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
        self._csv = next((path for path in candidates if path.is_file()), None)
        self._root = root.parent if root.is_file() else root
        self.audio_root: Path | None = self._root
        self.columns: tuple[str, ...] = ()
        self.notes: list[str] = []
        if self._csv is not None:
            self.description = f"{self._csv.name} of a folder; labels as stated there"
            self._csv_rows(self._csv)  # finds missing columns now
            return
        if len(self._tasks) > 1:
            raise UsageError(
                f"the sub-folders of {root} give one label, not {task}",
                hint=f"write {root / CSV_NAMES[0]} with path,country,genre,artist, or choose one --task",
            )
        labels = [path.name for path in self._label_folders()]
        if not labels:
            raise CorpusError(f"{root} has neither {CSV_NAMES[0]} nor sub-folders", hint=f"expected: {_EXPECTED}")
        if self._tasks == ("country",) and not any(_country(label) for label in labels):
            raise CorpusError(
                f"no sub-folder of {root} is named after a country: {', '.join(labels[:3])}"
                + (", …" if len(labels) > 3 else ""),
                hint='use names or ISO codes ("Turkey", "TR"), or --task genre',
            )
        self.description = f"folder {root.name}, one sub-folder per {self._tasks[0]}"

    def tracks(self) -> Iterator[Track | Skipped]:
        """The rows of the CSV in their order, or the sound files by path."""
        self.notes.clear()
        if self._csv is None:
            yield from self._from_tree()
        else:
            found = list(self._from_csv(self._csv))
            _refuse_unknown(found, self._csv)
            yield from with_official_split(found, notes=self.notes)

    # ---- sub-folders ---------------------------------------------------------------------------------------------

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
        country = _country(label) if self._tasks == ("country",) else ""
        path = _printable(relative.as_posix())
        problem = file_problem(self._root / relative)
        if path != relative.as_posix():
            problem = "file name is not UTF-8"
        elif self._tasks == ("country",) and not country:
            problem = _UNKNOWN + label
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

    # ---- CSV -----------------------------------------------------------------------------------------------------

    def _csv_rows(self, path: Path) -> tuple[dict[str, int], Iterator[tuple[int, list[str]]]]:
        """Where the columns are, and the rows below the header."""
        rows = read_rows(path)
        header = header_of(rows, path)
        optional = ["artist", "album", "title", "split", "duration_s", "latitude", "longitude", "place", "genres"]
        names = {name: (name,) for name in ["country", "genre", *optional]} | {"licence": ("licence", "license")}
        lower = {name.strip().casefold() for name in header}
        required: dict[str, tuple[str, ...]] = {"path": ("path", "file", "filename")}
        if "country" in self._tasks and not ({"latitude", "longitude"} <= lower or "place" in lower):
            required["country"] = ("country",)
        if "genre" in self._tasks and "genres" not in lower:
            required["genre"] = ("genre",)
        return find_columns(header, path, required=required, optional=names), rows

    def _from_csv(self, csv: Path) -> Iterator[Track | Skipped]:
        places, rows = self._csv_rows(csv)
        seen: set[str] = set()
        for line, row in rows:
            fields = {name: row[index].strip() if index < len(row) else "" for name, index in places.items()}
            yield self._row(line, fields, seen)

    def _row(self, line: int, fields: dict[str, str], seen: set[str]) -> Track | Skipped:
        path = self._relative(fields["path"])
        stated, split = fields.get("country", ""), fields.get("split", "").casefold()
        country = _country(stated) if stated else ""
        if not path:
            problem = "line without a path"
        elif path in seen:
            problem = "path is listed twice"
        elif split and split not in _SPLITS:
            problem = f"unknown split: expected {', '.join(SPLITS)}"
        elif stated and not country and "country" in self._tasks:
            problem = _UNKNOWN + stated
        else:
            problem = file_problem(self._root / path)
        if problem:
            return Skipped(track_id=path or f"line {line}", path=path, reason=problem)
        seen.add(path)
        genres = tuple(part for text in fields.get("genres", "").split("|") if (part := text.strip()))
        genre = fields.get("genre", "") or (genres[0] if len(genres) == 1 else "")
        latitude, longitude = coordinates(fields.get("latitude", ""), fields.get("longitude", ""))
        artist = fields.get("artist", "")
        return Track(
            track_id=path,
            path=path,
            artist_id=name_key(artist),
            artist=artist,
            album=fields.get("album", ""),
            title=fields.get("title", ""),
            latitude=latitude,
            longitude=longitude,
            place=fields.get("place", ""),
            country=country,
            genre=genre,
            genres=genres or ((genre,) if genre else ()),
            duration_s=finite(fields.get("duration_s", "")),
            split=_SPLITS.get(split, ""),
            licence=fields.get("licence", ""),
        )

    def _relative(self, text: str) -> str:
        """A path of the CSV in POSIX form, relative to the root if it is below it, else absolute."""
        if not text:
            return ""
        path = Path(text)
        if path.is_absolute() and path.is_relative_to(self._root.absolute()):
            path = path.relative_to(self._root.absolute())
        return path.as_posix()


def _refuse_unknown(found: list[Track | Skipped], path: Path) -> None:
    """One error instead of a table of nothing but unknown countries."""
    if any(isinstance(track, Track) for track in found):
        return
    reasons = {track.reason for track in found if isinstance(track, Skipped)}
    unknown = sorted(reason for reason in reasons if reason.startswith(_UNKNOWN))
    if unknown:
        names = ", ".join(reason.removeprefix(_UNKNOWN) for reason in unknown[:3])
        raise CorpusError(f"{path} names no known country: {names}", hint='use names or ISO codes ("TR")')


def _country(name: str) -> str:
    return find_country(name) or ""


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
