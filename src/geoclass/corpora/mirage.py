"""MIRAGE-MetaCorpus (Nguyen, Acosta, Dang, Sears, arXiv:2502.05250): a million broadcasts of 10,000 radio stations.

No sound: features come as a table joined on track and artist, or from Spotify. A broadcast is not a track: each pair
of track and artist counts once, at its first broadcast. The country is that of the station, unless the release has a
column for the artist's.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import ClassVar

from geoclass.corpora.base import Skipped, Track, check_root, check_task
from geoclass.corpora.mirage_tables import EXPECTED, NAMES, Broadcasts
from geoclass.corpora.spotify import BATCH, SPOTIFY_COLUMNS, SpotifyFeatures
from geoclass.corpora.tables import NumberTable, find_columns, find_table, header_of, number_table, read_rows
from geoclass.errors import CorpusError, UsageError
from geoclass.geo.countries import find_country
from geoclass.text import name_key

_LICENCE = "metadata: see the Zenodo record"


class MIRAGE:
    """The tracks that the stations played, each once, with thirteen numbers each.

    Args:
        root: The folder that holds `MIRAGE.csv` (or events.csv and the tables it refers to), or the CSV itself.
        features: A CSV with columns for track, artist and the thirteen of `SPOTIFY_COLUMNS`.
        spotify: Ask Spotify for the numbers instead; a `SpotifyFeatures` sets the place of the cache.
        task: "country".

    Raises:
        CorpusError: Missing or empty root, a missing column, a table without usable rows.
        UsageError: Another task, or not one of `features` and `spotify`.
    """

    name: ClassVar[str] = "mirage"
    tasks: ClassVar[tuple[str, ...]] = ("country",)

    def __init__(
        self,
        root: str | Path,
        *,
        features: str | Path | None = None,
        spotify: bool | SpotifyFeatures = False,
        task: str = "country",
    ) -> None:
        root = Path(root)
        check_task("MIRAGE", task, self.tasks)
        if (features is None) == (spotify is False):
            raise UsageError(
                "MIRAGE has no audio: its features come either from a table or from Spotify",
                hint="give --features CSV (track, artist and the 13 Spotify numbers) or --spotify",
            )
        check_root("MIRAGE", root, expected=EXPECTED)
        self._events = Broadcasts(root)
        self._table: NumberTable | None = None
        self._spotify: SpotifyFeatures | None = None
        if features is not None:
            self._csv = find_table(features, root)
            self._table = _read_features(self._csv)
        else:
            self._spotify = spotify if isinstance(spotify, SpotifyFeatures) else SpotifyFeatures()
        self.columns: tuple[str, ...] = self._table.columns if self._table else SPOTIFY_COLUMNS
        self.audio_root: Path | None = None
        self.notes: list[str] = []
        self.country_of = "artist" if self._events.has_artist_country else "station"
        self.description = f"MIRAGE, {len(self.columns)} features; country of the {self.country_of}"

    def tracks(self) -> Iterator[Track | Skipped]:
        """Each track at its first broadcast, in the order of the broadcasts."""
        self.notes.clear()
        yield from self._with_table(self._table) if self._table else self._with_spotify()

    def _with_table(self, table: NumberTable) -> Iterator[Track | Skipped]:
        self.notes += table.notes(self._csv)
        joined = unjoined = 0
        examples: list[str] = []
        for item in self._distinct():
            key = _key(item.title, item.artist) if isinstance(item, Track) else ""
            if isinstance(item, Skipped):
                yield item
            elif key not in table:
                unjoined += 1
                examples += [f"{item.title} by {item.artist}"] * (len(examples) < 3)
                yield Skipped(track_id=item.track_id, path="", reason=f"no row in {self._csv.name}")
            elif key in table.faults:
                yield Skipped(track_id=item.track_id, path="", reason=table.faults[key])
            else:
                joined += 1
                yield _with_features(item, table.row(key))
        if unjoined:
            found = f"{unjoined:,} of {joined + unjoined:,} tracks have no row in {self._csv.name}, such as "
            self.notes.append(found + "; ".join(examples))
            if not joined:
                raise CorpusError(self.notes[-1], hint="rows are joined on track and artist, without regard to case")

    def _with_spotify(self) -> Iterator[Track | Skipped]:
        assert self._spotify is not None
        items = self._distinct()
        while batch := list(islice(items, BATCH)):
            tracks = [item for item in batch if isinstance(item, Track)]
            answers = iter(self._spotify.look_up([(track.title, track.artist) for track in tracks]))
            for item in batch:
                if isinstance(item, Skipped):
                    yield item
                elif isinstance(answer := next(answers), str):
                    yield Skipped(track_id=item.track_id, path="", reason=answer)
                else:
                    yield _with_features(item, answer)

    def _distinct(self) -> Iterator[Track | Skipped]:
        """The first broadcast of each track, with its country and without features."""
        first: dict[str, str] = {}  # track and artist -> country
        repeats = elsewhere = 0
        unknown: dict[str, None] = {}
        for line, title, artist, name in self._events.rows():
            key, country = _key(title, artist), _country(name)
            if not (title and artist):
                yield Skipped(track_id=f"line {line}", path="", reason="broadcast without a track or an artist")
            elif key in first:
                repeats += 1
                elsewhere += bool(country) and first[key] != country
            elif not country:
                reason = f"unknown country: {name}" if name else f"no country of the {self.country_of}"
                unknown |= {name: None} if name else {}
                yield Skipped(track_id=f"line {line}", path="", reason=reason)
            else:
                first[key] = country
                yield Track(
                    track_id="mirage-" + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16],
                    artist_id=name_key(artist),
                    artist=artist,
                    title=title,
                    country=country,
                    licence=_LICENCE,
                )
        if not first and unknown:
            raise CorpusError(
                f"MIRAGE names no known country: {', '.join(list(unknown)[:3])}",
                hint="the country column takes names or ISO codes",
            )
        if repeats:
            self.notes.append(
                f"{repeats:,} broadcasts repeat a track and are ignored, {elsewhere:,} of them from another country"
            )


def _read_features(path: Path) -> NumberTable:
    rows = read_rows(path)
    header = header_of(rows, path)
    places = find_columns(header, path, required=NAMES | {column: (column,) for column in SPOTIFY_COLUMNS})
    numbers = [places[column] for column in SPOTIFY_COLUMNS]
    keyed = (
        (_key(row[places["track"]], row[places["artist"]]), [row[place] for place in numbers])
        if len(row) == len(header)
        else (f"line {line}", [])
        for line, row in rows
    )
    return number_table(path, SPOTIFY_COLUMNS, keyed)


def _with_features(track: Track, features: dict[str, float]) -> Track:
    return track._replace(features=features)


def _key(title: str, artist: str) -> str:
    return f"{title.strip().casefold()}\x1f{name_key(artist)}"


@lru_cache(maxsize=1024)
def _country(name: str) -> str:
    return (find_country(name) or "") if name else ""
