"""Detection of recordings that are not music: silence, noise, speech. Cheap, and tuned for precision."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SILENCE = 10 ** (-70 / 20)  # RMS, full scale: below the noise of a quiet recording
FRAME = 1024  # samples
WINDOW = np.hanning(FRAME).astype(np.float32)
N_FRAMES = 64  # spread over the recording
FEW = slice(0, None, 4)  # of these, tried first, with wider bounds: nearly all music fails there
# A periodogram of stationary noise is its spectrum times exponentially distributed values, whose mean logarithm is
# -0.577 (Euler's constant), whatever the colour. The levels of music vary: of 844 clips two are above -0.95, at -0.77.
NOISE = (-0.70, -0.45)
NOISE_SLACK = 0.15  # by how much these bounds are wider; a quarter of the frames moves what comes near them by 0.06

# Speech has pauses, and its pitch never rests; a singing voice holds notes, and instruments do not pause together.
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
FIRST = slice(0, None, 4)  # of these, tried first, with wider bounds: nearly all music fails there
SPARSE = slice(0, None, 6)  # of their hops, tried before these: drums have no pitch
SLACK = 2.5  # by how much these bounds are wider


def describe(waveform: "NDArray[np.float32]", *, sample_rate: int) -> str:
    """What a recording is instead of music: "silence", "noise", "speech", or "" when none is certain.

    Args:
        waveform: (n_samples,) mono in [-1, 1]; at least a few seconds.
        sample_rate: In Hz.
    """
    samples = np.asarray(waveform, np.float32)
    hop = round(HOP_S * sample_rate)
    length = 4 * hop
    if len(samples) < max(FRAME, length):
        return "silence"
    levels = _level(samples[: len(samples) // length * length].reshape(-1, length))
    if np.sqrt(np.square(levels).mean()) < SILENCE:
        return "silence"
    if _is_noise(samples):
        return "noise"
    return "speech" if _is_speech(samples, levels, hop, sample_rate) else ""


def _is_noise(samples: "NDArray[np.float32]") -> bool:
    starts = np.linspace(0, len(samples) - FRAME, N_FRAMES).astype(int)
    low, high = NOISE
    if not low - NOISE_SLACK < _scatter(samples, starts[FEW]) < high + NOISE_SLACK:
        return False
    return low < _scatter(samples, starts) < high


def _scatter(samples: "NDArray[np.float32]", starts: "NDArray[np.int_]") -> float:
    """The mean logarithm of what frames have in each band, in relation to the band's mean over them."""
    frames = np.stack([samples[start : start + FRAME] for start in starts])
    power = np.square(np.abs(np.fft.rfft(frames * WINDOW)))[:, 1:-1]
    mean = power.mean(axis=0)
    heard = mean > 1e-6 * mean.max()  # bands removed by a codec or a filter do not count
    return float(np.log(power[:, heard] / mean[heard] + 1e-6).mean())


def _is_speech(samples: "NDArray[np.float32]", levels: "NDArray[np.float32]", hop: int, sample_rate: int) -> bool:
    """`levels`: RMS of consecutive frames of four hops, (n_frames,)."""
    length = 4 * hop
    loud = np.sort(levels)[round(0.95 * (len(levels) - 1))]
    if (levels < PAUSE * loud).mean() < MIN_PAUSES:
        return False  # nearly all music ends here, before anything that costs time
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    n_hops = min(len(frames), round(1 / HOP_S))
    starts = np.linspace(0, len(frames) - n_hops, N_STRETCHES).astype(int)
    stretches = starts[:, None] + np.arange(n_hops)
    _, _, share = _follow(frames[stretches[FIRST, SPARSE]], sample_rate, quiet=0.1 * loud)
    if share < MIN_VOICED / SLACK:
        return False
    return all(
        _is_spoken(*_follow(frames[hops], sample_rate, quiet=0.1 * loud), slack=slack)
        for hops, slack in ((stretches[FIRST], SLACK), (stretches, 1.0))
    )


