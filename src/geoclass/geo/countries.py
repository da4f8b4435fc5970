"""Countries: ISO 3166-1 alpha-2 codes, short names, UN M49 regions, capitals.

The table is `data/countries.csv`, one line for each country of ISO 3166-1 and Kosovo, to which ISO gives no code and
which is XK by custom.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from geoclass.errors import GeoError
from geoclass.text import normalize_name


@dataclass(frozen=True)
class Country:
    """One line of the table."""

    code: str  # ISO 3166-1 alpha-2
    name: str  # short English name in common use
    region: str  # UN M49 region: Africa, Americas, Asia, Europe, Oceania; and Antarctica
    subregion: str  # UN M49 subregion, the finest: "Western Asia", "Caribbean"
    capital: str  # "" where nobody lives
    capital_latitude: float  # degrees north; the largest place or a point inside where there is no capital
    capital_longitude: float  # degrees east
    population: int
    aliases: tuple[str, ...]


def country_codes() -> tuple[str, ...]:
    """All codes, sorted."""
    return tuple(countries())


def country_name(code: str) -> str:
    """The short common name: "TR" -> "Türkiye".

    Raises:
        GeoError: No such country.
    """
    return _country(code).name


def region(code: str) -> str:
    """The UN M49 region: "TR" -> "Asia". Taiwan and Kosovo, which M49 leaves out, are listed with their neighbours.

    Raises:
        GeoError: No such country.
    """
    return _country(code).region


def subregion(code: str) -> str:
    """The UN M49 subregion at its finest, "Eastern Africa" rather than "Sub-Saharan Africa".

    Raises:
        GeoError: No such country.
    """
    return _country(code).subregion


def capital(code: str) -> tuple[float, float]:
    """(latitude, longitude) of the capital in degrees, or of the largest place or a point inside where there is none.

    Raises:
        GeoError: No such country.
    """
    country = _country(code)
    return country.capital_latitude, country.capital_longitude


def find_country(text: str) -> str | None:
    """The code of the country that `text` names: "TR", "tur", "Turkey", "Türkiye", "UK", "Burma"; else None.

    Case, accents and punctuation do not count. The constituent nations of the United Kingdom are GB. Where a country
    and a part of another share the name, the country is meant: "Georgia" is GE.
    """
    return _codes_by_name().get(normalize_name(text))


@cache
def countries() -> dict[str, Country]:
    """The whole table by code, in the order of the codes."""
    table = resources.files("geoclass.geo").joinpath("data/countries.csv").read_text(encoding="utf-8")
    return {
        row["code"]: Country(
            code=row["code"],
            name=row["name"],
            region=row["region"],
            subregion=row["subregion"],
            capital=row["capital"],
            capital_latitude=float(row["capital_latitude"]),
            capital_longitude=float(row["capital_longitude"]),
            population=int(row["population"]),
            aliases=tuple(filter(None, row["aliases"].split("|"))),
        )
        for row in csv.DictReader(table.splitlines())
    }


@cache
def names_of_countries() -> dict[str, str]:
    """Every full name, short, official or alias, in the form of `normalize_name`, and its code."""
    import pycountry

    names: dict[str, str] = {}
    for country in countries().values():
        for name in (country.name, *country.aliases):
            names.setdefault(normalize_name(name), country.code)
    for entry in pycountry.countries:
        for field in ("name", "official_name", "common_name"):
            names.setdefault(normalize_name(getattr(entry, field, entry.name)), entry.alpha_2)
    return names


@cache
def _codes_by_name() -> dict[str, str]:
    import pycountry

    codes = {"xk": "XK", "xkx": "XK"}
    for entry in pycountry.countries:
        codes |= {entry.alpha_2.lower(): entry.alpha_2, entry.alpha_3.lower(): entry.alpha_2}
    return codes | names_of_countries()


def _country(code: str) -> Country:
    try:
        return countries()[code]
    except KeyError:
        raise GeoError(
            f"unknown country code {code!r}", hint="use ISO 3166-1 alpha-2 codes in capitals, such as TR"
        ) from None
