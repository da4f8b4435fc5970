"""How far off a wrong country is: by UN M49 region, and in kilometres from capital to capital."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import GeoError
from geoclass.geo import countries
from geoclass.metrics.formulas import Floats, divide, weighted_median


def geographic_scores(labels: Sequence[str], confusion: Floats) -> dict[str, Floats]:
    """Scores that forgive a neighbour more than a far country.

    Args:
        labels: ISO 3166-1 alpha-2 codes.
        confusion: (…, n_labels, n_labels) counts or weights; row: truth, column: prediction.

    Returns:
        region_accuracy and subregion_accuracy (UN M49), and mean_distance_km and median_distance_km between the
        capitals of the true and the predicted country, each of shape (…). Pairs with a label that is no country
        count towards the regions only.
    """
    cells = np.argwhere(confusion.reshape(-1, len(labels), len(labels)).any(axis=0))
    truth, predicted = cells.T
    weights = confusion[..., truth, predicted]  # (…, n_cells in use)
    total = weights.sum(-1)
    result = {}
    for name, part in (("region_accuracy", regions(labels)), ("subregion_accuracy", subregions(labels))):
        same = np.asarray(part, object)[truth] == np.asarray(part, object)[predicted]
        result[name] = divide(weights @ same.astype(np.float64), total)
    distances = np.array([distance_km(labels[i], labels[j]) for i, j in cells])
    known = np.isfinite(distances)
    if known.any():
        weights, distances = weights[..., known], distances[known]
        result["mean_distance_km"] = divide(weights @ distances, weights.sum(-1))
        result["median_distance_km"] = weighted_median(distances, weights)
    return result


@cache
def distance_km(a: str, b: str) -> float:
    """Geodesic on WGS 84 (Karney, J. Geodesy 2013) from capital to capital; NaN for what is no country."""
    from geopy.distance import geodesic

    if a == b:
        return 0.0
    place_a, place_b = capital(a), capital(b)
    if place_a is None or place_b is None:
        return float("nan")
    return float(geodesic(place_a, place_b).km)


def capital(code: str) -> tuple[float, float] | None:
    """(latitude, longitude) of a country's capital in degrees; None for what is no country."""
    try:
        return countries.capital(code)
    except GeoError:
        return None


def regions(labels: Sequence[str]) -> list[str]:
    """UN M49 region of each country: Africa, Americas, Asia, Europe, Oceania."""
    return [_lookup(countries.region, code) for code in labels]


def subregions(labels: Sequence[str]) -> list[str]:
    """UN M49 sub-region of each country: Western Africa, Southern Europe, …"""
    return [_lookup(countries.subregion, code) for code in labels]


def display_order(task: str, labels: Sequence[str]) -> NDArray[np.int64]:
    """Indices that sort countries by region, sub-region and name, so that clusters stand together; genres by name."""
    if task != "country":
        return np.array(sorted(range(len(labels)), key=lambda index: labels[index].casefold()), np.int64)
    keys = list(zip(regions(labels), subregions(labels), labels, strict=True))
    return np.array(sorted(range(len(labels)), key=keys.__getitem__), np.int64)


def _lookup(find: Callable[[str], str], code: str) -> str:
    """The region of each label; a label that is not a country is a region of its own."""
    try:
        return find(code)
    except GeoError:
        return code
