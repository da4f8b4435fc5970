"""World maps: outlines, shading, great circles."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.metrics.formulas import Floats
from geoclass.metrics.geography import capital
from geoclass.metrics.predictions import TaskPredictions
from geoclass.plotting import BLUE, FAINT, INK, LAND, ORANGE, RAMP, new_figure

_TOLERANCE_DEGREES = 0.5  # finer borders would not be seen at this size, and would make the page heavy


def draw_world(axes: Any, *, shades: Mapping[str, float] | None = None) -> Any:
    """Draw the countries (plate carrée, degrees); those in `shades` the bluer, the nearer their value is to 1.

    Returns:
        What a colour bar needs, or None without shades.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.path import Path

    from geoclass.geo.borders import country_outlines

    plain, shaded, values = [], [], []
    for code, rings in country_outlines(tolerance_degrees=_TOLERANCE_DEGREES):
        if code == "AQ":
            continue
        shape = Path.make_compound_path(*(Path(ring, closed=True) for ring in rings))
        if shades and code in shades:
            shaded.append(shape)
            values.append(shades[code])
        else:
            plain.append(shape)
    axes.add_collection(
        PathCollection([Path.make_compound_path(*plain)], facecolor=LAND, edgecolor=FAINT, linewidth=0.3)
    )
    drawn = None
    if shaded:
        ramp = LinearSegmentedColormap.from_list("likely", [LAND, BLUE])
        drawn = PathCollection(shaded, cmap=ramp, edgecolor=FAINT, linewidth=0.3)
        drawn.set_array(np.array(values))
        drawn.set_clim(0, 1)
        axes.add_collection(drawn)
    axes.set(xlim=(-180, 180), ylim=(-58, 84), aspect="equal")
    axes.set_axis_off()
    return drawn


def plot_map(predictions: TaskPredictions, matrix: NDArray[np.int64], *, arcs: int = 60) -> Any:
    """A dot for each true country by tracks and recall, arcs to the countries it is most often confused with."""
    figure = new_figure(10, 4.1)
    axes = figure.subplots()
    draw_world(axes)
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    flat = np.argsort(-wrong, axis=None, kind="stable")[:arcs]
    for true, predicted in zip(*np.unravel_index(flat, wrong.shape), strict=True):
        if wrong[true, predicted]:
            width = 0.4 + 2.2 * float(np.sqrt(wrong[true, predicted] / wrong.max()))
            draw_arc(axes, predictions.labels[true], predictions.labels[predicted], width=width)
    totals = matrix.sum(axis=1)
    present = [index for index in np.flatnonzero(totals) if capital(predictions.labels[index])]
    places = np.array([capital(predictions.labels[index]) for index in present])
    recall = np.diagonal(matrix)[present] / totals[present]
    area = 18 + 140 * np.sqrt(totals[present] / totals.max())
    dots = axes.scatter(
        places[:, 1], places[:, 0], s=area, c=recall, cmap=RAMP, vmin=0, vmax=1, edgecolor=INK, linewidth=0.7, zorder=3
    )
    for index, place in zip(present, places, strict=True):
        label_place(axes, tuple(place), predictions.labels[index])
    figure.colorbar(dots, label="recall", shrink=0.55, pad=0.01)
    return figure


def label_place(axes: Any, place: tuple[float, float], text: str, *, points_above: float = 10) -> Any:
    """Write at a (latitude, longitude) on the map, or above it; returns what was written."""
    latitude, longitude = place
    return axes.annotate(
        text, (longitude, latitude), (0, points_above), textcoords="offset points", ha="center", va="center",
        fontsize=6.5, zorder=4,
    )  # fmt: skip


def draw_arc(axes: Any, start: str, end: str, *, width: float, colour: str = ORANGE) -> None:
    """Join the capitals of two countries by the great circle, cut where it leaves the map."""
    a, b = capital(start), capital(end)
    if a is None or b is None:
        return
    line = great_circle(a, b)
    jumps = np.flatnonzero(np.abs(np.diff(line[:, 0])) > 180) + 1
    for piece in np.split(line, jumps):
        axes.plot(piece[:, 0], piece[:, 1], color=colour, linewidth=width, alpha=0.45, solid_capstyle="round")


def great_circle(a: tuple[float, float], b: tuple[float, float], *, points: int = 40) -> Floats:
    """(points, 2) longitude and latitude in degrees on the shorter great circle between two (latitude, longitude)."""
    angles = np.radians([a, b])
    ends = np.stack(
        [
            np.cos(angles[:, 0]) * np.cos(angles[:, 1]),
            np.cos(angles[:, 0]) * np.sin(angles[:, 1]),
            np.sin(angles[:, 0]),
        ],
        axis=1,
    )
    whole = np.arccos(np.clip(ends[0] @ ends[1], -1, 1))
    share = np.linspace(0, 1, points)[:, None]
    if whole < 1e-9:
        on_sphere = np.repeat(ends[:1], points, axis=0)
    else:  # spherical linear interpolation (Shoemake 1985)
        on_sphere = (np.sin((1 - share) * whole) * ends[0] + np.sin(share * whole) * ends[1]) / np.sin(whole)
    longitude = np.arctan2(on_sphere[:, 1], on_sphere[:, 0])
    latitude = np.arcsin(np.clip(on_sphere[:, 2], -1, 1))
    return np.asarray(np.degrees(np.stack([longitude, latitude], axis=1)))
