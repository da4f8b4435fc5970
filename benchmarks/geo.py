"""How long points and place names take: `python benchmarks/geo.py`. Wall and processor seconds of one process."""

import time
from collections.abc import Callable

import numpy as np
import shapely

from geoclass.geo import borders, gazetteer

N_POINTS = 100_000
PLACES = ["Portland, OR", "Austin TX USA", "Everywhere", "Bushwick, Brooklyn", "Berlin"]


def main() -> None:
    generator = np.random.default_rng(0)
    measure("load the borders", borders._borders)
    measure("load the coast, with the first point at sea", lambda: borders.country_at(51.97, 3.98))
    latitude = np.degrees(np.arcsin(generator.uniform(-1, 1, N_POINTS)))
    longitude = generator.uniform(-180, 180, N_POINTS)
    measure("100,000 points all over the sphere", lambda: borders.countries_at(latitude, longitude))
    corners = shapely.get_coordinates(borders._borders().polygons)
    near = corners[generator.integers(0, len(corners), N_POINTS)] + generator.normal(0, 0.1, (N_POINTS, 2))
    measure("100,000 points beside borders and coasts", lambda: borders.countries_at(near[:, 1], near[:, 0]))
    measure("outlines of the world map", borders.country_outlines)
    measure("load the gazetteer, with the first place string", lambda: gazetteer.resolve("Berlin"))
    measure("10,000 place strings", lambda: [gazetteer.resolve(text) for text in PLACES * 2_000])


def measure(name: str, function: Callable[[], object]) -> None:
    wall, processor = time.perf_counter(), time.process_time()
    function()
    print(f"{name:42} {time.perf_counter() - wall:6.2f} s  {time.process_time() - processor:6.2f} s of processor")


if __name__ == "__main__":
    main()
