"""Answers as CSV, JSON lines and an array of embeddings, written as they come."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import StorageError
from geoclass.inference.prediction import Failure
from geoclass.library.predict import Answer
from geoclass.storage import refuse_foreign
from geoclass.text import json_line, printable

_HEAD = ("input", "row", "name", "error", "note")
CSV_MARK = ",".join(_HEAD).encode()
JSONL_MARK = b'{"input": '


class PredictionWriter:
    """Writes answers to a stream, one line each: CSV, or JSON lines.

    Args:
        stream: Text; for CSV opened with newline="".
        tasks: In the order of the columns.
        top: How many candidates a task gets.
        as_json: JSON lines instead of CSV.
    """

    def __init__(self, stream: TextIO, *, tasks: Sequence[str], top: int, as_json: bool = False) -> None:
        self._stream, self._tasks, self._top, self._as_json = stream, tuple(tasks), top, as_json
        self._csv = csv.writer(stream, lineterminator="\n")
        if not as_json:
            columns = [
                f"{task}_{rank}{end}" for task in tasks for rank in range(1, top + 1) for end in ("", "_probability")
            ]
            self._csv.writerow([*_HEAD, *columns])

    def write(self, answer: Answer) -> None:
        """One line."""
        found = answer.prediction
        error = found.reason if isinstance(found, Failure) else ""
        note = "" if isinstance(found, Failure) else found.note
        fields = {} if isinstance(found, Failure) else found.fields
        best = {task: fields[task].candidates[: self._top] if task in fields else () for task in self._tasks}
        if self._as_json:
            document: dict[str, Any] = {
                "input": str(answer.path), "row": answer.row, "name": answer.name or None, "error": error or None,
                "note": note or None,
                "fields": {task: [[label, round(p, 6)] for label, p in best[task]] for task in self._tasks},
            }  # fmt: skip
            self._stream.write(json_line(document) + "\n")
            return
        cells: list[object] = []
        for task in self._tasks:
            for label, probability in best[task]:
                cells += [label, f"{probability:.6f}"]
            cells += [""] * (2 * (self._top - len(best[task])))
        row = "" if answer.row is None else str(answer.row)
        head = (str(answer.path), row, answer.name, error, note)
        self._csv.writerow([*map(printable, head), *cells])


class EmbeddingWriter:
    """Writes an array (n_answers, embedding_dim) of float32 as `.npy`; NaN for inputs without an answer."""

    def __init__(self, path: Path, *, dim: int) -> None:
        self._dim, self._n = dim, 0
        try:
            self._file = open(path, "xb")  # noqa: SIM115  (closed by __exit__)
        except OSError as error:
            raise StorageError(
                f"cannot write {path}: {error.strerror}", hint="choose another name, or remove it first"
            ) from error
        self._write_header()

    def write(self, embedding: NDArray[np.float32] | None) -> None:
        """One row."""
        row = np.full(self._dim, np.nan, "<f4") if embedding is None else embedding.astype("<f4")
        self._file.write(row.tobytes())
        self._n += 1

    def __enter__(self) -> "EmbeddingWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.seek(0)
        self._write_header()  # numpy leaves room for a larger number of rows
        self._file.close()

    def _write_header(self) -> None:
        header = {"descr": "<f4", "fortran_order": False, "shape": (self._n, self._dim)}
        np.lib.format.write_array_header_1_0(self._file, header)


def open_predictions(path: Path, *, as_json: bool) -> TextIO:
    """Open a file for answers; one that geoclass wrote is replaced, nothing else.

    Raises:
        UsageError: It is something else.
        StorageError: It cannot be written.
    """
    refuse_foreign(path, mark=JSONL_MARK if as_json else CSV_MARK)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "w", encoding="utf-8", newline="")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}", hint="choose another name") from error
