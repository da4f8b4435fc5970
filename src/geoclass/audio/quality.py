"""Detection of recordings that are not music: silence, noise, speech. Cheap, and tuned for precision."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENCE = 10 ** (-70 / 20)  # RMS, full scale: below the noise of a quiet recording
FRAME = 1024  # samples
N_FRAMES = 64  # spread over the recording
# A periodogram of stationary noise is its spectrum times exponentially distributed values, whose mean logarithm is
# -0.577 (Euler's constant), whatever the colour. The levels of music vary: of 319 clips none is above -0.9.
NOISE = (-0.70, -0.45)

# Speech pauses, and its pitch never rests; a voice that sings holds its notes, and instruments do not pause together.
# `benchmarks/quality.py` counts what these bounds let through.
PAUSE = 10 ** (-30 / 20)  # of the loud frames' level
MIN_PAUSES = 0.10  # part of the time
MIN_VOICED = 0.6  # part of the loud frames that have a pitch
MIN_GLIDE = 17.0  # cents per hop of 12 ms, the median over voiced frames
MAX_HELD = 0.05  # part of the voiced stretches of 140 ms that stay within 50 cents
HOP_S = 0.0116  # of the pitch, with frames of four hops
HELD_HOPS = 12
PITCH_HZ = (65.0, 450.0)
N_STRETCHES = 10  # of a second, over which the pitch is followed
FIRST = slice(0, None, 4)  # of them, those that decide where nothing is near the bounds, which is nearly all music
SLACK = 2.5  # how near that is: within this factor


def describe(waveform: "NDArray[np.float32]", *, sample_rate: int) -> str:
    """What a recording is instead of music: "silence", "noise", "speech", or "" when none is certain.

    Args:
        waveform: (n_samples,) mono in [-1, 1]; at least a few seconds.
        sample_rate: In Hz.
    """
    samples = np.asarray(waveform, np.float32)
    if len(samples) < FRAME or np.sqrt(np.dot(samples, samples) / len(samples)) < SILENCE:
        return "silence"
    if _is_noise(samples):
        return "noise"
    return "speech" if _is_speech(samples, sample_rate) else ""


def _is_noise(samples: "NDArray[np.float32]") -> bool:
    starts = np.linspace(0, max(0, len(samples) - FRAME), N_FRAMES).astype(int)
    frames = np.stack([samples[start : start + FRAME] for start in starts])
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32))))[:, 1:-1]
    mean = power.mean(axis=0)
    heard = mean > 1e-6 * mean.max()  # bands removed by a codec or a filter do not count
    scatter = np.log(power[:, heard] / mean[heard] + 1e-6).mean()
    return bool(NOISE[0] < scatter < NOISE[1])


def _is_speech(samples: "NDArray[np.float32]", sample_rate: int) -> bool:
    hop = round(HOP_S * sample_rate)
    length = 4 * hop
    levels = _level(samples[: len(samples) // length * length].reshape(-1, length))
    loud = np.percentile(levels, 95)
    if (levels < PAUSE * loud).mean() < MIN_PAUSES:
        return False  # nearly all music ends here, before anything that costs time
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    n_hops = min(len(frames), round(1 / HOP_S))
    starts = np.linspace(0, len(frames) - n_hops, N_STRETCHES).astype(int)
    return all(
        _is_spoken(frames[begins[:, None] + np.arange(n_hops)], sample_rate, quiet=0.1 * loud, slack=slack)
        for begins, slack in ((starts[FIRST], SLACK), (starts, 1.0))
    )


def _is_spoken(stretches: "NDArray[np.float32]", sample_rate: int, *, quiet: "np.floating[Any]", slack: float) -> bool:
    """(n_stretches, n_hops, length) frames, of which those below a level do not count, and how far the bounds give."""
    n_stretches, n_hops, length = stretches.shape
    frames = stretches.reshape(-1, length)
    is_loud = _level(frames) > quiet
    cents, strength = (values.reshape(n_stretches, n_hops) for values in _pitch(frames, sample_rate))
    voiced = is_loud.reshape(n_stretches, n_hops) & (strength > 0.6)
    change = np.abs(np.diff(cents))
    glides = change[voiced[:, 1:] & voiced[:, :-1] & (change < 300)]  # more is an octave error, or another voice
    windows = np.lib.stride_tricks.sliding_window_view
    runs = windows(cents, HELD_HOPS, axis=1)[windows(voiced, HELD_HOPS, axis=1).all(axis=2)]
    if voiced.sum() < MIN_VOICED / slack * is_loud.sum() or not len(glides) or not len(runs):
        return False
    held = (np.ptp(runs, axis=1) < 50).mean()
    return bool(np.median(glides) > MIN_GLIDE / slack and held < MAX_HELD * slack)


def _level(frames: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """(n_frames, length) -> (n_frames,) RMS."""
    level: NDArray[np.float32] = np.sqrt(np.vecdot(frames, frames) / np.float32(frames.shape[1]))
    return level


def _pitch(frames: "NDArray[np.float32]", sample_rate: int) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """(n_frames, length) -> pitch in cents (of 1 Hz) and its strength in [0, 1], both (n_frames,).

    The autocorrelation of the windowed frame over that of the window (Boersma 1993), at its first maximum that comes
    near the largest one; 0 where there is none.
    """
    import torch  # whose transforms take a tenth of the time of NumPy's

    length = frames.shape[1]
    shortest, longest = round(sample_rate / PITCH_HZ[1]), round(sample_rate / PITCH_HZ[0])
    n_fft = -(-(length + longest + 1) // 256) * 256  # with silence behind it, no lag meets the frame's other end
    window = np.hanning(length).astype(np.float32)
    spectrum = torch.fft.rfft(torch.from_numpy(np.vstack([frames * window, window])), n_fft)
    power = spectrum.real.square() + spectrum.imag.square()
    correlation = torch.fft.irfft(power, n_fft)[:, : longest + 1].numpy()
    correlation /= correlation[:, :1] + 1e-12
    lags = (correlation[:-1] / correlation[-1])[:, shortest:]
    inner = lags[:, 1:-1]
    is_peak = (inner > lags[:, :-2]) & (inner >= lags[:, 2:]) & (inner > 0.9 * lags.max(axis=1, keepdims=True))
    peak = 1 + is_peak.argmax(axis=1)
    rows = np.arange(len(peak))
    before, at, after = lags[rows, peak - 1], lags[rows, peak], lags[rows, peak + 1]
    shift = np.clip((before - after) / (2 * (before - 2 * at + after) - 1e-9), -1, 1)  # of a parabola through them
    return 1200 * np.log2(sample_rate / (shortest + peak + shift)), np.where(is_peak.any(axis=1), at, 0.0)
