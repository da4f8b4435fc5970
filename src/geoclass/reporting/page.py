"""`index.html` of a report: the numbers, the figures that go with them, and the sections in which both are shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.metrics.compute import confusion
from geoclass.metrics.names import METRIC_NAMES, digits_of
from geoclass.metrics.predictions import TaskPredictions
from geoclass.plotting import style
from geoclass.reporting import embedding, plots
from geoclass.reporting.render import Figure, Section, draw, number, write_page_file
from geoclass.reporting.tables import class_table, confusion_table, error_table, witness_table
from geoclass.reporting.worldmap import plot_map

_TITLES = {
    "scores": "Results",
    "witnesses": "Witnesses",
    "map": "Geography of the errors",
    "confusion": "Confusion matrix",
    "classes": "Results per class",
    "precision-recall": "Precision and recall per class",
    "calibration": "Calibration",
    "coverage": "Selective prediction",
    "embedding": "Embedding space",
    "mistakes": "Most confident errors",
}
_HEADLINE = {
    "single": ("accuracy", "balanced_accuracy", "macro_f1", "top3_accuracy"),
    "multi": ("mAP", "macro_roc_auc", "macro_f1", "top3_accuracy"),
}


def write_page(
    folder: Path,
    *,
    metrics: Mapping[str, Any],
    predictions: TaskPredictions,
    paths: Sequence[str],
    embeddings: NDArray[np.float32] | None = None,
    tsne_sample: int = 1500,
) -> Path:
    """Draw the figures of a report into `folder` and write index.html with all of them.

    Args:
        folder: Where PNG files and page go.
        metrics: What metrics.json holds.
        predictions: Of n_tracks tracks.
        paths: (n_tracks,) of the files, "" where there is none.
        embeddings: (n_tracks, embedding_dim) of the network's penultimate layer, if known.
        tsne_sample: Tracks of the embedding that are drawn at most; 0: the embedding is left out.
    """
    matrix = confusion(predictions)
    with style():
        figures = _figures(folder, metrics, predictions, matrix)
        placed = embedding.embed_in_plane(embeddings, sample=tsne_sample) if embeddings is not None else None
        if placed is not None:
            figures["embedding"] = draw(embedding.plot_embedding(predictions, *placed), folder, name="embedding")
    classes, n_unused = class_table(predictions, metrics["per_class"])
    errors, n_errors = error_table(predictions, paths)
    tables = {"classes", "mistakes"} | ({"witnesses"} if metrics.get("witnesses") else set())
    shown = [name for name in _TITLES if name in figures or name in tables]
    return write_page_file(
        folder / "index.html",
        "report.html",
        task=predictions.task,
        metrics=metrics,
        sections=[Section(name, _TITLES[name], f"report/{name}.html") for name in shown],
        headline=[_tile(metrics, name) for name in _HEADLINE[predictions.kind]],
        figures=figures,
        witnesses=witness_table(metrics.get("witnesses", ())),
        classes=classes,
        n_unused=n_unused,
        confusions=confusion_table(predictions.labels, matrix) if predictions.task == "country" else None,
        errors=errors,
        n_errors=n_errors,
        n_embedded=0 if placed is None else len(placed[1]),
    )


def write_task_index(folder: Path, *, metrics: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write index.html of a model with several tasks: a link to the page of each.

    Args:
        folder: With one folder per task.
        metrics: By task, what its metrics.json holds.
    """
    return write_page_file(folder / "index.html", "tasks.html", metrics=metrics)


def _figures(
    folder: Path, metrics: Mapping[str, Any], predictions: TaskPredictions, matrix: NDArray[np.int64]
) -> dict[str, Figure]:
    drawn = {
        "scores": plots.plot_scores(metrics),
        "confusion": plots.plot_confusion(predictions, matrix),
        "reliability": plots.plot_reliability(metrics),
        "coverage": plots.plot_coverage(predictions),
    }
    if predictions.task == "country":
        drawn["map"] = plot_map(predictions, matrix)
    if predictions.kind == "multi":
        drawn["precision-recall"] = plots.plot_precision_recall(predictions, metrics)
    figures = {name: draw(figure, folder, name=name) for name, figure in drawn.items()}
    return figures | {"calibration": figures["reliability"]}


def _tile(metrics: Mapping[str, Any], name: str) -> tuple[str, str, str]:
    """Name, value and 95 % interval of a metric."""
    digits = digits_of(name)
    bounds = metrics["intervals"].get(name)
    interval = f"{number(bounds[0], digits)}–{number(bounds[1], digits)}" if bounds else ""
    return METRIC_NAMES[name], number(metrics[name], digits) or "–", interval
