"""Place strings as artists write them."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.errors import UsageError
from geoclass.geo.borders import country_at
from geoclass.geo.countries import country_codes
from geoclass.geo.names import all_names
from geoclass.geo.places import Gazetteer, create_geocoder

PLACES = {
    "Brooklyn, NY": "US", "New Jersey": "US", "Berlin": "DE", "Paris, Texas": "US", "London, UK": "GB",
    "Bogotá, Colombia": "CO", "Vancouver, BC, Canada": "CA", "Denpasar, Bali": "ID", "DR Congo": "CD",
    "<p>Berlin</p>": "DE", "<p><b>Berlin</b>,<br/>\nGermany</p>": "DE", "Trinidad &amp; Tobago": "TT",
    "Trinidad &amp;amp; Tobago": "TT", "Paris": "FR", "PARIS, FRANCE": "FR", "Sao Paulo": "BR",
    "São Paulo, Brasil": "BR", "Portland, OR": "US", "Portland Oregon": "US", "Austin TX USA": "US",
    "London, Ontario": "CA", "London, ON": "CA", "Perth, Scotland": "GB", "Perth, Western Australia": "AU",
    "England": "GB", "Athens, Georgia": "US", "Athens, GA": "US", "Tbilisi, Georgia": "GE", "Georgia": "GE",
    "Berlin, DE": "DE", "Oakland / San Francisco": "US", "Bushwick, Brooklyn": "US", "Tinytown, Kansas": "US",
    "San Juan, Puerto Rico, USA": "PR", "Hong Kong, China": "HK", "UK": "GB", "U.S.A.": "US", "LA": "US",
    "NYC": "US", "SF Bay Area": "US", "Roma": "IT", "Wien": "AT", "Cologne, Germany": "DE", "Москва": "RU",
    "東京": "JP", "Toronto, CA": "CA", "Los Angeles, CA": "US", "Cambridge, MA": "US", "Cambridge, UK": "GB",
    "Mobile, AL": "US", "Nice": "FR", "The Hague": "NL", "The Netherlands": "NL", "The Bronx": "US",
    "based in Berlin": "DE", "Somewhere in Texas": "US", "St. Louis": "US", "Saint Louis, MO": "US",
    "Washington, D.C.": "US", "Chicago, Illinois 60622": "US", "Brooklyn, New York USA": "US", "Tuva": "RU",
    "Oslo (Norway)": "NO", "Amsterdam - Netherlands": "NL", "İstanbul, Türkiye": "TR", "Diyarbakir": "TR",
    "Split, Croatia": "HR", "Berlin, Germany, Earth": "DE", "Berlin, Kreuzberg, Germany": "DE", "Guinea": "GN",
    "Niger": "NE", "Leeds, West Yorkshire": "GB", "Melbourne, Victoria": "AU", "Tromso, Norway": "NO",
    "Wroclaw": "PL", "Firenze": "IT", "Kiev": "UA", "Saigon": "VN", "Ghent": "BE", "Den Haag": "NL",
    # a village or quarter that is not known, and more than one part behind it
    "Quuxville, OR": "US", "Quuxville, Portland, OR": "US", "Quuxville, Mobile, Alabama": "US",
    "Berlin, Kreuzfoo, Germany": "DE", "Brooklyn, Quux, New York USA": "US", "Quuxville, Texas USA": "US",
}  # fmt: skip

NO_PLACES = [
    "", " ", "-", "...", "???", "Everywhere", "Internet", "The Internet", "Earth", "Planet Earth", "Nowhere", "Mars",
    "Home", "the moon", "The Moon", "unknown", "N/A", "none", "Worldwide", "cyberspace", "Europe", "Heaven", "Hell",
    "your bedroom", "in my head", "come to me", "Love, Peace", "Music, Love", "Mars, Earth", "http://example.org",
    "<p></p>", "Mobile", "Reading", "Split", "Van", "Time", "Rich", "me", "in", "no", "12345",
    "monster", "part", "google", "pristine", "green", "independence",
    # behind what is not known, a name that is as often something else
    "Quuxville, Or", "Quuxville, Mobile", "Quuxville, MOBILE", "Quuxville, Reading", "Quuxville, Split",
    # parts that contradict each other
    "Lyon Paris", "Munich Berlin", "London, Brooklyn New York USA", "Paris, Brooklyn, New York USA",
    "Paris, Germany", "Berlin / London", "Berlin &amp; London", "Paris, Middle Earth", "Tokyo, Japan, Brazil",
]  # fmt: skip


@pytest.fixture(scope="module")
def offline() -> Gazetteer:
    return Gazetteer()


@pytest.mark.parametrize("text", PLACES)
def test_places(offline: Gazetteer, text: str) -> None:
    place = offline.locate(text)
    assert place is not None
    assert place.country == PLACES[text]


@pytest.mark.parametrize("text", NO_PLACES)
def test_no_places(offline: Gazetteer, text: str) -> None:
    assert offline.locate(text) is None


@pytest.mark.parametrize(
    ("text", "latitude", "longitude", "name"),
    [
        ("Paris, Texas", 33.66, -95.56, "Paris"),
        ("Portland, Maine", 43.66, -70.26, "Portland"),
        ("Portland, OR", 45.52, -122.68, "Portland"),
        ("New Jersey", 40.74, -74.17, "New Jersey"),  # a state stands at its largest city
        ("Bali", -8.65, 115.22, "Bali"),
        ("Türkiye", 39.92, 32.85, "Türkiye"),  # a country stands at its capital
        ("Scotland", 55.86, -4.25, "Scotland"),
    ],
)
def test_points(offline: Gazetteer, text: str, latitude: float, longitude: float, name: str) -> None:
    place = offline.locate(text)
    assert place is not None
    assert place.latitude == pytest.approx(latitude, abs=0.1)
    assert place.longitude == pytest.approx(longitude, abs=0.1)
    assert place.name == name


def test_names_and_borders_agree_on_great_cities(offline: Gazetteer) -> None:
    for text in ("Berlin", "Lagos", "Tokyo", "Buenos Aires", "Sydney", "Rio de Janeiro", "Kinshasa", "Vancouver"):
        place = offline.locate(text)
        assert place is not None
        assert country_at(place.latitude, place.longitude) == place.country


def test_regions_stand_in_their_countries() -> None:
    regions = {e for _, entries in all_names() for e in entries if e.kind == "region"}
    assert len(regions) > 200
    assert [e for e in regions if country_at(e.latitude, e.longitude) != e.country] == []


@cache
def _great_cities() -> list[str]:
    entries = {e for _, entries in all_names() for e in entries if e.kind == "city" and e.weight > 2e6}
    return sorted(e.name for e in entries if e.alone)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_case_and_markup_do_not_count(offline: Gazetteer, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(_great_cities()))
    expected = offline.locate(name)
    assert expected is not None
    for text in (name.lower(), name.upper(), f"<p>{name}</p>", f"  {name}. ", f"{name}, {expected.country}"):
        assert offline.locate(text) == expected


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["Paris", "NY", "UK", ",", "/", "in", "&"]), max_size=6).map(" ".join)
)
def test_any_text_gives_a_whole_place_or_none(offline: Gazetteer, text: str) -> None:
    place = offline.locate(text)
    if place is not None:
        assert place.country in country_codes()
        assert abs(place.latitude) <= 90
        assert abs(place.longitude) <= 180
        assert place.name


def test_geocoders_go_by_name() -> None:
    assert isinstance(create_geocoder("offline"), Gazetteer)
    with pytest.raises(UsageError, match="'google'") as raised:
        create_geocoder("google")
    assert str(raised.value.hint).removeprefix("use one of ").split(", ") == ["offline", "nominatim"]
