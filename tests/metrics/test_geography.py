"""Distances between countries and regions, against geopy and the United Nations."""

import numpy as np
import pytest
from geopy.distance import geodesic

from geoclass.metrics.geography import capital, display_order, distance_km, geographic_scores, regions, subregions

BERLIN, PARIS, TOKYO = (52.52, 13.405), (48.8566, 2.3522), (35.6895, 139.6917)


def test_distances_are_geodesics_between_capitals() -> None:
    assert distance_km("DE", "FR") == pytest.approx(geodesic(BERLIN, PARIS).km, rel=0.01)
    assert distance_km("FR", "DE") == pytest.approx(distance_km("DE", "FR"))
    assert distance_km("JP", "JP") == 0
    assert np.isnan(distance_km("DE", "Folk"))
    assert np.isnan(distance_km("ZZ", "DE"))
    assert capital("Folk") is None
    assert capital("JP") == pytest.approx(TOKYO, abs=0.2)


def test_regions_are_those_of_the_united_nations() -> None:
    labels = ["NG", "BR", "TR", "PT", "FJ", "Folk"]
    assert regions(labels) == ["Africa", "Americas", "Asia", "Europe", "Oceania", "Folk"]
    assert subregions(labels[:4]) == ["Western Africa", "South America", "Western Asia", "Southern Europe"]


def test_neighbours_are_forgiven_by_region() -> None:
    labels = ["DE", "FR", "PT", "JP"]
    confusion = np.zeros((4, 4))
    confusion[0, 0], confusion[0, 1], confusion[2, 0], confusion[3, 1] = 4, 3, 2, 1
    found = geographic_scores(labels, confusion)
    assert found["region_accuracy"] == pytest.approx(9 / 10)
    assert found["subregion_accuracy"] == pytest.approx(7 / 10)  # Germany and France are in Western Europe
    kilometres = [0] * 4 + [distance_km("DE", "FR")] * 3 + [distance_km("PT", "DE")] * 2 + [distance_km("JP", "FR")]
    assert found["mean_distance_km"] == pytest.approx(np.mean(kilometres))
    assert found["median_distance_km"] == pytest.approx(np.median(kilometres))


def test_a_stack_is_scored_one_by_one() -> None:
    generator = np.random.default_rng(0)
    stack = generator.integers(0, 4, (3, 4, 4)).astype(float)
    labels = ["DE", "FR", "PT", "JP"]
    together = geographic_scores(labels, stack)
    for index, one in enumerate(stack):
        for name, value in geographic_scores(labels, one).items():
            assert together[name][index] == pytest.approx(value), name


def test_what_is_no_country_has_a_region_of_its_own_and_no_distance() -> None:
    confusion = np.array([[2.0, 1, 0], [0, 1, 0], [0, 1, 3]])
    found = geographic_scores(["DE", "FR", "ZZ"], confusion)
    assert found["region_accuracy"] == pytest.approx(7 / 8)  # ZZ taken for FR is wrong, ZZ for ZZ is right
    distances = [0] * 2 + [distance_km("DE", "FR")] + [0] * 4  # ZZ for ZZ is nowhere off
    assert found["mean_distance_km"] == pytest.approx(np.mean(distances))
    assert set(geographic_scores(["x", "y"], np.array([[0.0, 1], [1, 0]]))) == {"region_accuracy", "subregion_accuracy"}


def test_countries_are_shown_by_region_and_genres_by_name() -> None:
    labels = ["JP", "FR", "DE", "PT", "BR", "NG"]
    order = display_order("country", labels)
    assert [labels[index] for index in order] == ["NG", "BR", "JP", "PT", "DE", "FR"]
    genres = ["rock", "Folk", "Jazz"]
    assert [genres[index] for index in display_order("genre", genres)] == ["Folk", "Jazz", "rock"]
