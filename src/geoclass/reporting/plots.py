"""The pictures of a report. Each takes answers and numbers and gives a figure; none computes a score of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.bundle.calibration import decisions
from geoclass.metrics.formulas import PARTS, coverage_curve
from geoclass.metrics.geography import capital, display_order, regions
from geoclass.metrics.predictions import Scored
from geoclass.plotting import BLUE, FAINT, INK, MARKERS, ORANGE, PALETTE, RAMP, new_figure
from geoclass.reporting.worldmap import draw_arc, draw_world


def plot_scores(metrics: Mapping[str, Any]) -> Any:
    """Every score with its interval on one axis, chance and the majority guess behind."""
    names = [name for name in PARTS if metrics.get(name) is not None]
    figure = new_figure(7, 0.9 + 0.3 * len(names))
    axes = figure.subplots()
    for row, name in enumerate(names):
        low, high = metrics["intervals"].get(name, (metrics[name], metrics[name]))
        axes.plot([low, high], [row, row], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(metrics[name], row, "o", color=BLUE, markersize=6)
        axes.annotate(
            f"{metrics[name]:.3f}", (max(high, metrics[name]), row), (6, 0), textcoords="offset points", va="center"
        )
    for name, text, line in (("chance", "chance", ":"), ("majority_baseline", "majority guess", "--")):
        axes.axvline(metrics[name], color=ORANGE, linestyle=line, linewidth=1.5, label=f"{text} {metrics[name]:.3f}")
    axes.set(xlim=(0, 1.08), ylim=(len(names) - 0.5, -0.5), yticks=range(len(names)))
    axes.set_yticklabels([PARTS[name] for name in names])
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, borderaxespad=2.2)
    axes.grid(axis="x")
    axes.tick_params(length=0)
    return figure


def plot_confusion(scored: Scored, matrix: NDArray[np.int64]) -> Any:
    """Share of each true label's tracks by answer; countries stand by region, with lines between the regions."""
    from matplotlib.colors import PowerNorm

    order = display_order(scored.task, scored.labels)
    used = order[(matrix.sum(axis=0) + matrix.sum(axis=1))[order] > 0]
    counts = matrix[np.ix_(used, used)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = [scored.labels[index] for index in used]
    size = float(np.clip(2.4 + 0.27 * len(used), 4.5, 16))
    figure = new_figure(size + 1, size)
    axes = figure.subplots()
    image = axes.imshow(share, cmap=RAMP, norm=PowerNorm(0.5, vmin=0, vmax=1))  # a few of many are to be seen
    small = 8 if len(used) <= 40 else 6
    axes.set_xticks(range(len(used)), labels, rotation=90, fontsize=small)
    axes.set_yticks(range(len(used)), labels, fontsize=small)
    axes.tick_params(length=0)
    axes.set(xlabel="answer", ylabel="truth")
    axes.spines[:].set_visible(False)
    if len(used) <= 30:
        for row, column in np.argwhere(counts > 0):
            colour = "white" if share[row, column] < 0.36 else "black"
            axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=7, color=colour)
    if scored.task == "country":
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
    """How often answers of a given confidence are right, before and after calibration."""
    figure = new_figure(5, 5)
    axes, counts = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, label="perfect")
    edges = np.linspace(0, 1, len(metrics["calibration_bins"]["count"]) + 1)
    series = (
        ("calibration_bins_before", "ece_before_calibration", "before", ORANGE, "s--"),
        ("calibration_bins", "ece", "after", BLUE, "o-"),
    )
    for key, error, text, colour, line in series:
        if key not in metrics:  # a library's files were answered by the calibrated model alone
            continue
        bins = {name: np.array(values) for name, values in metrics[key].items()}
        used = bins["count"] > 0
        label = f"{text} calibration (ECE {metrics[error]:.3f})"
        axes.plot(bins["confidence"][used], bins["accuracy"][used], line, color=colour, label=label, markersize=4)
        counts.stairs(bins["count"], edges, color=colour, linestyle="--" if line.endswith("--") else "-")
    axes.set(ylabel="share right", xlim=(0, 1), ylim=(0, 1.02), aspect="auto")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    axes.grid()
    counts.set(xlabel="confidence", ylabel="answers", yscale="symlog" if max(bins["count"]) > 1000 else "linear")
    return figure


def plot_coverage(scored: Scored) -> Any:
    """How often what is written is right, against how much is written; the model's own threshold marked."""
    confidence, correct = decisions(scored.probabilities, scored.truth)
    threshold, coverage, precision = coverage_curve(confidence, correct)
    keep = np.unique(np.linspace(0, len(coverage) - 1, 1000).astype(int))
    figure = new_figure(6, 4)
    axes = figure.subplots()
    axes.plot(coverage[keep], precision[keep], color=BLUE, drawstyle="steps-pre" if len(coverage) < 60 else "default")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04), ylabel="share of what is written that is right")
    axes.set_xlabel("share of tracks written" if scored.kind == "single" else "share of tracks and labels written")
    if scored.threshold is not None:
        at = int((threshold >= scored.threshold).sum()) - 1
        if at >= 0:
            text = f"threshold {scored.threshold:.2f}:\n{coverage[at]:.0%} written, {precision[at]:.0%} right"
            axes.plot(coverage[at], precision[at], "D", color=ORANGE, markersize=7, label=text)
        else:
            axes.plot([], [], "D", color=ORANGE, label=f"threshold {scored.threshold:.2f}:\nnothing is written")
        axes.legend(loc="best")
    axes.grid()
    return figure


