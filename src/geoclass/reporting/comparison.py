"""`index.html` for several models side by side."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from geoclass import __version__
from geoclass.evaluation.compare import Comparison, columns_of, rows_of
from geoclass.metrics.formulas import PARTS, SCORE_NAMES
from geoclass.plotting import BLUE, FAINT, MARKERS, PALETTE, new_figure, style
from geoclass.reporting.html import Column, Section, escape, figure_part, table, write_document


def write_comparison_page(comparison: Comparison, folder: Path) -> Path:
    """Draw the pictures into `folder` and write index.html, with links to the models' own pages."""
    metrics = comparison.reports[0].metrics
    with style():
        sections = [
            Section("models", "Models", figure_part(
                _plot_models(comparison), folder, name="models", description="Scores of each model with intervals.",
                caption="Bars are 95 % intervals from resampling artists.",
            ) + _models_table(comparison)),
            Section("differences", "Differences", figure_part(
                _plot_differences(comparison), folder, name="differences",
                description="Difference in accuracy for each pair of models with its interval.",
                caption="Second model minus first, both resampled together. An interval that leaves out 0 is a "
                "difference that other artists would very likely show too.",
            ) + _differences_table(comparison)),
        ]  # fmt: skip
    links = "".join(f'<li><a href="{quote(name)}/index.html">{escape(name)}</a></li>' for name in comparison.names)
    leaky = metrics.get("protocol") == "leaky"
    badge = f'<span class="badge {"leaky" if leaky else "honest"}">{escape(metrics.get("protocol", ""))}</span>'
    said = "the splits of this data set share recordings or artists."
    warning = f'<p class="warning"><strong>leaky:</strong> {said}</p>' if leaky else ""
    head = (
        f"<h1>{len(comparison.names)} models for the {escape(comparison.task)} {badge}</h1>"
        f'<p class="about">data set {escape(metrics["dataset"]["name"])} · split {escape(metrics["split"])} · '
        f"{comparison.n_tracks:,} tracks that all models answer</p>{warning}"
        f"<p>Each model's own page:</p><ul>{links}</ul>"
    )
    foot = (
        f"<p>geoclass {escape(__version__)} · paired percentile bootstrap over artists. "
        "All numbers are in comparison.json.</p>"
    )
    title = f"{comparison.task}: {', '.join(comparison.names)}"
    return write_document(folder / "index.html", title=title, head=head, sections=sections, foot=foot)


def _models_table(comparison: Comparison) -> str:
    names = columns_of(comparison)
    columns = [Column("model"), Column("tracks", "number")]
    columns += [Column(SCORE_NAMES[name], "number", 0 if name.endswith("_km") else 3) for name in names]
    return table(columns, rows_of(comparison), label="scores by model", sortable=True)


def _differences_table(comparison: Comparison) -> str:
    columns = [Column("first"), Column("second"), Column("score"), Column("difference", "number"),
               Column("low", "number"), Column("high", "number"), Column("p", "number")]  # fmt: skip
    rows = [
        (item.first, item.second, item.score.replace("_", " "), item.difference, item.low, item.high, item.p)
        for item in comparison.differences
    ]
    return table(columns, rows, label="paired differences", sortable=True)


def _plot_models(comparison: Comparison) -> Any:
    names = [name for name in PARTS if any(name in report.metrics for report in comparison.reports)]
    n_models = len(comparison.reports)
    figure = new_figure(7, 1.0 + len(names) * (0.16 + 0.14 * n_models))
    axes = figure.subplots()
    for index, (name, report) in enumerate(zip(comparison.names, comparison.reports, strict=True)):
        colour, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
        offset = (index - (n_models - 1) / 2) * 0.7 / n_models
        for row, score in enumerate(names):
            value = report.metrics.get(score)
            if value is None:
                continue
            low, high = report.metrics["intervals"].get(score, (value, value))
            axes.plot([low, high], [row + offset] * 2, color=colour, linewidth=3, alpha=0.35, solid_capstyle="butt")
            axes.plot(value, row + offset, marker, color=colour, markersize=5, label=name if row == 0 else None)
    axes.set(xlim=(0, 1.02), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(range(len(names)), [PARTS[name] for name in names])
    axes.grid(axis="x")
    axes.tick_params(length=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, borderaxespad=2.2)
    return figure


def _plot_differences(comparison: Comparison) -> Any:
    shown = "mAP" if any(item.score == "mAP" for item in comparison.differences) else "accuracy"
    items = [item for item in comparison.differences if item.score == shown]
    figure = new_figure(7, 1.0 + 0.32 * len(items))
    axes = figure.subplots()
    axes.axvline(0, color=FAINT)
    for row, item in enumerate(items):
        axes.plot([item.low, item.high], [row, row], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(item.difference, row, "o", color=BLUE)
    axes.set_yticks(range(len(items)), [f"{item.second} - {item.first}" for item in items])
    axes.set(ylim=(len(items) - 0.5, -0.5), xlabel=f"difference in {shown}")
    axes.grid(axis="x")
    axes.tick_params(length=0)
    return figure
