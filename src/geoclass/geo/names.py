"""The names of places and what each may mean: the compiled table behind the gazetteer.

`data/gazetteer.npz` is made by `tools/make_gazetteer.py` and read in some 30 ms. It holds plain arrays: the names, one
below the other in one string, in order; for each name a run of meanings; for each meaning a place, a weight, and
whether the name alone means that place.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import GeoError

DATA = Path(__file__).parent / "data"
KINDS = ("city", "region", "country")
_UNIT_DEGREES = 1e-5  # what coordinates are rounded to: 1 m, and as fine as GeoNames states them


class Entry(NamedTuple):
    """One meaning of a name."""

    name: str
    kind: str  # one of KINDS
    country: str  # ISO 3166-1 alpha-2
    state: str  # code of the US state, "" elsewhere
    latitude: float  # degrees north
    longitude: float  # degrees east
    weight: float  # people; a fifth of them for an alternative name of a city
    alone: bool  # whether the name means this place with nothing beside it


class _Lines(Sequence[str]):
    """The lines of a text, of which only those that are asked for are decoded."""

    def __init__(self, letters: NDArray[np.uint8]) -> None:
        self._text = letters.tobytes()
        self._ends = np.append(np.flatnonzero(letters == ord("\n")), len(letters))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        start = self._ends[index - 1] + 1 if index else 0
        return self._text[start : self._ends[index]].decode()


class _Names:
    """The table, of which only the meanings that are asked for become objects."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.keys = _Lines(arrays["keys"])
        self.starts = arrays["starts"]  # of each key's run of meanings, and the end of the last
        self.place, self.weight, self.alone = arrays["place"], arrays["weight"], arrays["alone"]
        self.place_names = _Lines(arrays["place_names"])
        self.kind, self.country, self.state = arrays["kind"], arrays["country"], arrays["state"]
        self.point = arrays["point"]

    def entries(self, key: str) -> list[Entry]:
        row = bisect_left(self.keys, key)
        if row == len(self.keys) or self.keys[row] != key:
            return []
        return [self._entry(meaning) for meaning in range(self.starts[row], self.starts[row + 1])]

    def _entry(self, meaning: int) -> Entry:
        place = int(self.place[meaning])
        latitude, longitude = (round(int(number) * _UNIT_DEGREES, 5) for number in self.point[place])
        return Entry(
            name=self.place_names[place],
            kind=KINDS[self.kind[place]],
            country=str(self.country[place]),
            state=str(self.state[place]),
            latitude=latitude,
            longitude=longitude,
            weight=float(self.weight[meaning]),
            alone=bool(self.alone[meaning]),
        )


@lru_cache(maxsize=65_536)
def entries_of(name: str) -> Sequence[Entry]:
    """All meanings of a name in the form of `normalize_name`, the weightiest first; none when it is unknown.

    Raises:
        GeoError: The table is damaged.
    """
    return tuple(_names().entries(name))


def all_names() -> Iterator[tuple[str, Sequence[Entry]]]:
    """Every name with its meanings, in alphabetical order."""
    table = _names()
    for key in table.keys:
        yield key, tuple(table.entries(key))


def save_names(names: Mapping[str, Sequence[Entry]], path: Path) -> None:
    """Write a table: normalized name -> its meanings, the weightiest first."""
    names = dict(sorted(names.items()))
    entries = [entry for run in names.values() for entry in run]
    places = list(dict.fromkeys(entry[:6] for entry in entries))
    row_of_place = {place: row for row, place in enumerate(places)}
    columns = list(zip(*places, strict=True))
    points = np.round(np.array(columns[4:6], np.float64).T / _UNIT_DEGREES)
    np.savez_compressed(
        path,
        keys=_joined(list(names)),
        starts=np.concatenate([[0], np.cumsum([len(run) for run in names.values()])]).astype(np.int32),
        place=np.array([row_of_place[entry[:6]] for entry in entries], np.int32),
        weight=np.array([entry.weight for entry in entries], np.float64),
        alone=np.array([entry.alone for entry in entries], np.bool_),
        place_names=_joined(columns[0]),
        kind=np.array([KINDS.index(kind) for kind in columns[1]], np.uint8),
        country=np.array(columns[2], "U2"),
        state=np.array(columns[3], "U2"),
        point=points.astype(np.int32),
    )


@cache
def _names() -> _Names:
    path = DATA / "gazetteer.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _Names({name: arrays[name] for name in arrays.files})
    except Exception as error:  # zipfile, zlib and numpy each have errors of their own for a damaged file
        raise GeoError(f"cannot read the gazetteer in {path}: {error}", hint="install geoclass again") from error


def _joined(names: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode(), np.uint8)
