"""`index.html` for several models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geoclass.metrics.bootstrap import Difference
from geoclass.metrics.names import COMPARED_METRICS, METRIC_NAMES, RATE_METRICS, digits_of
from geoclass.plotting import BLUE, FAINT, MARKERS, PALETTE, new_figure, style
from geoclass.reporting.render import Column, Section, Table, draw, write_page_file


def write_comparison_page(
    folder: Path,
    *,
    task: str,
    names: Sequence[str],
    metrics: Sequence[Mapping[str, Any]],
    differences: Sequence[Difference],
    n_tracks: int,
    n_known: int = 0,
    note: str = "",
) -> Path:
    """Draw the figures into `folder` and write index.html, with links to the models' own pages.

    Args:
        folder: With one folder per model.
        task: "country" or "genre".
        names: Of the models and their folders.
        metrics: By model, what its metrics.json holds.
        differences: Of each pair of models.
        n_tracks: Tracks that the differences are measured on.
        n_known: Tracks left out of the differences because a model was fitted on them or on their artists.
        note: Why the differences have no intervals, if they have none.
    """
    with style():
        figures = {
            "models": draw(_plot_models(names, metrics), folder, name="models"),
            "differences": draw(_plot_differences(differences), folder, name="differences"),
        }
    protocols = [of.get("protocol", "") for of in metrics]
    return write_page_file(
        folder / "index.html",
        "comparison.html",
        task=task,
        names=names,
        metrics=metrics,
        protocol="leaky" if "leaky" in protocols else protocols[0],
        n_tracks=n_tracks,
        n_known=n_known,
        note=note,
        sections=[
            Section("models", "Models", "comparison/models.html"),
            Section("differences", "Pairwise differences", "comparison/differences.html"),
        ],
        figures=figures,
        models=_model_table(names, metrics),
        differences=_difference_table(differences),
    )


def _model_table(names: Sequence[str], metrics: Sequence[Mapping[str, Any]]) -> Table:
    shown = [name for name in COMPARED_METRICS if any(name in of for of in metrics)]
    columns = [Column("model"), Column("tracks", "number")]
    columns += [Column(METRIC_NAMES[name], "number", digits_of(name)) for name in shown]
    rows = [[name, of["n_tracks"], *map(of.get, shown)] for name, of in zip(names, metrics, strict=True)]
    return Table(columns, rows)


def _difference_table(differences: Sequence[Difference]) -> Table:
    titles = ("difference", "low", "high", "p")
    columns = [*map(Column, ("first", "second", "metric")), *(Column(title, "number") for title in titles)]
    rows = [
        (item.first, item.second, METRIC_NAMES[item.score], item.difference, item.low, item.high, item.p)
        for item in differences
    ]
    return Table(columns, rows)


def _plot_models(names: Sequence[str], metrics: Sequence[Mapping[str, Any]]) -> Any:
    shown = [name for name in RATE_METRICS if any(name in of for of in metrics)]
    figure = new_figure(7, 1.0 + len(shown) * (0.16 + 0.14 * len(names)))
    axes = figure.subplots()
    for index, (name, of) in enumerate(zip(names, metrics, strict=True)):
        colour, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
        offset = (index - (len(names) - 1) / 2) * 0.7 / len(names)
        for row, score in enumerate(shown):
            value = of.get(score)
            if value is None:
                continue
            low, high = of["intervals"].get(score, (value, value))
            axes.plot([low, high], [row + offset] * 2, color=colour, linewidth=3, alpha=0.35, solid_capstyle="butt")
            axes.plot(value, row + offset, marker, color=colour, markersize=5, label=name if row == 0 else None)
    axes.set(xlim=(0, 1.02), ylim=(len(shown) - 0.5, -0.5))
    axes.set_yticks(range(len(shown)), [RATE_METRICS[name] for name in shown])
    axes.grid(axis="x")
    axes.tick_params(length=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, borderaxespad=2.2)
    return figure


def _plot_differences(differences: Sequence[Difference]) -> Any:
    shown = "mAP" if any(item.score == "mAP" for item in differences) else "accuracy"
    items = [item for item in differences if item.score == shown]
    figure = new_figure(7, 1.0 + 0.32 * len(items))
    axes = figure.subplots()
    axes.axvline(0, color=FAINT)
    for row, item in enumerate(items):
        if item.low is not None and item.high is not None:
            axes.plot([item.low, item.high], [row, row], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(item.difference, row, "o", color=BLUE)
    axes.set_yticks(range(len(items)), [f"{item.second} − {item.first}" for item in items])
    axes.set(ylim=(len(items) - 0.5, -0.5), xlabel=f"difference in {METRIC_NAMES[shown]}")
    axes.grid(axis="x")
    axes.tick_params(length=0)
    return figure
