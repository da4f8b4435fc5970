"""CSV files from outside: read line by line, columns found by any of their names, numbers checked."""

import csv
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geoclass.errors import CorpusError

LONGEST_FIELD = 2**31 - 1  # characters; biographies in FMA pass the 131,072 that the csv module allows
_LISTED = 10  # columns that a note names


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with the number of the line that each ends on; blank lines are skipped.

    Only one row is in memory at a time.

    Raises:
        CorpusError: Unreadable, not UTF-8, or not CSV.
    """
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    yield reader.line_num, row
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8: {error.reason}", hint="save it as UTF-8") from error
    except csv.Error as error:
        raise CorpusError(f"{path} is not a CSV file: {error}") from error


def header_of(rows: Iterator[tuple[int, list[str]]], path: Path) -> list[str]:
    """The first row.

    Raises:
        CorpusError: There is none.
    """
    first = next(rows, None)
    if first is None:
        raise CorpusError(f"{path} is empty", hint="download it again")
    return first[1]


def find_columns(
    header: Sequence[str],
    path: Path,
    *,
    required: Mapping[str, Sequence[str]],
    optional: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, int]:
    """Where the wanted columns are: our name -> index. Names are compared without regard to case and outer spaces.

    Args:
        header: The names that the file has.
        path: The file, for messages.
        required: Our name -> the names accepted for it, best first.
        optional: Likewise; those that are not there are left out of the result.

    Raises:
        CorpusError: Names every required column that is missing, and what is accepted in its place.
    """
    places = {name.strip().casefold(): index for index, name in reversed(list(enumerate(header)))}
    found: dict[str, int] = {}
    missing: list[str] = []
    for ours, accepted in {**required, **(optional or {})}.items():
        index = next((places[name.casefold()] for name in accepted if name.casefold() in places), None)
        if index is not None:
            found[ours] = index
        elif ours in required:
            missing.append(ours if list(accepted) == [ours] else f"{ours} (accepted: {', '.join(accepted)})")
    if missing:
        shown = ", ".join(header[:20]) + (", …" if len(header) > 20 else "")
        raise CorpusError(
            f"{path} has no column for {' and none for '.join(missing)}", hint=f"its columns are: {shown}"
        )
    return found


def find_table(name: str | Path, root: Path) -> Path:
    """A table that was asked for by its path, or by its name below `root`.

    Raises:
        CorpusError: It is in neither place.
    """
    for path in (Path(name), root / name):
        if path.is_file():
            return path
    raise CorpusError(f"no table {name}, neither as given nor in {root}", hint="give the path of a CSV file")


def finite(text: str) -> float | None:
    """The number in `text`; None when it is not a number, infinite or NaN."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def coordinates(latitude: str, longitude: str) -> tuple[float, float] | tuple[None, None]:
    """A pair in degrees north and east; (None, None) unless both are numbers on the globe."""
    north, east = finite(latitude), finite(longitude)
    if north is None or east is None or not (-90 <= north <= 90 and -180 <= east <= 180):
        return None, None
    return north, east


@dataclass(frozen=True, kw_only=True)
class NumberTable:
    """Rows of numbers by key, without uninformative columns."""

    columns: tuple[str, ...]  # those that are kept
    constant: tuple[str, ...]  # those with one value in all rows: left out
    copies: tuple[str, ...]  # those equal to one before them in all rows: left out, for they would count twice
    faults: Mapping[str, str]  # key -> why its row cannot be used
    repeated: int  # rows whose key was there before; the first row counts
    _places: tuple[int, ...]  # of `columns` in the rows
    _rows: Mapping[str, "array[float]"]

    def __contains__(self, key: str) -> bool:
        return key in self._rows or key in self.faults

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, key: str) -> dict[str, float]:
        """The numbers of a key that has a row without a fault."""
        values = self._rows[key]
        return {column: values[place] for column, place in zip(self.columns, self._places, strict=True)}

    def notes(self, path: Path) -> list[str]:
        """What was left out of the table, for people."""
        said = {
            f"left out, the same value in all rows: {_listed(self.constant)}": self.constant,
            f"left out, copies of another column: {_listed(self.copies)}": self.copies,
            f"{self.repeated:,} rows repeat a key and are ignored": self.repeated,
        }
        return [f"{path.name}: {note}" for note, happened in said.items() if happened]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def number_table(path: Path, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> NumberTable:
    """Turn rows of text into numbers.

    Args:
        path: The file, for messages.
        columns: Names of the numbers.
        rows: (key, one text per column); rows of another length and numbers that are not finite are faults.

    Raises:
        CorpusError: No usable row, or no column whose values differ.
    """
    numbers: dict[str, array[float]] = {}
    faults: dict[str, str] = {}
    repeated = 0
    for key, texts in rows:
        if key in numbers or key in faults:
            repeated += 1
        elif len(texts) != len(columns):
            faults[key] = f"wrong number of values: expected {len(columns)}, found {len(texts)}"
        elif None in (values := [finite(text) for text in texts]):
            faults[key] = f"{columns[values.index(None)]} is not a finite number"
        else:
            numbers[key] = array("d", values)  # type: ignore[arg-type]
    if not numbers:
        found = f"; the first fault: {next(iter(faults.values()))}" if faults else ""
        raise CorpusError(f"{path} has no usable row of numbers{found}", hint="download it again")
    places, constant, copies = _informative(numbers, len(columns))
    if not places:
        raise CorpusError(
            f"every column of {path} has the same value in all {len(numbers)} rows", hint="is it the right table?"
        )
    return NumberTable(
        columns=tuple(columns[place] for place in places),
        constant=tuple(columns[place] for place in constant),
        copies=tuple(columns[place] for place in copies),
        faults=faults,
        repeated=repeated,
        _places=tuple(places),
        _rows=numbers,
    )


def _informative(numbers: Mapping[str, "array[float]"], n_columns: int) -> tuple[list[int], list[int], list[int]]:
    """Columns with values of their own, columns with one value in all rows, and copies of a column before them."""
    rows = list(numbers.values())
    places: list[int] = []
    constant: list[int] = []
    copies: list[int] = []
    for place in range(n_columns):
        if all(row[place] == rows[0][place] for row in rows):
            constant.append(place)
        elif any(all(row[place] == row[other] for row in rows) for other in places):
            copies.append(place)
        else:
            places.append(place)
    return places, constant, copies
