"""One song of a collection, from the tags of its file."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from geoclass.geo.countries import find_country
from geoclass.tagging.entries import is_ours, parse_provenance
from geoclass.tagging.tags import Tags
from geoclass.text import printable

_YEAR = re.compile(r"(?<!\d)(?:18[6-9]\d|19\d\d|20\d\d)(?!\d)")  # nothing was recorded before 1860
_LONGEST = 300  # characters kept of a name
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One file and what its tags hold; `…_sure` is the probability of a value that geoclass wrote, else None."""

    path: str  # as it was found; bytes that are not UTF-8 as surrogates
    artist: str = ""
    album_artist: str = ""
    album: str = ""
    title: str = ""
    year: int | None = None
    duration_s: float | None = None
    country: str = ""  # ISO 3166-1 alpha-2; "" when it is unknown
    country_sure: float | None = None
    genres: tuple[str, ...] = ()
    genre_sure: float | None = None
    error: str = ""  # why the tags could not be read

    @property
    def name(self) -> str:
        """The title, or the file's name where there is none."""
        return self.title or Path(self.path).stem

    @property
    def filed_under(self) -> str:
        """The artist of the album, or of the song."""
        return self.album_artist or self.artist


FIELDS = tuple(field.name for field in dataclasses.fields(Song) if field.name not in ("path", "error"))


def song_of(path: str, tags: Tags, *, duration_s: float | None = None) -> Song:
    """The song that a file's tags describe."""
    named = tags.get("country") or tags.get("artist_country")
    codes = [code for value in named if (code := find_country(value))]
    return Song(
        path=path,
        artist=_first(tags, "artist"),
        album_artist=_first(tags, "album_artist"),
        album=_first(tags, "album"),
        title=_first(tags, "title"),
        year=_year(_first(tags, "date")),
        duration_s=duration_s,
        country=codes[0] if codes else "",
        country_sure=_sure(tags, "country", codes[:1]),
        genres=tuple(filter(None, map(_clean, tags.get("genre")))),
        genre_sure=_sure(tags, "genre", tags.get("genre")),
    )


def _first(tags: Tags, name: str) -> str:
    return next(filter(None, map(_clean, tags.get(name))), "")


def _clean(text: str) -> str:
    """One line of at most `_LONGEST` characters."""
    if not text.isprintable():
        text = printable(_CONTROL.sub(" ", text))
    return text.strip()[:_LONGEST]


def _year(text: str) -> int | None:
    found = _YEAR.search(text)
    return int(found[0]) if found else None


def _sure(tags: Tags, name: str, values: "tuple[str, ...] | list[str]") -> float | None:
    """The least probability that geoclass noted for the values that it wrote; None for values of other origin."""
    if not values or not is_ours(tags, name):
        return None
    noted = dict(parse_provenance("; ".join(tags.get(f"{name}_candidates"))))
    return min((noted[value] for value in values if value in noted), default=None)
