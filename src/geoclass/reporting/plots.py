"""The figures of a report, from predictions and metrics; none computes a metric itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.bundle.calibration import decisions
from geoclass.metrics.formulas import coverage_curve
from geoclass.metrics.geography import display_order, regions
from geoclass.metrics.names import RATE_METRICS
from geoclass.metrics.predictions import TaskPredictions
from geoclass.plotting import BLUE, FAINT, ORANGE, RAMP, new_figure


def plot_scores(metrics: Mapping[str, Any]) -> Any:
    """Every rate with its interval on one axis, chance level and majority-class baseline behind."""
    names = [name for name in RATE_METRICS if metrics.get(name) is not None]
    figure = new_figure(7, 0.9 + 0.3 * len(names))
    axes = figure.subplots()
    for row, name in enumerate(names):
        low, high = metrics["intervals"].get(name, (metrics[name], metrics[name]))
        axes.plot([low, high], [row, row], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(metrics[name], row, "o", color=BLUE, markersize=6)
        axes.annotate(
            f"{metrics[name]:.3f}", (max(high, metrics[name]), row), (6, 0), textcoords="offset points", va="center"
        )
    for name, text, line in (("chance", "chance level", ":"), ("majority_baseline", "majority-class baseline", "--")):
        axes.axvline(metrics[name], color=ORANGE, linestyle=line, linewidth=1.5, label=f"{text} {metrics[name]:.3f}")
    axes.set(xlim=(0, 1.08), ylim=(len(names) - 0.5, -0.5), yticks=range(len(names)))
    axes.set_yticklabels([RATE_METRICS[name] for name in names])
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, borderaxespad=2.2)
    axes.grid(axis="x")
    axes.tick_params(length=0)
    return figure


def plot_confusion(predictions: TaskPredictions, matrix: NDArray[np.int64]) -> Any:
    """Share of each true label's tracks by prediction; countries are ordered by region, with lines between them."""
    from matplotlib.colors import PowerNorm

    order = display_order(predictions.task, predictions.labels)
    used = order[(matrix.sum(axis=0) + matrix.sum(axis=1))[order] > 0]
    counts = matrix[np.ix_(used, used)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = [predictions.labels[index] for index in used]
    size = float(np.clip(2.4 + 0.27 * len(used), 4.5, 16))
    figure = new_figure(size + 1, size)
    axes = figure.subplots()
    image = axes.imshow(share, cmap=RAMP, norm=PowerNorm(0.5, vmin=0, vmax=1))  # makes a few of many visible
    small = 8 if len(used) <= 40 else 6
    axes.set_xticks(range(len(used)), labels, rotation=90, fontsize=small)
    axes.set_yticks(range(len(used)), labels, fontsize=small)
    axes.tick_params(length=0)
    axes.set(xlabel="predicted label", ylabel="true label")
    axes.spines[:].set_visible(False)
    if len(used) <= 30:
        for row, column in np.argwhere(counts > 0):
            colour = "white" if share[row, column] < 0.36 else "black"
            axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=7, color=colour)
    if predictions.task == "country":
        _region_lines(axes, regions(labels))
    figure.colorbar(image, label="share of the true label's tracks", shrink=0.6)
    return figure


def _region_lines(axes: Any, of_label: Sequence[str]) -> None:
    starts = [index for index, name in enumerate(of_label) if index == 0 or name != of_label[index - 1]]
    for start, end in zip(starts, [*starts[1:], len(of_label)], strict=True):
        if start:
            axes.axhline(start - 0.5, color="white", linewidth=1.2)
            axes.axvline(start - 0.5, color="white", linewidth=1.2)
        axes.text((start + end - 1) / 2, -0.9, of_label[start], ha="center" if end - start > 3 else "left",
                  rotation=0 if end - start > 3 else 35, va="bottom", fontsize=8)  # fmt: skip


