"""The feature store: one memory-mapped array, appended in track order, that continues where it stopped.

While it grows, `features.partial` holds the rows and `progress.jsonl` one line per finished track. A line is written
after its rows, so whatever a crash leaves is cut back to the last track that both agree on. The finished store is
byte-identical however often it was interrupted and however many workers made it.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TypedDict

import numpy as np

from geoclass.corpora.base import Skipped, Track
from geoclass.dataset.extract import Extracted, Job, Run
from geoclass.dataset.placement import Segment
from geoclass.errors import StorageError
from geoclass.parallel.threads import closing_source
from geoclass.progress import Progress
from geoclass.storage import atomic_path

_HEADER_BYTES = 128  # of features.npy, whatever the number of rows


class ProgressLine(TypedDict):
    """One finished track."""

    track_id: str
    starts_s: list[float]  # per segment
    shifts: list[float]  # per segment, in semitones
    error: str  # why there are no segments, "" when there are


class FeatureWriter:
    """Appends tracks to a store in the order they come; reopened, it continues after them."""

    def __init__(self, folder: Path, *, row_shape: tuple[int, ...]) -> None:
        self.folder = folder
        self.row_shape = row_shape
        self.row_bytes = int(np.prod(row_shape)) * np.dtype(np.float16).itemsize
        self.done: list[ProgressLine] = []  # progress lines, in track order
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._rows: IO[bytes] = open(folder / "features.partial", "ab+")  # noqa: SIM115
            self._log: IO[bytes] = open(folder / "progress.jsonl", "ab+")  # noqa: SIM115
            self._recover()
        except OSError as error:
            raise StorageError(f"cannot write to {folder}: {error.strerror}", hint="choose another folder") from error

    def append(self, item: Extracted) -> None:
        """Add one track; on return its rows, and then its line, are in the hands of the operating system."""
        line = ProgressLine(track_id=item.track_id, starts_s=item.starts_s, shifts=item.shifts, error=item.error)
        try:
            if item.features is not None:
                self._rows.write(np.ascontiguousarray(item.features).data)
            self._rows.flush()
            self._log.write(json.dumps(line).encode() + b"\n")
            self._log.flush()
        except OSError as error:
            raise StorageError(
                f"cannot write to {self.folder}: {error.strerror}",
                hint="free some space and run the same command again: it continues from here",
            ) from error
        self.done.append(line)

    def finish(self) -> Path:
        """Turn the rows into `features.npy`; the progress file goes last."""
        n_rows = sum(len(line["starts_s"]) for line in self.done)
        try:
            self._rows.close()
            with open(self.folder / "features.partial", "rb+") as file:
                file.write(_npy_header((n_rows, *self.row_shape)))
                os.fsync(file.fileno())
            target = self.folder / "features.npy"
            os.replace(self.folder / "features.partial", target)
            self._log.close()
        except OSError as error:
            raise StorageError(f"cannot write to {self.folder}: {error.strerror}") from error
        return target

    def close(self) -> None:
        """Stop without finishing; the rows are kept for the next run."""
        self._rows.close()
        self._log.close()

    def _recover(self) -> None:
        self._log.seek(0)
        lines, log_bytes = [], 0
        for raw in self._log:
            if not raw.endswith(b"\n"):
                break
            lines.append((json.loads(raw), log_bytes := log_bytes + len(raw)))
        rows_bytes = self._rows.seek(0, os.SEEK_END)
        if rows_bytes < _HEADER_BYTES:
            self._rows.truncate(0)
            self._rows.write(b"\0" * _HEADER_BYTES)
            lines = []
        size = _HEADER_BYTES
        for line, end in lines:
            needed = size + len(line["starts_s"]) * self.row_bytes
            if needed > rows_bytes:
                break
            size, log_bytes = needed, end
            self.done.append(line)
        self._rows.truncate(size)
        self._log.truncate(log_bytes if self.done else 0)


def _npy_header(shape: Sequence[int]) -> bytes:
    """A version 1.0 .npy header for float16 rows, padded to `_HEADER_BYTES` so that it can be written last."""
    text = repr({"descr": "<f2", "fortran_order": False, "shape": tuple(shape)})
    padding = _HEADER_BYTES - 10 - len(text) - 1
    return b"\x93NUMPY\x01\x00" + (_HEADER_BYTES - 10).to_bytes(2, "little") + text.encode() + b" " * padding + b"\n"


def store_sound(
    tracks: Sequence[Track],
    *,
    writer: FeatureWriter,
    run: Run,
    pitch_shift: float = 0.0,
    progress: Progress | None = None,
) -> tuple[list[Segment], list[Skipped]]:
    """Extract the tracks that `writer` does not have yet.

    Args:
        tracks: In the order of the store.
        writer: Appends to the store, and closes it.
        run: Turns jobs into features.
        pitch_shift: Semitones by which copies of training tracks are shifted up and down; 0: no copies.
        progress: Called with the number of tracks done.

    Returns:
        The segments in the order of the rows, and the tracks that could not be used.
    """
    shifts = (0.0, pitch_shift, -pitch_shift)
    jobs = [
        Job(track.track_id, track.path, shifts if pitch_shift and track.split == "train" else (0.0,))
        for track in tracks
    ]
    segments, failed = [], []
    for track, line in zip(tracks, _append(jobs, writer=writer, run=run, progress=progress), strict=True):
        if line["error"]:
            failed.append(Skipped(track_id=track.track_id, path=track.path, reason=line["error"]))
        for start_s, shift in zip(line["starts_s"], line["shifts"], strict=True):
            segments.append(Segment(track, start_s, shift, track.split))
    return segments, failed


def store_table(tracks: Sequence[Track], columns: Sequence[str], folder: Path) -> list[Segment]:
    """Write the rows of a table of published features: one segment per track."""
    rows = np.array([[(track.features or {})[name] for name in columns] for track in tracks], np.float32)
    with atomic_path(folder / "features.npy") as temporary, open(temporary, "wb") as file:
        np.save(file, rows)
    return [Segment(track, 0.0, 0.0, track.split) for track in tracks]


def _append(jobs: Sequence[Job], *, writer: FeatureWriter, run: Run, progress: Progress | None) -> list[ProgressLine]:
    """Extract the jobs that `writer` does not have yet, in order; return one progress line per track."""
    n_done = len(writer.done)
    if progress:
        progress(n_done, total=len(jobs))
    try:
        with closing_source(run(jobs[n_done:])) as extracted:
            for item in extracted:
                writer.append(item)
                if progress:
                    progress(1)
    except BaseException:
        writer.close()
        raise
    writer.finish()
    return writer.done
