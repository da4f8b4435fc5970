"""A track's samples to segments of equal length."""

from typing import TYPE_CHECKING

import numpy as np

from geoclass.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SECONDS = 3.0  # less sound than this says too little


def segment_starts(n_samples: int, *, segment_length: int, max_segments: int | None = None) -> list[int]:
    """First samples of the whole, adjacent segments of a track; of more than `max_segments`, evenly spread ones."""
    n_segments = max(1, n_samples // segment_length)
    chosen = range(n_segments)
    if max_segments is not None and n_segments > max_segments:
        chosen = [int((index + 0.5) * n_segments / max_segments) for index in range(max_segments)]  # type: ignore[assignment]
    return [index * segment_length for index in chosen]


def cut_segments(
    waveform: "NDArray[np.float32]", *, sample_rate: int, seconds: float, max_segments: int | None = None
) -> "tuple[NDArray[np.float32], list[float]]":
    """Cut a track into segments. One shorter than a segment is repeated until it fills one.

    Args:
        waveform: (n_samples,) mono.
        sample_rate: In Hz.
        seconds: Length of a segment.
        max_segments: At most so many, spread evenly over the track; None: all.

    Returns:
        (n_segments, round(seconds * sample_rate)) float32, and where each starts, in seconds.

    Raises:
        AudioError: Shorter than MIN_SECONDS (or than one segment, if that is less).
    """
    length = round(seconds * sample_rate)
    if len(waveform) < min(length, MIN_SECONDS * sample_rate):
        raise AudioError(f"too short: {len(waveform) / sample_rate:.1f} s of sound, {MIN_SECONDS:g} s are needed")
    if len(waveform) < length:
        waveform = np.resize(waveform, length)
    starts = segment_starts(len(waveform), segment_length=length, max_segments=max_segments)
    return np.stack([waveform[start : start + length] for start in starts]), [start / sample_rate for start in starts]
