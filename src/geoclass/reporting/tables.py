"""The tables of a report: results per class, the most frequent confusions, the most confident errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import GeoError
from geoclass.geo.countries import country_name
from geoclass.metrics.geography import display_order, distance_km, regions
from geoclass.metrics.predictions import TaskPredictions
from geoclass.reporting.render import Column, Table


def class_table(predictions: TaskPredictions, per_class: Mapping[str, Mapping[str, Any]]) -> tuple[Table, int]:
    """One row per label that is true or predicted anywhere, and the number of labels left out because they are not.

    Args:
        predictions: Whose labels are shown; countries are ordered by region.
        per_class: As metrics.json has it.
    """
    is_country, is_multi = predictions.task == "country", predictions.kind == "multi"
    columns = [Column(predictions.task)]
    columns += [Column("region")] if is_country else []
    columns += [Column("tracks", "number"), Column("precision", "number"), Column("recall", "number")]
    columns += [Column("F1", "number share")]
    columns += [Column("AP", "number"), Column("ROC-AUC", "number")] if is_multi else []
    keys = ["tracks", "precision", "recall", "f1", *(["average_precision", "roc_auc"] if is_multi else [])]
    rows, n_unused = [], 0
    for index in display_order(predictions.task, predictions.labels):
        label = predictions.labels[index]
        numbers = per_class[label]
        if not numbers["tracks"] and not numbers["predicted"]:
            n_unused += 1
            continue
        named = [display_name(predictions.task, label), *(regions([label]) if is_country else [])]
        rows.append([*named, *(numbers[key] for key in keys)])
    return Table(columns, rows), n_unused


def confusion_table(labels: Sequence[str], matrix: NDArray[np.int64], *, rows: int = 12) -> Table:
    """The most frequent confusions between countries, with the distance between the capitals.

    Args:
        labels: ISO 3166-1 alpha-2 codes.
        matrix: (n_labels, n_labels) tracks; row: truth, column: prediction.
        rows: Confusions to list at most.
    """
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:rows]
    cells = [divmod(int(cell), len(wrong)) for cell in order if wrong.flat[cell]]
    columns = [Column("truth"), Column("prediction"), Column("tracks", "number"), Column("km", "number", digits=0)]
    return Table(columns, [
        [
            display_name("country", labels[true]), display_name("country", labels[predicted]),
            int(wrong[true, predicted]), distance_km(labels[true], labels[predicted]),
        ]
        for true, predicted in cells
    ])  # fmt: skip


def error_table(predictions: TaskPredictions, paths: Sequence[str], *, rows: int = 40) -> tuple[Table, int]:
    """The most confident wrong predictions, and the number of all wrong ones.

    Args:
        predictions: n_tracks predictions.
        paths: (n_tracks,) of the files; "" where there is only a table: the track's id is shown.
        rows: Errors to list at most.
    """
    is_country = predictions.task == "country"
    columns = [Column("truth"), Column("prediction"), Column("confidence", "number"), Column("rank of truth", "number")]
    columns += [Column("km", "number", digits=0)] if is_country else []
    columns += [Column("path", "path")]
    wrong = np.flatnonzero(~predictions.top_is_right)
    worst = wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:rows]
    return Table(columns, [_error(predictions, paths, int(track)) for track in worst]), len(wrong)


def _error(predictions: TaskPredictions, paths: Sequence[str], track: int) -> list[Any]:
    truth = [predictions.labels[index] for index in np.flatnonzero(predictions.targets[track])]
    predicted = predictions.labels[predictions.predicted[track]]
    row: list[Any] = [", ".join(truth) or "none", predicted]
    row += [float(predictions.confidence[track]), int(predictions.rank[track]) + 1]
    if predictions.task == "country":
        row.append(distance_km(truth[0], predicted))
    return [*row, paths[track] or predictions.track_ids[track]]


def witness_table(scores: Sequence[Mapping[str, Any]]) -> Table:
    """How well each witness does alone, all but it, and all.

    Args:
        scores: As metrics.json has them: witnesses, files, spoke, right, written, written_right.
    """
    columns = [Column("witnesses"), Column("spoke", "number"), Column("accuracy", "number")]
    columns += [Column("written", "number"), Column("precision", "number"), Column("coverage", "number share")]
    return Table(columns, [
        [
            score["witnesses"], score["spoke"], _share(score["right"], score["spoke"]), score["written"],
            _share(score["written_right"], score["written"]), _share(score["written"], score["files"]),
        ]
        for score in scores
    ])  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def display_name(task: str, label: str) -> str:
    """ "TR" -> "TR Türkiye"; genres, and codes that are not countries, as they are."""
    if task != "country":
        return label
    try:
        return f"{label} {country_name(label)}"
    except GeoError:
        return label
