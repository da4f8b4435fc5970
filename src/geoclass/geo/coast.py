"""Which polygon's border is nearest to a point at sea.

Of the half million edges of all borders, only those near the given points are measured: points along them go into a
k-d tree on the unit sphere, in three dimensions, where neither the poles nor the antimeridian are special and the
nearest chord is the nearest arc.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0088  # mean radius (IUGG)
STEP_KM = 2.0  # largest gap between the points that stand for an edge

_LONG_EDGE_DEGREES = 0.5  # longer edges are always measured; shorter ones are found by their ends
_FEW_PAIRS = 50_000_000  # that many distances are computed in less time than scipy takes to load
_BLOCK = 1_000_000  # distances at a time
_N_ROWS, _N_COLUMNS = 180, 360  # cells of one degree

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Edges:
    """The edges of many polygons, in degrees east and north."""

    start: Floats  # (n, 2)
    step: Floats  # (n, 2) from the start to the end
    polygon: NDArray[np.intp]  # (n,)
    cell: NDArray[np.intp]  # (n,) in which the edge starts; -1: a long edge

    @classmethod
    def of(cls, polygons: NDArray[Any]) -> "Edges":
        """All edges of shapely polygons, holes included."""
        import shapely

        rings, polygon_of_ring = shapely.get_rings(polygons, return_index=True)
        corners, ring = shapely.get_coordinates(rings, return_index=True)
        is_edge = ring[1:] == ring[:-1]  # not the jump from the end of one ring to the start of the next
        start, step = corners[:-1][is_edge], np.diff(corners, axis=0)[is_edge]
        cell = _row(start[:, 1]) * _N_COLUMNS + _column(start[:, 0])
        cell[np.abs(step).max(axis=1) > _LONG_EDGE_DEGREES] = -1
        return cls(start, step, polygon_of_ring[ring[:-1][is_edge]], cell)

    def nearest(
        self, latitude: Floats, longitude: Floats, *, reach_km: float, cells: NDArray[np.bool_] | None = None
    ) -> NDArray[np.intp]:
        """(n,) index of the polygon nearest to each point (degrees) within `reach_km`, or -1.

        `cells` is what `cells_within` gives for the points, where it is at hand.
        """
        if cells is None:
            cells = cells_within(latitude, longitude, reach_km=reach_km)
        near = np.flatnonzero(np.append(cells, True)[self.cell])
        polygon = np.full(latitude.shape, -1, dtype=np.intp)
        if not near.size:
            return polygon
        points, edge = self._points(near)
        reach = 2 * math.sin(reach_km / EARTH_RADIUS_KM / 2)  # the chord of that arc on the unit sphere
        chord, found = _nearest(points, _unit_vectors(latitude, longitude), reach)
        inside = chord <= reach
        polygon[inside] = self.polygon[edge[found[inside]]]
        return polygon

    def _points(self, edges: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
        """(n, 3) points on the unit sphere along some edges, at most STEP_KM apart, and the edge of each."""
        start, step = self.start[edges], self.step[edges]
        end = start + step
        chord = _unit_vectors(end[:, 1], end[:, 0]) - _unit_vectors(start[:, 1], start[:, 0])
        pieces = np.maximum(np.ceil(EARTH_RADIUS_KM * np.linalg.norm(chord, axis=1) / STEP_KM), 1).astype(np.intp)
        which = np.repeat(np.arange(len(edges)), pieces)
        piece = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        # Straight in degrees, as the polygons are: the 49th parallel is no great circle.
        points = start[which] + step[which] * (piece / pieces[which])[:, None]
        return _unit_vectors(points[:, 1], points[:, 0]), edges[which]


def boxes_of(cells: NDArray[np.bool_]) -> NDArray[Any]:
    """Shapely boxes of one degree, one for each cell that `cells_within` gives."""
    import shapely

    row, column = np.divmod(np.flatnonzero(cells), _N_COLUMNS)
    west, south = column - _N_COLUMNS / 2, row - _N_ROWS / 2
    return np.asarray(shapely.box(west, south, west + 1, south + 1))


def _nearest(points: Floats, asked: Floats, reach: float) -> tuple[Floats, NDArray[np.intp]]:
    """(n,) chord and (n,) index of the point nearest to each that is asked for; infinity where none is within reach."""
    if len(points) * len(asked) > _FEW_PAIRS:
        from scipy.spatial import cKDTree

        return cKDTree(points).query(asked, distance_upper_bound=reach)  # type: ignore[no-any-return]
    block = max(1, _BLOCK // len(points))
    found = [np.argmax(asked[start : start + block] @ points.T, axis=1) for start in range(0, len(asked), block)]
    index = np.concatenate(found)
    return np.linalg.norm(points[index] - asked, axis=1), index


def cells_within(latitude: Floats, longitude: Floats, *, reach_km: float) -> NDArray[np.bool_]:
    """(n_cells,) whether a short edge that starts in the cell may come within `reach_km` of any of the points."""
    arc = reach_km / EARTH_RADIUS_KM
    towards_pole = np.minimum(np.abs(np.radians(latitude)) + arc, math.pi / 2)
    half_width = np.degrees(np.arcsin(np.minimum(math.sin(arc) / np.maximum(np.cos(towards_pole), 1e-9), 1)))
    half_width[towards_pole == math.pi / 2] = 180  # all around the pole
    south, north = (_row(latitude + side * (math.degrees(arc) + _LONG_EDGE_DEGREES)) for side in (-1, 1))
    west = np.floor(longitude - half_width - _LONG_EDGE_DEGREES + 180).astype(np.intp)
    east = np.floor(longitude + half_width + _LONG_EDGE_DEGREES + 180).astype(np.intp)
    cells = np.zeros((_N_ROWS, _N_COLUMNS), dtype=bool)
    for bottom, top, left, right in np.unique(np.column_stack([south, north, west, east]), axis=0):
        cells[bottom : top + 1, np.arange(left, right + 1) % _N_COLUMNS] = True
    return cells.ravel()


def _row(latitude: Floats) -> NDArray[np.intp]:
    return np.clip(np.floor(latitude + _N_ROWS / 2), 0, _N_ROWS - 1).astype(np.intp)


def _column(longitude: Floats) -> NDArray[np.intp]:
    return np.floor(longitude + _N_COLUMNS / 2).astype(np.intp) % _N_COLUMNS


def _unit_vectors(latitude: Floats, longitude: Floats) -> Floats:
    """(n, 3) points on the unit sphere from degrees."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
