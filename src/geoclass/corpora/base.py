"""What every corpus gives: tracks with their labels and places, and the files that it had to leave out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Track:
    """One recording of a corpus, as the corpus describes it.

    Country and coordinates may both be missing: the build step resolves coordinates and place names to countries.
    """

    track_id: str  # unique in the corpus
    path: str = ""  # POSIX, relative to the corpus' audio root; "" when the corpus has only a table
    artist_id: str = ""  # what artist-disjoint splits keep together; "" when unknown: the track stands alone
    artist: str = ""
    album: str = ""
    title: str = ""
    latitude: float | None = None  # degrees north
    longitude: float | None = None  # degrees east
    place: str = ""  # free text, such as "Brooklyn, NY"
    country: str = ""  # ISO 3166-1 alpha-2, when the corpus itself knows it
    genre: str = ""  # the one genre
    genres: tuple[str, ...] = ()  # all genres, parents included
    duration_s: float | None = None
    split: str = ""  # "train", "valid" or "test" when the corpus has an official split
    licence: str = ""
    features: Mapping[str, float] | None = field(default=None, repr=False)  # a table's row: column -> number


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A track that the corpus lists and that cannot be used, with the reason."""

    track_id: str
    path: str
    reason: str


class Corpus(Protocol):
    """A corpus on disk. Constructing one checks its layout; iterating it reads it."""

    name: str  # short, in file names and reports: "fma", "gtzan"
    audio_root: Path | None  # what `Track.path` is relative to; None for a table
    description: str  # one line for reports: which subset, which country it means (artist's, station's)
    columns: tuple[str, ...]  # of `Track.features`; () when the corpus is sound

    def tracks(self) -> Iterator[Track | Skipped]:
        """All tracks in the corpus' own order; each line of the metadata gives one Track or one Skipped."""
        ...
