"""Which country a point lies in, offline, by the Natural Earth 1:10m borders that ship with the package.

The file is made by `tools/make_borders.py`; docs/places.md says what it does about disputed land.
"""

import zipfile
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoclass.errors import GeoError
from geoclass.geo.coast import Edges, boxes_of, cells_within

COAST_KM = 30.0  # a point at sea takes the nearest country up to here

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Borders:
    codes: NDArray[np.str_]  # (n_polygons,) alpha-2, or "" for land that belongs to no country
    polygons: NDArray[Any]  # (n_polygons,) of shapely, the smallest first
    tree: Any  # shapely.STRtree over the polygons


def country_at(latitude: float, longitude: float) -> str:
    """ISO 3166-1 alpha-2 code of the country at a point in degrees, or ""; see `countries_at`."""
    return str(countries_at([latitude], [longitude])[0])


def countries_at(latitudes: ArrayLike, longitudes: ArrayLike) -> NDArray[np.object_]:
    """The country of each point.

    A point off the coast takes the nearest country within 30 km (great circle). These give "", for they are no places:
    exactly 0, 0 (how databases write "unknown"), NaN, a latitude beyond ±90° or a longitude beyond ±180°, the open
    sea, and the few uninhabited places that Natural Earth assigns to no country.

    Args:
        latitudes: (n,) degrees north.
        longitudes: (n,) degrees east.

    Returns:
        (n,) ISO 3166-1 alpha-2 codes (Kosovo is XK), or "".

    Raises:
        GeoError: The two do not have the same length.
    """
    latitude = np.asarray(latitudes, dtype=np.float64).ravel()
    longitude = np.asarray(longitudes, dtype=np.float64).ravel()
    if latitude.shape != longitude.shape:
        raise GeoError(f"expected as many longitudes as latitudes, found {longitude.size} and {latitude.size}")
    codes = np.full(latitude.shape, "", dtype=object)
    is_place = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180) & ((latitude != 0) | (longitude != 0))
    places = np.flatnonzero(is_place)
    borders = _borders()
    polygon = _containing(borders, latitude[places], longitude[places])
    at_sea = np.flatnonzero(polygon < 0)
    if at_sea.size:
        point = places[at_sea]
        polygon[at_sea] = _nearest(borders, latitude[point], longitude[point])
    found = polygon >= 0
    codes[places[found]] = borders.codes[polygon[found]].astype(object)
    return codes


@cache
def country_outlines(*, tolerance_degrees: float = 0.2) -> list[tuple[str, list[Floats]]]:
    """Simplified outlines to draw a world map with: the same list on every call and machine.

    Args:
        tolerance_degrees: How far a simplified line may lie from the border; islands smaller than that are left
            out, except the largest part of each country.

    Returns:
        (code, outlines) of each country in the order of the codes; an outline is (n, 2), longitude and latitude in
        degrees, closed, and without holes.
    """
    import shapely

    borders = _borders()
    outlines: list[tuple[str, list[Floats]]] = []
    for code in sorted(set(borders.codes.tolist()) - {""}):
        parts = borders.polygons[borders.codes == code]  # the smallest first
        kept = [part for part in parts[:-1] if part.area > tolerance_degrees**2] + [parts[-1]]
        rings = shapely.get_exterior_ring(shapely.simplify(kept, tolerance_degrees))
        outlines.append((code, [shapely.get_coordinates(ring) for ring in rings]))
    return outlines


@cache
def _borders() -> _Borders:
    import shapely

    with resources.as_file(resources.files("geoclass.geo") / "data" / "borders.npz") as path:
        try:
            data = dict(np.load(path, allow_pickle=False))
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise GeoError(f"cannot read the borders in {path}: {error}", hint="install geoclass again") from error
    unit = float(data["unit_degrees"])
    steps = np.column_stack([data["longitude_steps"], data["latitude_steps"]])
    coordinates = np.cumsum(steps, axis=0, dtype=np.int64) * unit
    offsets = (data["ring_starts"], data["polygon_starts"])
    polygons = shapely.from_ragged_array(shapely.GeometryType.POLYGON, coordinates, offsets)
    shapely.prepare(polygons)
    return _Borders(codes=data["codes"], polygons=polygons, tree=shapely.STRtree(polygons))


def _containing(borders: _Borders, latitude: Floats, longitude: Floats) -> NDArray[np.intp]:
    """(n,) index of the smallest polygon that holds or touches each point, or -1."""
    import shapely

    # Boxes by the tree, then prepared polygons: the tree's own predicate would prepare the points instead.
    point, polygon = borders.tree.query(shapely.points(longitude, latitude))
    inside = shapely.intersects_xy(borders.polygons[polygon], longitude[point], latitude[point])
    smallest = np.full(latitude.shape, len(borders.polygons), dtype=np.intp)
    np.minimum.at(smallest, point[inside], polygon[inside])
    smallest[smallest == len(borders.polygons)] = -1
    return smallest


def _nearest(borders: _Borders, latitude: Floats, longitude: Floats) -> NDArray[np.intp]:
    """(n,) index of the polygon nearest to each point within COAST_KM, or -1."""
    cells = cells_within(latitude, longitude, reach_km=COAST_KM)
    near = np.unique(borders.tree.query(boxes_of(cells))[1])  # of all borders, those of a few islands and countries
    found = _edges(tuple(near.tolist())).nearest(latitude, longitude, reach_km=COAST_KM, cells=cells)
    return np.append(near, -1)[found]


@lru_cache(maxsize=8)
def _edges(polygons: tuple[int, ...]) -> Edges:
    return Edges.of(_borders().polygons[list(polygons)])
