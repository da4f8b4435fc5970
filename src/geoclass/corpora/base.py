"""The interface of all corpora: tracks with their labels and places, and the files left out."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from geoclass.errors import CorpusError, UsageError
from geoclass.vocabulary import SPLITS


class Track(NamedTuple):  # which is made four times as fast as a frozen dataclass: some corpora have 100,000
    """One recording of a corpus, as the corpus describes it. Its fields are given and read by name.

    Country and coordinates may both be missing: the build step resolves coordinates and place names to countries.
    """

    track_id: str  # unique in the corpus
    path: str = ""  # POSIX, relative to the corpus' audio root; "" when the corpus has only a table
    artist_id: str = ""  # artist-disjoint splits keep it together; "" if unknown: a separate group
    artist: str = ""
    album: str = ""
    title: str = ""
    latitude: float | None = None  # degrees north
    longitude: float | None = None  # degrees east
    place: str = ""  # free text, such as "Brooklyn, NY"
    country: str = ""  # ISO 3166-1 alpha-2, where the corpus states it
    genre: str = ""  # the one genre
    genres: tuple[str, ...] = ()  # all genres, parents included
    duration_s: float | None = None  # of the file, according to the metadata
    split: str = ""  # "train", "valid" or "test" when the corpus has an official split
    licence: str = ""
    features: Mapping[str, float] | None = None  # a table's row: column -> number


class Skipped(NamedTuple):
    """A track that the corpus lists and that cannot be used, with the reason.

    Reasons are counted: they name the kind of fault, not the file.
    """

    track_id: str
    path: str
    reason: str


class Corpus(Protocol):
    """A corpus on disk. Constructing one checks its layout; iterating it reads it."""

    name: ClassVar[str]  # short, in file names and reports: "fma", "gtzan"
    tasks: ClassVar[tuple[str, ...]]  # which labels it can give: "country", "genre"
    audio_root: Path | None  # what `Track.path` is relative to; None for a table
    description: str  # one line for reports: which subset, which country it means (artist's, station's)
    columns: tuple[str, ...]  # of `Track.features`; () when the corpus is sound
    notes: list[str]  # counts of lines that are neither a Track nor a Skipped; filled by `tracks()`

    def tracks(self) -> Iterator[Track | Skipped]:
        """All tracks in an order that depends on the files alone. Nothing that is listed is dropped silently.

        Each line of the metadata (each file, in a folder) gives one Track or one Skipped, or is counted in `notes`.
        """
        ...


def check_task(corpus: str, task: str, accepted: Sequence[str]) -> tuple[str, ...]:
    """The parts of a task such as "country,genre".

    Raises:
        UsageError: The corpus does not have these labels.
    """
    tasks = tuple(part.strip() for part in task.split(",") if part.strip())
    if not tasks or not set(tasks) <= set(accepted):
        raise UsageError(
            f"{corpus} has no labels for task {task!r}; it has {' and '.join(accepted)}",
            hint=f"try --task {','.join(accepted)}",
        )
    return tasks


def check_root(corpus: str, root: Path, *, expected: str) -> None:
    """Refuse a root that is missing or empty.

    Raises:
        CorpusError: With `expected` (the layout) as the hint.
    """
    try:
        empty = root.is_dir() and next(root.iterdir(), None) is None
    except OSError as error:
        raise CorpusError(f"cannot read {root}: {error.strerror}") from error
    if empty or not root.exists():
        state = "is empty" if empty else "does not exist"
        raise CorpusError(f"the {corpus} folder {root} {state}", hint=f"expected there: {expected}")


def file_problem(path: str | Path) -> str:
    """Why a listed sound file cannot be used, without decoding it; "" if it can be tried."""
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        return "audio file is missing"
    except OSError as error:
        return f"audio file cannot be read: {error.strerror}"
    return "" if size else "audio file is empty (0 bytes)"


def with_official_split(found: Sequence[Track | Skipped], *, notes: list[str]) -> Iterator[Track | Skipped]:
    """Pass `found` on, without its official split when that split has no train, valid or test tracks left."""
    present = {track.split for track in found if isinstance(track, Track)}
    missing = [split for split in SPLITS if split not in present]
    if missing and present - {""}:
        notes.append(f"the official split is not used: it has no {' and no '.join(missing)} tracks here")
    for track in found:
        yield track._replace(split="") if missing and isinstance(track, Track) and track.split else track
