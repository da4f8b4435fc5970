"""Tables of features to predictions, row by row: CSV with named columns, or `.npy`; never more than a batch in memory.

For models that read rows of numbers (`table`, `texture` and `statistics` front ends).
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from geoclass.config.frontends import RowConfig
from geoclass.errors import ModelError
from geoclass.inference.answers import field_predictions, logits_and_embeddings
from geoclass.inference.prediction import Failure, Prediction

if TYPE_CHECKING:
    from geoclass.bundle.bundle import Bundle

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".npy"})
_BATCH = 2048  # rows


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table and what a model says of it."""

    number: int  # from 1, without the header
    name: str  # what the name column says; "" without one
    answer: Prediction | Failure


@dataclass(frozen=True)
class _Batch:
    names: list[str]
    values: NDArray[np.float32]  # (n_rows, n_columns); zeros where there is a problem
    problems: dict[int, str]  # index in the batch -> what is wrong with the row


def predict_table(bundle: "Bundle", path: Path, *, name_column: str = "", embed: bool = False) -> Iterator[Row]:
    """Ask a model about each row of a table, in order.

    Args:
        bundle: A model that reads rows of numbers.
        path: CSV (or TSV) with the model's columns in any order, or `.npy` (n_rows, n_columns) in the model's order.
        name_column: Of a CSV; what it says is returned with each row.
        embed: Give predictions their embedding.

    Raises:
        ModelError: The model reads sound only, or the table does not have its columns, or cannot be read.
    """
    config = bundle.front_end_config
    if not isinstance(config, RowConfig):
        raise ModelError(
            f"model {bundle.name} reads sound, not tables: {path}",
            hint="name sound files, or a model that reads tables",
        )
    read = _read_npy(path, config.columns) if path.suffix == ".npy" else _read_csv(path, config.columns, name_column)
    number = 0
    for batch in read:
        logits, embeddings = logits_and_embeddings(bundle, torch.from_numpy(batch.values))
        for index, fields in enumerate(field_predictions(bundle, logits)):
            number += 1
            embedding = embeddings[index] if embed else None
            answer: Prediction | Failure = Prediction(path=path, fields=fields, embedding=embedding)
            if index in batch.problems:
                answer = Failure(path=path, reason=batch.problems[index])
            yield Row(number=number, name=batch.names[index], answer=answer)


def _read_npy(path: Path, columns: Sequence[str]) -> Iterator[_Batch]:
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if table.ndim != 2 or table.shape[1] != len(columns) or table.dtype.kind not in "fiu":
        raise ModelError(
            f"{path}: expected numbers of shape (n, {len(columns)}), found {table.dtype} of shape {table.shape}",
            hint="the columns are those of the model, in its order: geoclass models show MODEL",
        )
    for start in range(0, len(table), _BATCH):
        values = _to_float32(table[start : start + _BATCH])
        yield _checked([""] * len(values), values, columns, {})


def _read_csv(path: Path, columns: Sequence[str], name_column: str) -> Iterator[_Batch]:
    try:
        with path.open(encoding="utf-8-sig", newline="", errors="backslashreplace") as file:
            reader = csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            header = [name.strip() for name in next(reader, [])]
            _refuse_missing(path, [*columns, *filter(None, [name_column])], header)
            places = [header.index(name) for name in columns]
            name_place = header.index(name_column) if name_column else None
            while rows := list(islice(filter(None, reader), _BATCH)):
                names = ["" if name_place is None else (row[name_place : name_place + 1] or [""])[0] for row in rows]
                yield _parsed(rows, names, places, columns, width=len(header))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
    except csv.Error as error:
        raise ModelError(f"{path}: not a CSV file ({error})") from error


def _refuse_missing(path: Path, wanted: Sequence[str], header: Sequence[str]) -> None:
    if missing := [name for name in wanted if name not in header]:
        shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        raise ModelError(
            f"{path}: {len(missing)} of {len(wanted)} columns are missing: {shown}",
            hint="the first line of the table names its columns, as the model does",
        )


def _parsed(
    rows: list[list[str]], names: list[str], places: list[int], columns: Sequence[str], *, width: int
) -> _Batch:
    problems: dict[int, str] = {}
    values = np.zeros((len(rows), len(places)), np.float32)
    try:
        if all(len(row) == width for row in rows):
            values[:] = _to_float32(np.array([[row[place] for place in places] for row in rows], np.float64))
            return _checked(names, values, columns, problems)
    except ValueError:
        pass
    for index, row in enumerate(rows):  # slower, to find the rows that are wrong
        if len(row) != width:
            problems[index] = f"expected {width} fields, found {len(row)}"
            continue
        for at, place in enumerate(places):
            try:
                values[index, at] = _to_float32(np.float64(row[place]))
            except ValueError:
                problems[index] = f"{columns[at]}: not a number: {row[place][:40]!r}"
                break
    return _checked(names, values, columns, problems)


def _to_float32(numbers: NDArray[Any] | np.float64) -> NDArray[np.float32]:
    """What is too large becomes infinite, which `_checked` sees."""
    with np.errstate(over="ignore"):
        return np.array(numbers, np.float32)


def _checked(names: list[str], values: NDArray[np.float32], columns: Sequence[str], problems: dict[int, str]) -> _Batch:
    for index in np.flatnonzero(~np.isfinite(values).all(axis=1)):
        at = int(np.flatnonzero(~np.isfinite(values[index]))[0])
        problems.setdefault(int(index), f"{columns[at]}: not a finite number")
    values[list(problems)] = 0.0
    return _Batch(names, values, problems)
