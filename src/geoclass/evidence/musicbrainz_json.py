"""An artist as MusicBrainz writes it in JSON, in the dump and on the web alike.

See https://musicbrainz.org/doc/MusicBrainz_API and https://musicbrainz.org/doc/Development/JSON_Data_Dumps.
"""

from collections.abc import Iterator
from typing import Any

from geoclass.evidence.artist_table import Artist
from geoclass.evidence.credits import NOBODY_MBIDS
from geoclass.geo.countries import country_codes, find_country

_MAX_LETTERS = 1_000  # of a name
_MAX_ALIASES = 500


def parse_artist(document: Any) -> Artist | None:
    """The artist of one JSON object; None where it is not one, or stands for nobody ("Various Artists")."""
    if not isinstance(document, dict):
        return None
    mbid, name = document.get("id"), document.get("name")
    if not (isinstance(mbid, str) and isinstance(name, str) and mbid and name) or mbid.lower() in NOBODY_MBIDS:
        return None
    note = document.get("disambiguation")
    return Artist(
        mbid=mbid.lower(),
        name=_clean(name),
        country=country_of(document),
        note=_clean(note) if isinstance(note, str) else "",
        aliases=tuple(dict.fromkeys(_aliases(document))),
    )


def country_of(document: dict[str, Any]) -> str | None:
    """`country`, else the country of `area`, else that of `begin-area`."""
    code = document.get("country")
    if isinstance(code, str) and code.upper() in country_codes():
        return code.upper()
    for name in ("area", "begin-area"):
        if found := _country_of_area(document.get(name)):
            return found
    return None


def _country_of_area(area: Any) -> str | None:
    if not isinstance(area, dict):
        return None
    for key in ("iso-3166-1-codes", "iso-3166-2-codes", "iso-3166-3-codes"):
        codes = area.get(key)
        for code in codes if isinstance(codes, list) else ():
            found = code[:2].upper() if isinstance(code, str) else ""
            if found in country_codes() and "iso-3166-3" not in key:
                return found
    # The web service names areas without their codes.
    name = area.get("name")
    return find_country(name) if area.get("type") == "Country" and isinstance(name, str) else None


def _aliases(document: dict[str, Any]) -> Iterator[str]:
    others = document.get("aliases")
    sort_name = document.get("sort-name")
    if isinstance(sort_name, str) and sort_name:
        yield _clean(sort_name)
    for alias in (others if isinstance(others, list) else [])[:_MAX_ALIASES]:
        name = alias.get("name") if isinstance(alias, dict) else None
        if isinstance(name, str) and name:
            yield _clean(name)


def _clean(text: str) -> str:
    # Lone surrogates, which JSON can escape, are not UTF-8.
    return text[:_MAX_LETTERS].encode("utf-8", "replace").decode()
