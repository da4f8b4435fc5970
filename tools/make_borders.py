"""Make the border file that geoclass ships: `python tools/make_borders.py countries-10m.json`.

The input is Natural Earth 1:10m as TopoJSON, from the npm package world-atlas (`npm pack world-atlas`, then unpack
it). The output, `src/geoclass/geo/data/borders.npz`, holds plain arrays that `geoclass.geo.borders` hands to shapely:
polygons that never cross the antimeridian, the smallest first, so that an enclave wins over the country around it.

What is done to the data, and why:

* Rings of world-atlas run across the antimeridian (Russia, Fiji) or around the pole (Antarctica). Read as planar
  polygons they span the whole world, and Fiji swallows La Paz. They are unwrapped, then cut at 180°.
* Some rings have shrunk to fewer than four points. They are dropped; the Vatican is among them and is drawn by hand.
* Parts with an ISO 3166-1 code of their own that Natural Earth draws with their sovereign (French Guiana, Svalbard)
  get that code. Entries without a code get the one in `UNCODED`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pycountry
import shapely
from numpy.typing import NDArray

OUTPUT = Path(__file__).parents[1] / "src/geoclass/geo/data/borders.npz"
UNIT = 1e-4  # degrees; 11 m, while the grid of world-atlas is 0.0036° by 0.0017°

# Entries that have no ISO 3166-1 code: the code they get, or "" for land that is left to nobody.
UNCODED = {
    "Akrotiri": "CY",  # British base on Cyprus
    "Baikonur": "KZ",  # leased to Russia
    "Bajo Nuevo Bank": "CO",
    "Clipperton I.": "FR",
    "Coral Sea Is.": "AU",
    "Cyprus U.N. Buffer Zone": "CY",
    "Dhekelia": "CY",  # British base on Cyprus
    "Indian Ocean Ter.": "CX",  # Christmas Island; the Cocos Islands are told apart by PARTS
    "Kosovo": "XK",  # not in ISO 3166-1; XK is the user-assigned code that the EU and geonames write
    "N. Cyprus": "CY",
    "Scarborough Reef": "",
    "Serranilla Bank": "CO",
    "Siachen Glacier": "",
    "Somaliland": "SO",
    "Spratly Is.": "",
    "USNB Guantanamo Bay": "CU",
}

# (code in the data, code of the part, west, south, east, north): polygons inside the box get the part's code.
PARTS = [
    ("FR", "GF", -55.0, 2.0, -51.0, 6.5),
    ("FR", "GP", -62.0, 15.8, -60.9, 16.6),
    ("FR", "MQ", -61.3, 14.3, -60.7, 15.0),
    ("FR", "RE", 55.0, -21.5, 56.0, -20.8),
    ("FR", "YT", 44.9, -13.1, 45.4, -12.5),
    ("NL", "BQ", -68.5, 11.9, -68.1, 12.4),
    ("NL", "BQ", -63.4, 17.4, -62.9, 17.7),
    ("NO", "SJ", 5.0, 74.0, 35.0, 82.0),
    ("NO", "SJ", -10.0, 70.5, -7.0, 71.5),
    ("NO", "BV", 3.0, -55.0, 4.0, -54.0),
    ("NZ", "TK", -173.0, -10.0, -171.0, -8.0),
    ("CX", "CC", 96.0, -13.0, 97.5, -11.0),
]

# The wall of the Vatican City, to about 50 m; (longitude, latitude).
VATICAN = [
    (12.4457, 41.9019), (12.4468, 41.9041), (12.4498, 41.9058), (12.4528, 41.9073), (12.4546, 41.9068),
    (12.4552, 41.9049), (12.4569, 41.9040), (12.4584, 41.9031), (12.4583, 41.9013), (12.4555, 41.9007),
    (12.4523, 41.9003), (12.4490, 41.9005),
]  # fmt: skip

Points = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("topojson", type=Path, help="countries-10m.json of the npm package world-atlas")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    polygons = read_polygons(json.loads(arguments.topojson.read_text(encoding="utf-8")))
    polygons.append(("VA", shapely.Polygon(VATICAN)))
    polygons.sort(key=lambda item: (item[1].area, item[0], item[1].bounds))
    write(polygons, path=arguments.output)
    codes = {code for code, _ in polygons}
    print(f"{len(polygons)} polygons of {len(codes - {''})} countries, {arguments.output.stat().st_size:,} bytes")


def read_polygons(topology: dict[str, Any]) -> list[tuple[str, Any]]:
    """All polygons as (ISO code, shapely polygon inside ±180°), in the order of the file."""
    scale, translate = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(arc, axis=0) * scale + translate for arc in topology["arcs"]]
    numeric = {country.numeric: country.alpha_2 for country in pycountry.countries}
    found = []
    for entry in topology["objects"]["countries"]["geometries"]:
        code = numeric[entry["id"]] if "id" in entry else UNCODED[entry["properties"]["name"]]
        for rings in entry["arcs"] if entry["type"] == "MultiPolygon" else [entry["arcs"]]:
            outlines = [unwrap(join(arcs, ring)) for ring in rings]
            found += [(part_code(code, polygon), polygon) for polygon in split_at_antimeridian(outlines)]
    return found


def join(arcs: list[Points], ring: list[int]) -> Points:
    """The (n, 2) points of a ring; consecutive arcs share one point, ~i is arc i backwards (TopoJSON, 2.1.4)."""
    pieces = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def unwrap(ring: Points) -> Points:
    """Make the longitudes continuous; a ring that winds around the south pole is closed over it."""
    longitudes = np.unwrap(ring[:, 0], period=360)
    unwrapped = np.column_stack([longitudes, ring[:, 1]])
    if abs(longitudes[-1] - longitudes[0]) < 180:
        return unwrapped
    return np.concatenate([unwrapped, [[longitudes[-1], -90.0], [longitudes[0], -90.0]], unwrapped[:1]])


def split_at_antimeridian(outlines: list[Points]) -> list[Any]:
    """The polygons, each inside ±180°, of an unwrapped outline and its holes."""
    shell, *holes = outlines
    if len(shell) < 4:
        return []
    whole: Any = shapely.make_valid(shapely.Polygon(shell, [hole for hole in holes if len(hole) >= 4]))
    world = shapely.box(-180, -90, 180, 90)
    pieces: list[Any] = []
    for turn in (-360, 0, 360):
        inside = shapely.intersection(shapely.transform(whole, lambda xy, turn=turn: xy + np.array([turn, 0])), world)
        pieces += [part for part in shapely.get_parts(shapely.get_parts(inside)) if part.geom_type == "Polygon"]
    return [piece for piece in pieces if piece.area > 0]


def part_code(code: str, polygon: Any) -> str:
    """The code of the overseas part that `polygon` is, else `code`."""
    for whole, part, west, south, east, north in PARTS:
        if code == whole and shapely.box(west, south, east, north).contains(polygon):
            return part
    return code


def write(polygons: list[tuple[str, Any]], *, path: Path) -> None:
    """Write codes, ring and polygon offsets, and the coordinates as differences in `UNIT`."""
    _, coordinates, (rings, starts) = shapely.to_ragged_array([polygon for _, polygon in polygons])
    grid = np.rint(coordinates / UNIT).astype(np.int32)
    steps = np.diff(grid, axis=0, prepend=np.zeros((1, 2), np.int32))
    np.savez_compressed(
        path,
        codes=np.array([code for code, _ in polygons], dtype="U2"),
        polygon_starts=starts.astype(np.int32),  # (n_polygons + 1,), into ring_starts
        ring_starts=rings.astype(np.int32),  # (n_rings + 1,), into the points
        longitude_steps=steps[:, 0],  # (n_points,)
        latitude_steps=steps[:, 1],
        unit_degrees=np.array(UNIT),
    )


if __name__ == "__main__":
    main()
