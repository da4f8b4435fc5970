"""FMA, the Free Music Archive data set (Defferrard, Benzi, Vandergheynst, Bresson, ISMIR 2017).

`fma_metadata/tracks.csv` has two header rows and a third that holds only "track_id"; the audio is in
`fma_small/000/000002.mp3` and so on. Countries come from the artists' coordinates or, failing that, their location.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, get_args

from geoclass.corpora.base import Skipped, Track, check_root, check_task, file_problem, with_official_split
from geoclass.corpora.tables import coordinates, find_columns, finite, header_of, read_rows
from geoclass.errors import CorpusError, UsageError
from geoclass.text import plain_text

Subset = Literal["small", "medium", "large", "full"]
SUBSETS: tuple[Subset, ...] = get_args(Subset)  # each contains those before it; "full" is "large" untrimmed
CLIP_S = 30.0  # seconds: what the sound of every subset but "full" is cut to

_SPLITS = {"training": "train", "validation": "valid", "test": "test"}
_ALWAYS = (("track", "title"), ("artist", "id"), ("artist", "name"), ("set", "split"), ("set", "subset"))
_FOR_TASK = {
    "country": (("artist", "latitude"), ("artist", "longitude"), ("artist", "location")),
    "genre": (("track", "genre_top"), ("track", "genres_all")),
}
_WHEN_THERE = (
    *(("album", "title"), ("track", "duration"), ("track", "license"), ("track", "genre_top")),
    *_FOR_TASK["country"],
)
_EXPECTED = (
    "fma_metadata/tracks.csv (from fma_metadata.zip) and beside it, or under fma_audio/, a folder such as fma_small "
    "with 000/000002.mp3 (from fma_small.zip); see https://github.com/mdeff/fma"
)


class FMA:
    """The tracks of one subset of FMA.

    Args:
        root: The folder that holds `fma_metadata/` and the sound, or `fma_metadata` itself.
        subset: Subsets are ordered: "medium" holds the tracks of "small" too. The folder of a larger subset serves.
        task: "country", "genre" or "country,genre": which columns must be there.

    Raises:
        CorpusError: Missing or empty root, a subset without sound, a missing column.
        UsageError: An unknown subset or task.
    """

    name: ClassVar[str] = "fma"
    tasks: ClassVar[tuple[str, ...]] = ("country", "genre")

    def __init__(self, root: str | Path, *, subset: str = "small", task: str = "country") -> None:
        root = Path(root)
        if subset not in SUBSETS:
            raise UsageError(f"FMA has no subset {subset!r}", hint=f"expected one of {', '.join(SUBSETS)}")
        self._tasks = check_task("FMA", task, self.tasks)
        check_root("FMA", root, expected=_EXPECTED)
        metadata = next((place for place in (root / "fma_metadata", root) if (place / "tracks.csv").is_file()), None)
        if metadata is None:
            raise CorpusError(f"no tracks.csv in {root} or {root / 'fma_metadata'}", hint=f"expected: {_EXPECTED}")
        self.subset = subset
        self._csv = metadata / "tracks.csv"
        self._audio = _find_audio(root, metadata, subset)
        self.audio_root: Path | None = self._audio
        self.columns: tuple[str, ...] = ()
        self.notes: list[str] = []
        self.description = (
            f"FMA {subset}, sound from {self._audio.name}; country from the artist's coordinates or place"
        )
        next(self._rows(), None)  # finds missing columns now, not after minutes
        self._genres = _read_genres(metadata / "genres.csv") if "genre" in self._tasks else {}

    def tracks(self) -> Iterator[Track | Skipped]:
        """The tracks of the subset in the order of tracks.csv."""
        self.notes.clear()
        wanted = set(SUBSETS[: SUBSETS.index(self.subset) + 1])
        found: list[Track | Skipped] = []
        outside = 0
        for track_id, row in self._rows():
            if isinstance(row, str):
                found.append(Skipped(track_id=track_id, path="", reason=row))
            elif row["set.subset"] in wanted or self.subset == "full":
                found.append(self._track(int(track_id), row))
            else:
                outside += 1
        if outside:
            self.notes.append(f"{outside:,} tracks of tracks.csv are outside the subset {self.subset}")
        yield from with_official_split(found, notes=self.notes)

    def _track(self, number: int, row: dict[str, str]) -> Track | Skipped:
        path = f"{number // 1000:03d}/{number:06d}.mp3"
        problem = file_problem(f"{self._audio}/{path}")  # a Path of each takes longer than asking the system
        genres = self._titles(row.get("track.genres_all", "")) if "genre" in self._tasks else ()
        if isinstance(genres, str):
            problem = problem or genres
        if problem or isinstance(genres, str):
            return Skipped(track_id=str(number), path=path, reason=problem)
        latitude, longitude = coordinates(row.get("artist.latitude", ""), row.get("artist.longitude", ""))
        duration_s = finite(row.get("track.duration", ""))
        if duration_s is not None and self._audio.name != "fma_full":
            duration_s = min(duration_s, CLIP_S)
        return Track(
            track_id=str(number),
            path=path,
            artist_id=row["artist.id"].strip(),
            artist=plain_text(row["artist.name"]),
            album=plain_text(row.get("album.title", "")),
            title=plain_text(row["track.title"]),
            latitude=latitude,
            longitude=longitude,
            place=plain_text(row.get("artist.location", "")),
            genre=plain_text(row.get("track.genre_top", "")),
            genres=genres,
            duration_s=duration_s,
            split=_SPLITS.get(row["set.split"].strip(), ""),
            licence=plain_text(row.get("track.license", "")),
        )

    def _rows(self) -> Iterator[tuple[str, dict[str, str] | str]]:
        """(track id, needed fields by "level0.level1"), or (track id, what is wrong with the line)."""
        rows = read_rows(self._csv)
        tops, names = header_of(rows, self._csv), header_of(rows, self._csv)
        required = [*_ALWAYS, *(column for task in self._tasks for column in _FOR_TASK[task])]
        try:
            places = find_columns(
                [f"{top}.{name}" for top, name in zip(tops, names, strict=False)],
                self._csv,
                required={f"{top}.{name}": (f"{top}.{name}",) for top, name in required},
                optional={f"{top}.{name}": (f"{top}.{name}",) for top, name in _WHEN_THERE},
            )
        except CorpusError as error:
            raise CorpusError(
                error.message,
                hint="expected FMA's own tracks.csv, whose first two rows are headers (album, artist, set, track above "
                "their fields); download fma_metadata.zip again",
            ) from error
        for line, row in rows:
            if row[0] == "track_id":
                continue
            if not row[0].isdecimal():
                yield f"line {line}", "line without a track id"
            elif len(row) != len(names):
                yield row[0], f"wrong number of columns: expected {len(names)} as in the header, found {len(row)}"
            else:
                yield row[0], {column: row[index] for column, index in places.items()}

    def _titles(self, text: str) -> tuple[str, ...] | str:
        """Titles of a list of genre ids such as "[25, 12]" and of their parents, or what is wrong with it."""
        try:
            ids = [int(number) for number in json.loads(text or "[]")]
        except (ValueError, TypeError):
            return "genres_all is not a list of genre ids"
        titles: dict[str, None] = {}
        for genre_id in ids:
            if genre_id not in self._genres:
                return "genres_all has an id that is not in genres.csv"
            seen: set[int] = set()
            while genre_id in self._genres and genre_id not in seen:
                seen.add(genre_id)
                title, genre_id = self._genres[genre_id]
                titles[title] = None
        return tuple(titles)


def _read_genres(path: Path) -> dict[int, tuple[str, int]]:
    """Genre id -> (title, id of the parent, 0 for a top genre)."""
    rows = read_rows(path)
    wanted = {name: (name,) for name in ("genre_id", "parent", "title")}
    places = find_columns(header_of(rows, path), path, required=wanted)
    genres: dict[int, tuple[str, int]] = {}
    for line, row in rows:
        try:
            genre_id, parent = int(row[places["genre_id"]]), int(row[places["parent"]] or 0)
            genres[genre_id] = (plain_text(row[places["title"]]), parent)
        except (ValueError, IndexError) as error:
            raise CorpusError(f"{path}, line {line}: not a genre: {','.join(row)}", hint="download it again") from error
    return genres


def _find_audio(root: Path, metadata: Path, subset: str) -> Path:
    """The folder with 000/, 001/, … that has the sound of `subset`; the smallest that does."""
    names = [f"fma_{name}" for name in SUBSETS[SUBSETS.index(subset) :]]
    bases = dict.fromkeys([root, metadata.parent, root / "fma_audio", metadata.parent / "fma_audio"])
    places = [base / name for name in names for base in bases]
    if subset != "full":  # unpacked straight into fma_audio/
        places += [base for base in bases if base.name == "fma_audio"]
    for place in places:
        if place.is_dir() and any(child.is_dir() and child.name.isdecimal() for child in place.iterdir()):
            return place
    raise CorpusError(
        f"no sound for the FMA subset {subset}: none of {', '.join(names)} holds folders such as 000/ in "
        f"{' or '.join(str(base) for base in bases)}",
        hint=f"unpack fma_{subset}.zip there, or choose another --fma-subset",
    )
