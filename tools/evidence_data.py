"""The tables that the witnesses are fitted and judged on, each split by artist into two halves.

Which half an artist is in depends on the artist's name and a seed alone: nobody's songs are in both, in any table.
"""

import csv
import hashlib
from pathlib import Path
from typing import Literal

from geoclass.evidence.artist_table import Artist, ArtistTable, write_table
from geoclass.text import name_key

SEED = "geoclass evidence 1"
Half = Literal["fit", "judge"]


def half_of(artist: str) -> Half:
    """The half that an artist belongs to."""
    digest = hashlib.sha256(f"{SEED}:{name_key(artist)}".encode()).digest()
    return "fit" if digest[0] % 2 else "judge"


def rows(path: Path, *, half: Half | None = None) -> list[dict[str, str]]:
    """The rows of a CSV with the column `artist`; of one half, or all."""
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if half in (None, half_of(row["artist"]))]


def table(text: Path, pop: Path, path: Path) -> ArtistTable:
    """A table of all artists of the tables; a name that stands with two countries is two artists."""
    tables = [rows(text / "musicoset_artists.csv"), rows(text / "homonyms.csv"), rows(pop / "manifest.csv")]
    pairs = sorted({(row["artist"].strip(), row["country"]) for of in tables for row in of if row["artist"].strip()})
    write_table(
        (Artist(mbid=str(n), name=name, country=code) for n, (name, code) in enumerate(pairs)), path=path, source="here"
    )
    return ArtistTable(path)
