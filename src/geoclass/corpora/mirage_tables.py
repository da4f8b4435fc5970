"""The tables of MIRAGE: a broadcast per row, with what other tables say of its track, artist, station and location."""

from collections.abc import Iterator
from pathlib import Path

from geoclass.corpora.tables import find_columns, header_of, read_rows
from geoclass.errors import CorpusError

NAMES: dict[str, tuple[str, ...]] = {
    "track": ("track_name", "track_title", "track"),
    "artist": ("artist_name", "artist"),
}
STATION: dict[str, tuple[str, ...]] = {"country": ("country", "country_name", "location_country")}
ARTIST: dict[str, tuple[str, ...]] = {
    "artist_country": ("artist_country", "artist_country_name", "artist_location_country")
}
_TABLES = ("tracks", "artists", "stations", "locations")  # joined to events.csv in this order, by track_id and so on
EXPECTED = "MIRAGE.csv, or events.csv with tracks.csv, artists.csv, stations.csv and locations.csv"


class Broadcasts:
    """The broadcasts: rows of MIRAGE.csv, or of events.csv joined with the tables it refers to."""

    def __init__(self, root: Path) -> None:
        places = [root] if root.is_file() else [root / "MIRAGE.csv", root / "events.csv"]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise CorpusError(f"no MIRAGE.csv or events.csv in {root}", hint=f"expected: {EXPECTED}")
        self._path = path
        header = header_of(read_rows(path), path)
        self._lookups: list[tuple[str, dict[str, dict[str, str]]]] = []
        columns = list(header)
        if path.name == "events.csv":
            for name in _TABLES:
                if (table := path.with_name(f"{name}.csv")).is_file():
                    found, rows = _read_lookup(table, key=f"{name.removesuffix('s')}_id")
                    self._lookups.append((f"{name.removesuffix('s')}_id", rows))
                    columns += found
        artist = find_columns(columns, path, required={}, optional=ARTIST)
        self.has_artist_country = bool(artist)
        country = {} if artist else STATION
        # Found among all columns, so that one message names what no table has.
        find_columns(columns, path, required=NAMES | country)
        self._wanted = {**NAMES, "country": ARTIST["artist_country"] if artist else STATION["country"]}
        self._header = [column.strip().casefold() for column in header]

    def rows(self) -> Iterator[tuple[int, str, str, str]]:
        """(line, track, artist, name of the country), stripped; "" for what is not there."""
        rows = read_rows(self._path)
        next(rows)
        names = (self._wanted["track"], self._wanted["artist"], self._wanted["country"])
        if not self._lookups:
            places = [next(self._header.index(name) for name in accepted if name in self._header) for accepted in names]
            for line, row in rows:
                title, artist, country = (row[place].strip() if place < len(row) else "" for place in places)
                yield line, title, artist, country
            return
        for line, row in rows:
            merged = dict(zip(self._header, row, strict=False))
            for key, lookup in self._lookups:
                merged = {**lookup.get(merged.get(key, ""), {}), **merged}
            title, artist, country = (
                next((text for name in accepted if (text := merged.get(name, "").strip())), "") for accepted in names
            )
            yield line, title, artist, country


def _read_lookup(path: Path, *, key: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    """The wanted columns of a table that events.csv refers to, and its rows by their id."""
    rows = read_rows(path)
    header = [column.strip().casefold() for column in header_of(rows, path)]
    place = find_columns(header, path, required={key: (key, "id")})[key]
    wanted = {name for accepted in (NAMES | STATION | ARTIST).values() for name in accepted}
    # The country in artists.csv is the artist's.
    renamed = {"country": "artist_country", "country_name": "artist_country"} if path.stem == "artists" else {}
    kept = {
        index: renamed.get(column, column)
        for index, column in enumerate(header)
        if index != place and (column in wanted or column.endswith("_id"))
    }
    table = {
        row[place]: {column: row[index] for index, column in kept.items() if index < len(row)}
        for _, row in rows
        if place < len(row)
    }
    return list(kept.values()), table
