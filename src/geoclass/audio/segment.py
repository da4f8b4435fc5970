"""A track's samples to segments of equal length."""

from typing import TYPE_CHECKING

import numpy as np

from geoclass.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SECONDS = 3.0  # less sound than this is not enough


def cut_segments(
    waveform: "NDArray[np.float32]", *, sample_rate: int, seconds: float
) -> "tuple[NDArray[np.float32], list[float]]":
    """Cut a track into whole, adjacent segments. One shorter than a segment is repeated until it fills one.

    Args:
        waveform: (n_samples,) mono.
        sample_rate: In Hz.
        seconds: Length of a segment.

    Returns:
        (n_segments, round(seconds * sample_rate)) float32, and where each starts, in seconds.

    Raises:
        AudioError: Shorter than MIN_SECONDS (or than one segment, if that is less).
    """
    length = round(seconds * sample_rate)
    if len(waveform) < min(length, MIN_SECONDS * sample_rate):
        raise AudioError(f"too short: {len(waveform) / sample_rate:.1f} s of sound, at least {MIN_SECONDS:g} s needed")
    if len(waveform) < length:
        waveform = np.resize(waveform, length)
    n_segments = len(waveform) // length
    segments = waveform[: n_segments * length].reshape(n_segments, length)
    return segments, [index * length / sample_rate for index in range(n_segments)]
