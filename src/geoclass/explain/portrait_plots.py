"""The figures of class portraits: which bands or columns decide for a class, and its most typical segments."""

from pathlib import Path
from typing import Any

import numpy as np

from geoclass.config.frontends import FrontEndConfig, LogMelConfig
from geoclass.explain.axes import band_axis, band_edges, signed_bars, smooth
from geoclass.explain.portraits import ClassPortraits
from geoclass.plotting import new_figure, save_png, style
from geoclass.storage import atomic_path


def draw_portraits(portraits: ClassPortraits, front_end: FrontEndConfig, folder: str | Path) -> list[Path]:
    """Write what decides for each class: by band (or column), the most typical segments, and typical.csv."""
    folder = Path(folder)
    with style():
        if portraits.columns:
            drawn = [save_png(_by_column(portraits), folder / "columns.png")]
            if portraits.importance is not None:
                drawn.append(save_png(_importances(portraits), folder / "importance.png"))
        else:
            drawn = [
                save_png(_by_band(portraits, front_end), folder / "bands.png"),
                save_png(_grid(portraits, front_end), folder / "maps.png"),
            ]
    with atomic_path(folder / "typical.csv") as temporary:
        portraits.typical.to_csv(temporary, index=False, lineterminator="\n", errors="surrogateescape")
    return [*drawn, folder / "typical.csv"]


def _by_band(portraits: ClassPortraits, front_end: FrontEndConfig) -> Any:
    by_band = portraits.maps.sum(axis=2)  # (n_labels, n_bands)
    by_band = by_band / np.maximum(np.abs(by_band).max(axis=1, keepdims=True), 1e-12)
    n_labels, n_bands = by_band.shape
    figure = new_figure(2.2 + 0.4 * n_labels, 4.6)
    axes = figure.subplots()
    edges = band_edges(front_end, n_bands)
    mesh = axes.pcolormesh(np.arange(n_labels + 1) - 0.5, edges, by_band.T, cmap="PuOr_r", vmin=-1, vmax=1)
    axes.set_xticks(range(n_labels), portraits.labels, rotation=90)
    band_axis(axes, front_end, n_bands)
    figure.colorbar(mesh, label="contribution to the class (scaled to 1 per class)")
    axes.set_title("which bands decide, per class")
    return figure


def _grid(portraits: ClassPortraits, front_end: FrontEndConfig, *, most: int = 24) -> Any:
    labels = portraits.labels[:most]
    figure = new_figure(9, 0.4 + 1.6 * len(labels))
    grid = figure.subplots(len(labels), 2, squeeze=False, sharex=True, sharey=True)
    n_bands, n_frames = portraits.maps.shape[1:]
    edges_y, edges_x = band_edges(front_end, n_bands), np.linspace(0, 1, n_frames + 1)
    if isinstance(front_end, LogMelConfig):
        edges_x = np.arange(n_frames + 1) * front_end.hop_length / front_end.sample_rate
    for index, (label, (left, right)) in enumerate(zip(labels, grid, strict=True)):
        values = smooth(portraits.maps[index])
        scale = float(np.quantile(np.abs(values), 0.995)) or 1.0
        left.pcolormesh(edges_x, edges_y, values, cmap="PuOr_r", vmin=-scale, vmax=scale)
        right.pcolormesh(edges_x, edges_y, portraits.examples[index], cmap="magma")
        first = portraits.typical[portraits.typical["label"] == label].iloc[0]
        left.set_title(f"{label}: mean map", fontsize="small")
        right.set_title(
            f"most typical: {first['track_id']} at {first['start_s']:.0f} s, {first['probability']:.2f}",
            fontsize="small",
        )
        for axes in (left, right):
            band_axis(axes, front_end, n_bands)
        right.set_ylabel("")
    for axes in grid[-1]:
        axes.set_xlabel("time in the segment (s)" if isinstance(front_end, LogMelConfig) else "fraction of the segment")
    return figure


def _by_column(portraits: ClassPortraits, *, most: int = 25) -> Any:
    order = np.argsort(-np.abs(portraits.maps).mean(axis=0), kind="stable")[:most]
    figure = new_figure(4 + 0.4 * len(portraits.labels), 1.5 + 0.22 * len(order))
    axes = figure.subplots()
    scale = float(np.abs(portraits.maps).max()) or 1.0
    image = axes.imshow(portraits.maps[:, order].T, cmap="PuOr_r", vmin=-scale, vmax=scale, aspect="auto")
    axes.set_yticks(range(len(order)), [portraits.columns[index] for index in order], fontsize=8)
    axes.set_xticks(range(len(portraits.labels)), portraits.labels, rotation=90)
    figure.colorbar(image, label="contribution to the class (Shapley value)")
    return figure


def _importances(portraits: ClassPortraits, *, most: int = 25) -> Any:
    assert portraits.importance is not None
    order = np.argsort(-portraits.importance, kind="stable")[:most]
    figure = new_figure(7, 1 + 0.24 * len(order))
    axes = figure.subplots()
    signed_bars(axes, [portraits.columns[index] for index in order], portraits.importance[order])
    axes.set_xlabel("accuracy lost when the column is shuffled")
    return figure