def plot_reliability(metrics: Mapping[str, Any]) -> Any:
    """Reliability diagram: accuracy of predictions by confidence, before and after calibration."""
    figure = new_figure(5, 5)
    axes, counts = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, label="perfect calibration")
    edges = np.linspace(0, 1, len(metrics["calibration_bins"]["count"]) + 1)
    series = (
        ("calibration_bins_before", "ece_before_calibration", "before", ORANGE, "s--"),
        ("calibration_bins", "ece", "after", BLUE, "o-"),
    )
    for key, error, text, colour, line in series:
        if key not in metrics:  # of a library only calibrated predictions are known
            continue
        bins = {name: np.array(values) for name, values in metrics[key].items()}
        used = bins["count"] > 0
        label = f"{text} calibration (ECE {metrics[error]:.3f})"
        axes.plot(bins["confidence"][used], bins["accuracy"][used], line, color=colour, label=label, markersize=4)
        counts.stairs(bins["count"], edges, color=colour, linestyle="--" if line.endswith("--") else "-")
    axes.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02), aspect="auto")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    axes.grid()
    counts.set(xlabel="confidence", ylabel="predictions", yscale="symlog" if max(bins["count"]) > 1000 else "linear")
    return figure


def plot_coverage(predictions: TaskPredictions) -> Any:
    """Precision against coverage as the confidence threshold is lowered; the model's own threshold marked."""
    confidence, correct = decisions(predictions.probabilities, predictions.truth)
    threshold, coverage, precision = coverage_curve(confidence, correct)
    keep = np.unique(np.linspace(0, len(coverage) - 1, 1000).astype(int))
    figure = new_figure(6, 4)
    axes = figure.subplots()
    axes.plot(coverage[keep], precision[keep], color=BLUE, drawstyle="steps-pre" if len(coverage) < 60 else "default")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04), ylabel="precision of the labels written")
    unit = "tracks" if predictions.kind == "single" else "track–label pairs"
    axes.set_xlabel(f"coverage (share of {unit} that are written)")
    if predictions.threshold is not None:
        at = int((threshold >= predictions.threshold).sum()) - 1
        if at >= 0:
            text = f"threshold {predictions.threshold:.2f}:\ncoverage {coverage[at]:.0%}, precision {precision[at]:.0%}"
            axes.plot(coverage[at], precision[at], "D", color=ORANGE, markersize=7, label=text)
        else:
            axes.plot([], [], "D", color=ORANGE, label=f"threshold {predictions.threshold:.2f}:\nno label is written")
        axes.legend(loc="best")
    axes.grid()
    return figure


def plot_precision_recall(predictions: TaskPredictions, metrics: Mapping[str, Any], *, labels: int = 24) -> Any:
    """Precision against recall for the most frequent labels of a multi-label task."""
    frequent = np.argsort(-predictions.targets.sum(axis=0), kind="stable")[:labels]
    columns = min(6, len(frequent))
    rows = -(-len(frequent) // columns)
    figure = new_figure(1.75 * columns, 1.75 * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, index in zip(grid.flat, frequent, strict=False):
        positive = predictions.targets[:, index]
        _, coverage, precision = coverage_curve(predictions.probabilities[:, index].astype(np.float64), positive)
        recall = precision * coverage * len(positive) / max(1, positive.sum())
        keep = np.unique(np.linspace(0, len(recall) - 1, 200).astype(int))
        axes.plot(recall[keep], precision[keep], color=BLUE)
        axes.axhline(positive.mean(), color=ORANGE, linestyle=":", linewidth=1)
        score = metrics["per_class"][predictions.labels[index]]["average_precision"]
        axes.set_title(
            f"{predictions.labels[index]}\nAP {score:.2f}" if score is not None else predictions.labels[index],
            fontsize="small",
        )
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04))
    for axes in list(grid.flat)[len(frequent) :]:
        axes.set_visible(False)
    figure.supxlabel("recall", fontsize="medium")
    figure.supylabel("precision", fontsize="medium")
    return figure
