"""The nearest border on small worlds of rectangles, with distances worked out by hand on a sphere of 6371.0088 km."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.geo import coast
from geoclass.geo.coast import Edges, boxes_of, cells_within

KM = 111.195  # of one degree along a great circle


def nearest(boxes: list[tuple[float, float, float, float]], *points: tuple[float, float], reach_km: float) -> list[int]:
    """Index of the box (west, south, east, north) nearest to each (latitude, longitude)."""
    edges = Edges.of(np.array([shapely.box(*box) for box in boxes]))
    latitude, longitude = np.array(points, np.float64).T
    return edges.nearest(latitude, longitude, reach_km=reach_km).tolist()


SQUARE = (10.0, 40.0, 12.0, 42.0)
FAR = (100.0, -20.0, 101.0, -19.0)


@pytest.mark.parametrize(
    ("point", "distance_km"),
    [
        ((39.8, 11.0), 0.2 * KM),  # south of it
        ((42.2, 11.0), 0.2 * KM),  # north
        ((41.0, 9.7), 0.3 * KM * 0.75471),  # west: a degree of longitude is shorter by the cosine of 41°
        ((41.0, 12.3), 0.3 * KM * 0.75471),
        ((39.9, 9.9), KM * np.hypot(0.1, 0.1 * 0.76604)),  # off a corner
    ],
)
def test_the_border_reaches_as_far_as_it_is_away(point: tuple[float, float], distance_km: float) -> None:
    assert nearest([FAR, SQUARE], point, reach_km=1.01 * distance_km + 0.05) == [1]
    assert nearest([FAR, SQUARE], point, reach_km=0.99 * distance_km - 0.05) == [-1]


def test_of_two_borders_the_nearer_one_counts() -> None:
    boxes = [(0.0, 0.0, 1.0, 1.0), (1.4, 0.0, 2.4, 1.0)]
    assert nearest(boxes, (0.5, 1.1), (0.5, 1.3), (0.5, 1.19), (0.5, 1.21), reach_km=30) == [0, 1, 0, 1]


def test_the_hole_of_a_ring_has_a_border_too() -> None:
    ring = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 3, 3))
    edges = Edges.of(np.array([ring]))
    assert edges.nearest(np.array([1.2, 2.0]), np.array([2.0, 2.0]), reach_km=30).tolist() == [0, -1]


def test_there_is_no_border_between_two_rings() -> None:
    """From the last corner of one to the first of the next is no edge."""
    assert nearest([(0.0, 0.0, 1.0, 1.0), (3.0, 0.0, 4.0, 1.0)], (0.5, 2.0), (0.0, 2.0), reach_km=30) == [-1, -1]


def test_a_long_straight_border_is_found_in_its_middle() -> None:
    """As the 49th parallel is: straight in degrees, and no great circle."""
    assert nearest([(-120.0, 45.0, -90.0, 49.0)], (49.1, -105.0), (49.3, -105.0), reach_km=30) == [0, -1]


def test_the_antimeridian_and_the_pole_are_nothing_special() -> None:
    assert nearest([(179.0, -1.0, 180.0, 1.0)], (0.0, -179.9), (0.0, -179.7), reach_km=30) == [0, -1]
    cap = [(-180.0, -85.0, -179.0, -84.9)]
    assert nearest(cap, (-84.8, 180.0), (-84.8, 179.5), reach_km=30) == [0, 0]
    assert nearest([(0.0, 89.8, 1.0, 89.9)], (89.9, 180.0), (89.7, 180.0), reach_km=30) == [0, -1]


@pytest.mark.parametrize(
    ("point", "within", "beyond"),
    [
        ((41.0, 11.0), (41.26, 10.65), (41.0, 15.0)),  # 30 km are 0.27° of latitude and 0.36° of longitude here
        ((0.0, 179.9), (0.1, -179.9), (0.0, -177.0)),
        ((0.0, -180.0), (0.1, 179.8), (0.0, 177.0)),
        ((89.9, 0.0), (89.9, 180.0), (87.0, 0.0)),
        ((-12.1, -77.1), (-12.3, -77.3), (12.1, 77.1)),
    ],
)
def test_boxes_hold_what_is_within_reach(
    point: tuple[float, float], within: tuple[float, float], beyond: tuple[float, float]
) -> None:
    boxes = boxes_of(cells_within(np.array(point[:1]), np.array(point[1:]), reach_km=30))
    assert shapely.intersects_xy(boxes, within[1], within[0]).any()
    assert not shapely.intersects_xy(boxes, beyond[1], beyond[0]).any()


def test_nothing_is_near_where_there_is_nothing() -> None:
    assert nearest([SQUARE], (-60.0, -120.0), reach_km=30) == [-1]


@settings(max_examples=60, deadline=None)
@given(
    west=st.floats(-180, 179), south=st.floats(-89, 88), distance=st.floats(0.02, 0.6), side=st.integers(0, 3),
    along=st.floats(0.1, 0.9),
)  # fmt: skip
def test_many_points_and_few_give_the_same(west: float, south: float, distance: float, side: int, along: float) -> None:
    """The k-d tree of many points against all distances of few, one of each beside the box and some elsewhere."""
    box = (west, south, west + 1, south + 1)
    moved = [(south - distance, west + along), (south + 1 + distance, west + along),
             (south + along, west - distance), (south + along, west + 1 + distance)][side]  # fmt: skip
    point = (max(-90.0, min(90.0, moved[0])), (moved[1] + 180) % 360 - 180)
    few = nearest([FAR, box], point, SQUARE[:2][::-1], reach_km=30)
    before = coast._FEW_PAIRS
    coast._FEW_PAIRS = 0
    try:
        assert nearest([FAR, box], point, SQUARE[:2][::-1], reach_km=30) == few
    finally:
        coast._FEW_PAIRS = before
