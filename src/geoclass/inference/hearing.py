"""From a file to the features of one or several front ends: decoded once, or not at all if they are cached."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.audio.decode import load_excerpt
from geoclass.audio.quality import describe
from geoclass.audio.segment import MIN_SECONDS, cut_segments
from geoclass.config.frontends import FOUND_BY, FrontEndConfig
from geoclass.config.toml import to_dict
from geoclass.inference.heard import Heard, HeardCache
from geoclass.storage import fingerprint

if TYPE_CHECKING:
    from geoclass.bundle.bundle import Bundle
    from geoclass.features.base import FrontEnd

REVISION = 2  # of decoding, cutting and the front ends: features cached under another one are not used


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """An excerpt and the front end to apply to it."""

    front_end: FrontEndConfig
    segment_seconds: float
    excerpt_seconds: float

    @cached_property
    def key(self) -> str:
        """Equal for equal features."""
        settings = to_dict(self.front_end)
        if settings.get("weights_sha256"):  # the same encoder, wherever it lies
            settings = {name: value for name, value in settings.items() if name not in FOUND_BY}
        return fingerprint(REVISION, settings, self.segment_seconds, self.excerpt_seconds)

    @classmethod
    def of(cls, bundle: "Bundle", *, excerpt_seconds: float) -> "Hearing":
        """The excerpt and front end of a model."""
        return cls(
            front_end=bundle.front_end_config, segment_seconds=bundle.segment_seconds, excerpt_seconds=excerpt_seconds
        )


def remembered(path: Path, hearings: Sequence[Hearing], cache: HeardCache | None) -> list[Heard | None]:
    """What the cache knows of a file, for each hearing.

    Raises:
        AudioError: The file cannot be read.
    """
    if cache is None:
        return [None] * len(hearings)
    sound = cache.sound_of(path)
    return [cache.get(sound, hearing.key) for hearing in hearings]


def remember(path: Path, hearing: Hearing, heard: Heard, cache: HeardCache | None) -> None:
    """Cache the features of a file."""
    if cache is not None:
        cache.put(cache.sound_of(path), hearing.key, heard)


def hear(
    path: Path,
    hearings: Sequence[Hearing],
    front_ends: "Sequence[FrontEnd]",
    *,
    cache: HeardCache | None = None,
) -> list[Heard]:
    """The features of a file by each front end.

    Args:
        path: A sound file.
        hearings: The excerpts, and the front ends to apply to them.
        front_ends: Those of the hearings, on the CPU.
        cache: Where to look first, and to keep what is new.

    Raises:
        AudioError: The file cannot be decoded, or is too short.
    """
    found: dict[str, Heard] = {}
    for hearing, known in zip(hearings, remembered(path, hearings, cache), strict=True):
        if known is not None:
            found[hearing.key] = known
    missing = [index for index, hearing in enumerate(hearings) if hearing.key not in found]
    if missing:
        cut = cut_file(path, [hearings[index] for index in missing])
        for index, segments in zip(missing, cut, strict=True):
            hearing = hearings[index]
            if hearing.key not in found:
                found[hearing.key] = _compute(segments, front_ends[index])
                remember(path, hearing, found[hearing.key], cache)
    return [found[hearing.key] for hearing in hearings]


def _compute(segments: "Tensor | str", front_end: "FrontEnd") -> Heard:
    if isinstance(segments, str):
        return Heard(features=np.zeros(0, np.float32), note=segments)
    with torch.inference_mode():
        return Heard(features=front_end(segments).cpu().numpy())


def cut_file(path: Path, hearings: Sequence[Hearing]) -> "list[Tensor | str]":
    """(n_segments, n_samples) for each hearing, or why no model should be asked.

    Raises:
        AudioError: The file cannot be decoded, or is too short.
    """
    excerpts: dict[tuple[int, float], NDArray[np.float32] | str] = {}
    cut: list[Tensor | str] = []
    for hearing in hearings:
        assert hearing.front_end.kind != "table"
        rate, seconds = hearing.front_end.sample_rate, hearing.excerpt_seconds
        if (rate, seconds) not in excerpts:
            excerpts[rate, seconds] = _excerpt(path, rate, seconds)
        excerpt = excerpts[rate, seconds]
        if isinstance(excerpt, str):
            cut.append(excerpt)
        else:
            segments, _ = cut_segments(excerpt, sample_rate=rate, seconds=hearing.segment_seconds)
            cut.append(torch.from_numpy(segments))
    return cut


def _excerpt(path: Path, sample_rate: int, seconds: float) -> "NDArray[np.float32] | str":
    waveform = load_excerpt(path, sample_rate=sample_rate, duration_s=seconds)
    if len(waveform) < MIN_SECONDS * sample_rate:
        return f"shorter than {MIN_SECONDS:g} s"
    return describe(waveform, sample_rate=sample_rate) or waveform
