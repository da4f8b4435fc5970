"""The feature store: one memory-mapped array, appended in track order, that goes on where it stopped.

While it grows, `features.partial` holds the rows and `progress.jsonl` one line a finished track. A line is written
after its rows, so whatever a crash leaves is cut back to the last track that both agree on. The finished store is
byte-identical however often it was interrupted and however many workers made it.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geoclass.audio.decode import load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.config.frontends import FrontEndConfig
from geoclass.config.settings import BuildConfig
from geoclass.errors import AudioError, DatasetError, StorageError
from geoclass.parallel.threads import closing_source
from geoclass.progress import Progress

_NORMALIZATION_ROWS = 20_000  # segments that mean and deviation are taken from, evenly spaced
_NORMALIZATION_BLOCK = 32  # rows read at a time: they stay in the cache
_HEADER_BYTES = 128  # of features.npy, whatever the number of rows


@dataclass(frozen=True)
class Job:
    """One track to extract."""

    track_id: str
    path: str  # POSIX, relative to the audio root
    shifts: tuple[float, ...] = (0.0,)  # semitones; (0.0, 2.0, -2.0) adds two shifted copies


@dataclass(frozen=True)
class Extracted:
    """One track's segments, or why there are none."""

    track_id: str
    starts_s: list[float]  # per segment
    shifts: list[float]  # per segment, in semitones
    features: NDArray[np.float16] | None  # (n_segments, *feature_shape)
    error: str = ""


def extract(job: Job, *, audio_root: Path, config: BuildConfig) -> Extracted:
    """Decode the excerpt, cut it into segments and run the front end. A file that fails is an answer, not an error."""
    import torch

    front_end = _front_end(config.front_end)
    try:
        waveform = load_excerpt(
            audio_root / job.path, sample_rate=front_end.sample_rate, duration_s=config.excerpt_seconds
        )
        segments, starts_s = cut_segments(waveform, sample_rate=front_end.sample_rate, seconds=config.segment_seconds)
    except AudioError as error:
        return Extracted(job.track_id, [], [], None, _without_path(error.message, audio_root / job.path))
    with torch.inference_mode():
        batch = torch.from_numpy(np.array(segments))
        copies = [front_end(_shift(batch, shift, front_end.sample_rate)) for shift in job.shifts]
        features = torch.cat(copies).to(torch.float16).numpy()
    repeats = len(job.shifts)
    shifts = [shift for shift in job.shifts for _ in starts_s]
    return Extracted(job.track_id, starts_s * repeats, shifts, features)


def _shift(batch: Any, semitones: float, sample_rate: int) -> Any:
    if not semitones:
        return batch
    from geoclass.audio.pitch import pitch_shift

    return pitch_shift(batch, sample_rate=sample_rate, semitones=semitones)


@cache
def _front_end(config: FrontEndConfig) -> Any:
    from geoclass.features.registry import create_front_end

    return create_front_end(config)


def _without_path(message: str, path: Path) -> str:
    return message.removeprefix(f"{path}: ")


class FeatureWriter:
    """Appends tracks to a store in the order they come; opened again, it knows what it already has."""

    def __init__(self, folder: Path, *, row_shape: tuple[int, ...]) -> None:
        self.folder = folder
        self.row_shape = row_shape
        self.row_bytes = int(np.prod(row_shape)) * np.dtype(np.float16).itemsize
        self.done: list[dict[str, Any]] = []  # progress lines, in track order
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._rows: IO[bytes] = open(folder / "features.partial", "ab+")  # noqa: SIM115
            self._log: IO[bytes] = open(folder / "progress.jsonl", "ab+")  # noqa: SIM115
            self._recover()
        except OSError as error:
            raise StorageError(f"cannot write to {folder}: {error.strerror}", hint="choose another folder") from error

    def append(self, item: Extracted) -> None:
        """Add one track; on return it is on its way to the disk, rows before their line."""
        line = {"track_id": item.track_id, "starts_s": item.starts_s, "shifts": item.shifts, "error": item.error}
        try:
            if item.features is not None:
                self._rows.write(np.ascontiguousarray(item.features).tobytes())
            self._rows.flush()
            self._log.write(json.dumps(line).encode() + b"\n")
            self._log.flush()
        except OSError as error:
            raise StorageError(
                f"cannot write to {self.folder}: {error.strerror}",
                hint="make room and run the same command again: it goes on from here",
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
        """Stop without finishing; what is there stays for the next time."""
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


def extract_all(
    jobs: Sequence[Job],
    *,
    writer: FeatureWriter,
    run: Callable[[Iterable[Job]], Iterator[Extracted]],
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Extract the jobs that `writer` does not have yet, in order; return one progress line per track."""
    advance = progress or (lambda *_, **__: None)
    n_done = len(writer.done)
    advance(n_done, total=len(jobs))
    try:
        with closing_source(run(jobs[n_done:])) as extracted:
            for item in extracted:
                writer.append(item)
                advance(1)
    except BaseException:
        writer.close()
        raise
    writer.finish()
    return writer.done


def normalization(features: NDArray[Any], train: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of each band over training segments; constant bands keep a deviation of 1.

    Args:
        features: (n_segments, n_bands, …), possibly memory-mapped.
        train: Rows of the training segments.

    Returns:
        (n_bands,) and (n_bands,).

    Raises:
        DatasetError: No training segments.
    """
    if not len(train):
        raise DatasetError("no training segment is left", hint="add recordings, or lower --balance and the fractions")
    chosen = train[np.unique(np.linspace(0, len(train) - 1, min(len(train), _NORMALIZATION_ROWS)).astype(np.int64))]
    total: NDArray[np.float64] = np.zeros(features.shape[1])
    squares: NDArray[np.float64] = np.zeros(features.shape[1])
    count = 0
    axes = tuple(axis for axis in range(features.ndim) if axis != 1)
    for start in range(0, len(chosen), _NORMALIZATION_BLOCK):
        block = _read_rows(features, chosen[start : start + _NORMALIZATION_BLOCK]).astype(np.float64)
        count += block.size // features.shape[1]
        total += block.sum(axis=axes)
        squares += np.square(block, out=block).sum(axis=axes)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    std[std < 1e-6 * np.maximum(1, np.abs(mean))] = 1.0
    return mean.astype(np.float32), std.astype(np.float32)


def _read_rows(features: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of a store, through a map of their own: what a map has read counts as memory until the map is closed."""
    if isinstance(features, np.memmap) and features.filename is not None:
        features = np.memmap(features.filename, features.dtype, mode="r", offset=features.offset, shape=features.shape)
    return features[rows]
