"""The countries of the world as paths of an SVG, each to be coloured and clicked."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from geoclass.geo.borders import country_outlines
from geoclass.geo.countries import countries

WIDTH, HEIGHT = 1000.0, 436.0  # units of the SVG; Antarctica is left out
_TOLERANCE_DEGREES = 0.4  # finer borders would not be seen at this size, and would make the page heavy
_SMALL = 6.0  # units: a country that is smaller gets a dot to aim at
_SOUTH, _NORTH = -57.0, 84.0  # degrees

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """One country on the map."""

    code: str
    name: str
    path: str  # the `d` of a <path>
    x: float  # a place to aim at, in units of the SVG
    y: float
    is_small: bool


def equal_earth(degrees: Floats) -> Floats:
    """(n, 2) longitude and latitude in degrees -> (n, 2) x and y on the unit sphere.

    Šavrič, Patterson and Jenny, "The Equal Earth map projection" (2018): equal areas, so that no country looks larger
    than it is.
    """
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    longitude, latitude = np.radians(degrees.T)
    theta = np.arcsin(np.sqrt(3) / 2 * np.sin(latitude))
    slope = 9 * a4 * theta**8 + 7 * a3 * theta**6 + 3 * a2 * theta**2 + a1
    x = 2 * np.sqrt(3) * longitude * np.cos(theta) / (3 * slope)
    y = a4 * theta**9 + a3 * theta**7 + a2 * theta**3 + a1 * theta
    return np.column_stack([x, y])


@cache
def world_shapes() -> tuple[Shape, ...]:
    """All countries but Antarctica, large ones first, so that enclaves lie on top."""
    shapes = []
    for code, rings in country_outlines(tolerance_degrees=_TOLERANCE_DEGREES):
        if code == "AQ":
            continue
        drawn = [_to_map(ring) for ring in rings]
        country = countries()[code]
        ((x, y),) = _to_map(np.array([[country.capital_longitude, country.capital_latitude]]))
        size = max(float(np.ptp(ring, axis=0).max()) for ring in drawn)
        path = "".join(_path(ring) for ring in drawn)
        shapes.append((size, Shape(code, country.name, path, round(x, 1), round(y, 1), size < _SMALL)))
    return tuple(shape for _, shape in sorted(shapes, key=lambda entry: (-entry[0], entry[1].code)))


def _to_map(degrees: Floats) -> Floats:
    """(n, 2) longitude and latitude in degrees -> (n, 2) in units of the SVG, y downwards."""
    scale = WIDTH / (2 * equal_earth(np.array([[180.0, 0.0]]))[0, 0])
    top = equal_earth(np.array([[0.0, _NORTH]]))[0, 1]
    points = equal_earth(degrees)
    return np.column_stack([WIDTH / 2 + scale * points[:, 0], scale * (top - points[:, 1])])


def _path(ring: Floats) -> str:
    points = np.round(ring, 1)
    moved = np.append(True, np.any(np.diff(points, axis=0) != 0, axis=1))
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points[moved]) + "Z"
