"""The tool that makes the border file: rings over the antimeridian, around the pole, and with too few points."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import shapely

TOOL = Path(__file__).parents[2] / "tools/make_borders.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_borders", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_island_over_the_antimeridian_becomes_two_small_parts(tool: ModuleType) -> None:
    ring = np.array([[179.0, -17.0], [-179.0, -17.0], [-179.0, -16.0], [179.0, -16.0], [179.0, -17.0]])
    parts = tool.split_at_antimeridian([tool.unwrap(ring)])
    assert sorted(part.bounds for part in parts) == [(-180.0, -17.0, -179.0, -16.0), (179.0, -17.0, 180.0, -16.0)]


def test_a_ring_around_the_pole_holds_the_pole(tool: ModuleType) -> None:
    longitudes = np.array([-180.0, -90.0, 0.0, 90.0, 179.0, -180.0])
    ring = np.column_stack([longitudes, np.full(6, -70.0)])
    parts = tool.split_at_antimeridian([tool.unwrap(ring)])
    assert sum(part.area for part in parts) == pytest.approx(360 * 20)
    assert any(part.intersects(shapely.Point(12.0, -90.0)) for part in parts)


def test_rings_of_fewer_than_four_points_are_dropped(tool: ModuleType) -> None:
    line = np.array([[12.45, 41.90], [12.45, 41.91], [12.45, 41.90]])
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    assert tool.split_at_antimeridian([line]) == []
    assert [part.area for part in tool.split_at_antimeridian([square, line])] == [1.0]


def test_arcs_are_joined_in_both_directions(tool: ModuleType) -> None:
    arcs = [np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])]
    assert tool.join(arcs, [0, ~1]).tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]


def test_overseas_parts_get_their_own_code(tool: ModuleType) -> None:
    assert tool.part_code("FR", shapely.box(-54, 3, -52, 5)) == "GF"
    assert tool.part_code("FR", shapely.box(1, 45, 3, 47)) == "FR"
    assert tool.part_code("BR", shapely.box(-54, 3, -52, 5)) == "BR"
