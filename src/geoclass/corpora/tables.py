"""CSV files of other people: read line by line, columns found by any of their names, numbers checked."""

import csv
import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from geoclass.errors import CorpusError

LONGEST_FIELD = 2**31 - 1  # characters; biographies in FMA pass the 131,072 that the csv module allows
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with the number of the line that each ends on; blank lines are passed over.

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
    """Where the wanted columns stand: our name -> index. Names are compared without case and outer spaces.

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
            missing.append(f"{ours} (accepted: {', '.join(accepted)})")
    if missing:
        shown = ", ".join(header[:20]) + (", …" if len(header) > 20 else "")
        raise CorpusError(
            f"{path} has no column for {' and none for '.join(missing)}", hint=f"its columns are: {shown}"
        )
    return found


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


def plain_text(text: str) -> str:
    """`text` without HTML: tags removed, entities resolved, runs of white space as one space."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split()) if text else ""