def _is_spoken(cents: "Floats", voiced: "NDArray[np.bool_]", share: float, *, slack: float) -> bool:
    """Whether what `_follow` returns is speech; `slack` widens the bounds."""
    change = np.abs(np.diff(cents))
    glides = change[voiced[:, 1:] & voiced[:, :-1] & (change < 300)]  # more is an octave error, or another voice
    windows = np.lib.stride_tricks.sliding_window_view
    runs = windows(cents, HELD_HOPS, axis=1)[windows(voiced, HELD_HOPS, axis=1).all(axis=2)]
    if share < MIN_VOICED / slack or not len(glides) or not len(runs):
        return False
    held = (np.ptp(runs, axis=1) < 50).mean()
    return bool(np.median(glides) > MIN_GLIDE / slack and held < MAX_HELD * slack)


def _follow(
    stretches: "NDArray[np.float32]", sample_rate: int, *, quiet: "np.floating[Any]"
) -> "tuple[Floats, NDArray[np.bool_], float]":
    """The pitch of frames that are louder than `quiet`.

    Args:
        stretches: (n_stretches, n_hops, length) frames.
        sample_rate: In Hz.
        quiet: RMS.

    Returns:
        (n_stretches, n_hops) pitch in cents, 0 where it is quiet; (n_stretches, n_hops) whether a frame is loud and has
        a pitch; the part of the loud frames that have one.
    """
    n_stretches, n_hops, length = stretches.shape
    frames = stretches.reshape(-1, length)
    is_loud = _level(frames) > quiet
    cents, strength = np.zeros((2, len(frames)))
    if is_loud.any():  # there is no transform of no frames
        cents[is_loud], strength[is_loud] = _pitch(frames[is_loud], sample_rate)
    voiced = strength > 0.6
    share = float(voiced.sum() / max(1, is_loud.sum()))
    return cents.reshape(n_stretches, n_hops), voiced.reshape(n_stretches, n_hops), share


def _level(frames: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """(n_frames, length) -> (n_frames,) RMS."""
    level: NDArray[np.float32] = np.sqrt(np.vecdot(frames, frames) / np.float32(frames.shape[1]))
    return level


def _pitch(frames: "NDArray[np.float32]", sample_rate: int) -> "tuple[Floats, Floats]":
    """(n_frames, length) -> pitch in cents (of 1 Hz) and its strength in [0, 1], both (n_frames,).

    The autocorrelation of the windowed frame over that of the window (Boersma 1993), at its first maximum that comes
    near the largest one; 0 where there is none.
    """
    shortest, longest = round(sample_rate / PITCH_HZ[1]), round(sample_rate / PITCH_HZ[0])
    window, of_window = _window(frames.shape[1], longest)
    lags = (_autocorrelation(frames * window, longest) / of_window)[:, shortest:]
    inner = lags[:, 1:-1]
    is_peak = (inner > lags[:, :-2]) & (inner >= lags[:, 2:]) & (inner > 0.9 * lags.max(axis=1, keepdims=True))
    peak = 1 + is_peak.argmax(axis=1)
    rows = np.arange(len(peak))
    before, at, after = lags[rows, peak - 1], lags[rows, peak], lags[rows, peak + 1]
    shift = np.clip((before - after) / (2 * (before - 2 * at + after) - 1e-9), -1, 1)  # of a parabola through them
    return 1200 * np.log2(sample_rate / (shortest + peak + shift)), np.where(is_peak.any(axis=1), at, 0.0)


@cache
def _window(length: int, longest: int) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """(length,) a Hann window, and (1, longest + 1) its autocorrelation."""
    window = np.hanning(length).astype(np.float32)
    return window, _autocorrelation(window[None], longest)


def _autocorrelation(frames: "NDArray[np.float32]", longest: int) -> "NDArray[np.float32]":
    """(n_frames, length) -> (n_frames, longest + 1): at lags from 0 on, where it is 1."""
    import torch  # whose transforms take a tenth of the time of NumPy's

    # With silence behind it, no lag meets the frame's other end.
    n_fft = -(-(frames.shape[1] + longest + 1) // 256) * 256
    spectrum = torch.fft.rfft(torch.from_numpy(frames), n_fft)
    power = spectrum.real.square() + spectrum.imag.square()
    correlation: NDArray[np.float32] = torch.fft.irfft(power, n_fft)[:, : longest + 1].numpy()
    return correlation / (correlation[:, :1] + 1e-12)