def plot_map(scored: Scored, matrix: NDArray[np.int64], *, arcs: int = 60) -> Any:
    """Truth and prediction: a dot for each country by tracks and recall, arcs for the most frequent errors."""
    figure = new_figure(10, 4.1)
    axes = figure.subplots()
    draw_world(axes)
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    flat = np.argsort(-wrong, axis=None, kind="stable")[:arcs]
    for true, answer in zip(*np.unravel_index(flat, wrong.shape), strict=True):
        if wrong[true, answer]:
            width = 0.4 + 2.2 * float(np.sqrt(wrong[true, answer] / wrong.max()))
            draw_arc(axes, scored.labels[true], scored.labels[answer], width=width)
    totals = matrix.sum(axis=1)
    present = [index for index in np.flatnonzero(totals) if capital(scored.labels[index])]
    places = np.array([capital(scored.labels[index]) for index in present])
    recall = np.diagonal(matrix)[present] / totals[present]
    area = 18 + 140 * np.sqrt(totals[present] / totals.max())
    dots = axes.scatter(
        places[:, 1], places[:, 0], s=area, c=recall, cmap=RAMP, vmin=0, vmax=1, edgecolor=INK, linewidth=0.7, zorder=3
    )
    for index, (latitude, longitude) in zip(present, places, strict=True):
        axes.annotate(
            scored.labels[index],
            (longitude, latitude),
            (0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=6.5,
            zorder=4,
        )
    figure.colorbar(dots, label="recall", shrink=0.55, pad=0.01)
    return figure


def plot_embedding(scored: Scored, places: NDArray[np.float64], chosen: NDArray[np.int64]) -> Any:
    """Where the network puts the tracks, by label and (countries) by region.

    Args:
        scored: The answers.
        places: (n_chosen, 2) from `embed_in_plane`.
        chosen: (n_chosen,) tracks.
    """
    labels = np.array([scored.labels[row.argmax()] for row in scored.targets[chosen]], object)
    panels = [("label", labels)]
    if scored.task == "country":
        panels.append(("region", np.array(regions(list(labels)), object)))
    figure = new_figure(5.4 * len(panels), 5.2)
    for axes, (title, values) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        names, counts = np.unique(values, return_counts=True)
        frequent = names[np.argsort(-counts, kind="stable")][:14]
        rest = ~np.isin(values, frequent)
        axes.scatter(*places[rest].T, s=14, color=FAINT, label="others" if rest.any() else None)
        for index, name in enumerate(frequent):
            style = {
                "color": PALETTE[index % len(PALETTE)],
                "marker": MARKERS[(index // len(PALETTE) + index) % len(MARKERS)],
            }
            axes.scatter(
                *places[values == name].T,
                s=16 if len(values) > 200 else 30,
                label=name,
                linewidth=0,
                alpha=0.85,
                **style,
            )
        axes.set(title=f"by {title}", xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=5, fontsize="small", handletextpad=0.1)
    return figure


def embed_in_plane(
    embeddings: NDArray[np.float32], *, sample: int = 1500, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """t-SNE (van der Maaten and Hinton 2008) of at most `sample` tracks, chosen by `seed`.

    Returns:
        (n_chosen, 2) places and (n_chosen,) tracks in their order; None when there are too few tracks for a picture.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n_tracks = len(embeddings)
    chosen = np.sort(np.random.default_rng(seed).permutation(n_tracks)[:sample])
    if len(chosen) < 8:
        return None
    points = embeddings[chosen].astype(np.float64)
    if points.std() == 0:
        return None
    points = PCA(min(30, *points.shape), random_state=seed).fit_transform(points)
    perplexity = min(30.0, (len(chosen) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points).astype(np.float64), chosen


def plot_precision_recall(scored: Scored, metrics: Mapping[str, Any], *, labels: int = 24) -> Any:
    """Precision against recall for the most frequent labels of a multi-label task."""
    frequent = np.argsort(-scored.targets.sum(axis=0), kind="stable")[:labels]
    columns = min(6, len(frequent))
    rows = -(-len(frequent) // columns)
    figure = new_figure(1.75 * columns, 1.75 * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, index in zip(grid.flat, frequent, strict=False):
        positive = scored.targets[:, index]
        _, coverage, precision = coverage_curve(scored.probabilities[:, index].astype(np.float64), positive)
        recall = precision * coverage * len(positive) / max(1, positive.sum())
        keep = np.unique(np.linspace(0, len(recall) - 1, 200).astype(int))
        axes.plot(recall[keep], precision[keep], color=BLUE)
        axes.axhline(positive.mean(), color=ORANGE, linestyle=":", linewidth=1)
        score = metrics["per_class"][scored.labels[index]]["average_precision"]
        axes.set_title(
            f"{scored.labels[index]}\nAP {score:.2f}" if score is not None else scored.labels[index], fontsize="small"
        )
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04))
    for axes in list(grid.flat)[len(frequent) :]:
        axes.set_visible(False)
    figure.supxlabel("recall", fontsize="medium")
    figure.supylabel("precision", fontsize="medium")
    return figure
