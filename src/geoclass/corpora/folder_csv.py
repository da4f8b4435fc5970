"""A CSV that labels the sound files of a folder: path, country, genre, artist and so on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from geoclass.corpora.base import Skipped, Track, file_problem
from geoclass.corpora.tables import coordinates, find_columns, finite, header_of, read_rows
from geoclass.errors import CorpusError
from geoclass.geo.countries import find_country
from geoclass.text import name_key
from geoclass.vocabulary import SPLITS

UNKNOWN = "unknown country: "
_SPLITS = {"train": "train", "training": "train", "valid": "valid", "validation": "valid", "test": "test"}
_OPTIONAL = (
    "country", "genre", "artist", "album", "title", "split", "duration_s", "latitude", "longitude", "place", "genres",
)  # fmt: skip


class LabelTable:
    """The rows of such a CSV; see `Folder` for its columns.

    Args:
        path: The CSV.
        root: The folder that its paths are relative to.
        tasks: The labels that are wanted.

    Raises:
        CorpusError: A column is missing.
    """

    def __init__(self, path: Path, *, root: Path, tasks: Sequence[str]) -> None:
        self._path, self._root, self._tasks = path, root, tasks
        self._rows()

    def tracks(self) -> Iterator[Track | Skipped]:
        """The rows in their order.

        Raises:
            CorpusError: No row can be used, for the countries are unknown.
        """
        found = [*self._read()]
        _refuse_unknown(found, self._path)
        yield from found

    def _rows(self) -> tuple[dict[str, int], Iterator[tuple[int, list[str]]]]:
        """Where the columns are, and the rows below the header."""
        rows = read_rows(self._path)
        header = header_of(rows, self._path)
        optional = {name: (name,) for name in _OPTIONAL} | {"licence": ("licence", "license")}
        lower = {name.strip().casefold() for name in header}
        required: dict[str, tuple[str, ...]] = {"path": ("path", "file", "filename")}
        if "country" in self._tasks and not ({"latitude", "longitude"} <= lower or "place" in lower):
            required["country"] = ("country",)
        if "genre" in self._tasks and "genres" not in lower:
            required["genre"] = ("genre",)
        return find_columns(header, self._path, required=required, optional=optional), rows

    def _read(self) -> Iterator[Track | Skipped]:
        places, rows = self._rows()
        seen: set[str] = set()
        for line, row in rows:
            fields = {name: row[index].strip() if index < len(row) else "" for name, index in places.items()}
            yield self._row(line, fields, seen)

    def _row(self, line: int, fields: dict[str, str], seen: set[str]) -> Track | Skipped:
        path = self._relative(fields["path"])
        stated, split = fields.get("country", ""), fields.get("split", "").casefold()
        country = (find_country(stated) or "") if stated else ""
        if not path:
            problem = "line without a path"
        elif path in seen:
            problem = "path is listed twice"
        elif split and split not in _SPLITS:
            problem = f"unknown split: expected {', '.join(SPLITS)}"
        elif stated and not country and "country" in self._tasks:
            problem = UNKNOWN + stated
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
    unknown = sorted(reason for reason in reasons if reason.startswith(UNKNOWN))
    if unknown:
        names = ", ".join(reason.removeprefix(UNKNOWN) for reason in unknown[:3])
        raise CorpusError(f"{path} names no known country: {names}", hint='use names or ISO codes ("TR")')
