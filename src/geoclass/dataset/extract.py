"""A sound file to the features of its segments, here on threads or on the workers of a cluster."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geoclass.audio.decode import load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.config.frontends import FrontEndConfig
from geoclass.config.settings import BuildConfig
from geoclass.errors import AudioError, DatasetError
from geoclass.parallel.cluster import cluster_map
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import PATIENCE_S, ordered_map

if TYPE_CHECKING:
    from torch import Tensor

    from geoclass.features.base import FrontEnd

_MAKING = Lock()

Run = Callable[[Iterable["Job"]], Iterator["Extracted"]]  # jobs to their features, in order


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
    """Decode the excerpt, cut it into segments and run the front end. Failures are returned, not raised."""
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
        batch = torch.from_numpy(segments)
        copies = [
            front_end(_shift(batch, shift, front_end.sample_rate)).to("cpu", torch.float16) for shift in job.shifts
        ]
        features = torch.cat(copies).numpy()
    repeats = len(job.shifts)
    shifts = [shift for shift in job.shifts for _ in starts_s]
    return Extracted(job.track_id, starts_s * repeats, shifts, features)


def _shift(batch: "Tensor", semitones: float, sample_rate: int) -> "Tensor":
    if not semitones:
        return batch
    from geoclass.audio.pitch import pitch_shift

    return pitch_shift(batch, sample_rate=sample_rate, semitones=semitones)


def _front_end(config: FrontEndConfig) -> "FrontEnd":
    with _MAKING:  # the threads of a build share one front end: it may take gigabytes
        return _made(config)


@cache
def _made(config: FrontEndConfig) -> "FrontEnd":
    from geoclass.features.registry import create_front_end
    from geoclass.parallel.device import resolve_device

    front_end = create_front_end(config)
    return front_end.to(resolve_device("auto")) if config.kind == "embedding" else front_end


def _without_path(message: str, path: Path) -> str:
    return message.removeprefix(f"{path}: ")


def create_runner(
    audio_root: Path, config: BuildConfig, *, workers: int | None = None, scheduler: str | None = None
) -> Run:
    """Extract jobs in parallel, with results in order.

    Args:
        audio_root: What the paths of jobs are relative to.
        config: Front end, segment and excerpt.
        workers: Decoding threads; None: one per core.
        scheduler: Address of a dask scheduler; None: threads of this process.
    """
    work = partial(extract, audio_root=audio_root, config=config)
    if scheduler is None:
        return partial(_run_on_threads, work, workers=workers)
    check = partial(_check_audio_root, audio_root)
    return lambda jobs: cluster_map(partial(_alone, work), jobs, scheduler=scheduler, check=check)


def _alone(work: Callable[[Job], Extracted], job: Job) -> Extracted:
    """One track on a cluster's worker."""
    return on_one_thread(work)(job)


def _check_audio_root(folder: Path) -> None:
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}", hint="mount the audio at the same path on every machine")


def _run_on_threads(
    work: Callable[[Job], Extracted], jobs: Iterable[Job], *, workers: int | None
) -> Iterator[Extracted]:
    return ordered_map(on_one_thread(work), jobs, workers=workers, patience_s=PATIENCE_S)
