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
from geoclass.parallel.threads import PATIENCE_S, closing_source, ordered_map

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


@dataclass(frozen=True)
class _Cut:
    """One track's sound on its way to the front end."""

    job: Job
    starts_s: list[float]  # per segment
    copies: "list[Tensor]"  # (n_segments, n_samples) for each shift


def extract(job: Job, *, audio_root: Path, config: BuildConfig) -> Extracted:
    """Decode the excerpt, cut it into segments and run the front end. Failures are returned, not raised."""
    import torch

    front_end = front_end_of(config.front_end)
    cut = _cut(job, audio_root=audio_root, config=config)
    if isinstance(cut, Extracted):
        return cut
    with torch.inference_mode():
        return _extracted(cut, torch.cat([front_end(copy).to("cpu", torch.float16) for copy in cut.copies]))


def _cut(job: Job, *, audio_root: Path, config: BuildConfig) -> _Cut | Extracted:
    import torch

    rate = front_end_of(config.front_end).sample_rate
    try:
        waveform = load_excerpt(audio_root / job.path, sample_rate=rate, duration_s=config.excerpt_seconds)
        segments, starts_s = cut_segments(waveform, sample_rate=rate, seconds=config.segment_seconds)
    except AudioError as error:
        return Extracted(job.track_id, [], [], None, _without_path(error.message, audio_root / job.path))
    with torch.inference_mode():
        batch = torch.from_numpy(segments)
        return _Cut(job, starts_s, [_shift(batch, shift, rate) for shift in job.shifts])


def _extracted(cut: _Cut, features: "Tensor") -> Extracted:
    import torch

    shifts = [shift for shift in cut.job.shifts for _ in cut.starts_s]
    rows = features.to(torch.float16).numpy()
    return Extracted(cut.job.track_id, cut.starts_s * len(cut.job.shifts), shifts, rows)


def _shift(batch: "Tensor", semitones: float, sample_rate: int) -> "Tensor":
    if not semitones:
        return batch
    from geoclass.audio.pitch import pitch_shift

    return pitch_shift(batch, sample_rate=sample_rate, semitones=semitones)


def front_end_of(config: FrontEndConfig) -> "FrontEnd":
    """The front end of a build; the same one each time."""
    with _MAKING:  # the threads of a build share one front end: it may take gigabytes
        return _made(config)


@cache
def _made(config: FrontEndConfig) -> "FrontEnd":
    from geoclass.features.registry import open_encoder

    return open_encoder(config)


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
        return partial(_run_here, audio_root=audio_root, config=config, workers=workers)
    check = partial(_check_audio_root, audio_root)
    return lambda jobs: cluster_map(partial(_alone, work), jobs, scheduler=scheduler, check=check)


def _alone(work: Callable[[Job], Extracted], job: Job) -> Extracted:
    """One track on a cluster's worker."""
    return on_one_thread(work)(job)


def _check_audio_root(folder: Path) -> None:
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}", hint="mount the audio at the same path on every machine")


def _run_here(
    jobs: Iterable[Job], *, audio_root: Path, config: BuildConfig, workers: int | None
) -> Iterator[Extracted]:
    from geoclass.features.base import FILES_AT_ONCE
    from geoclass.features.registry import wants_batches

    front_end = front_end_of(config.front_end)
    if not wants_batches(front_end):
        work = on_one_thread(partial(extract, audio_root=audio_root, config=config))
        return ordered_map(work, jobs, workers=workers, patience_s=PATIENCE_S)
    cut = on_one_thread(partial(_cut, audio_root=audio_root, config=config))
    cuts = ordered_map(cut, jobs, workers=workers, ahead=2 * FILES_AT_ONCE, patience_s=PATIENCE_S)
    return _in_batches(cuts, front_end)


def _in_batches(cuts: Iterator[_Cut | Extracted], front_end: "FrontEnd") -> Iterator[Extracted]:
    import torch

    from geoclass.features.base import in_batches

    answers = in_batches(front_end, cuts, lambda made: torch.cat(made.copies) if isinstance(made, _Cut) else None)
    with closing_source(answers) as ready:
        for made, rows in ready:
            if isinstance(made, _Cut):
                assert rows is not None
                made = _extracted(made, rows)
            yield made
