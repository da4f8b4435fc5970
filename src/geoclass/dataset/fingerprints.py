"""Fingerprints of log-mel segments that are robust to codecs, gain and small shifts in time.

Two steps. A short description of each segment (mean and standard deviation of every band over time, which a shift
hardly changes) finds the few segments worth a closer look; then the two log-mels are correlated at every
shift of up to MAX_SHIFT_S. Loudness does not matter: the front end counts dB from the loudest bin, and
the mean of each band is subtracted.
"""

import numpy as np
from numpy.typing import NDArray

from geoclass.config.frontends import LogMelConfig

N_BANDS = 32  # mel bands after pooling
FLOOR_DB = -60.0  # below that, the codec decides
MAX_SHIFT_S = 0.75
SAME = 0.75  # correlation from which two segments are one recording; see benchmarks/audit.py
_LEVEL_DB = 1.0  # a segment that varies less over time (silence, a test tone) has no shape to compare

Floats = NDArray[np.float32]
_NEAREST_BLOCK = 16_000_000  # cosines held at a time: 64 MB


def reduce_log_mels(log_mels: NDArray[np.floating], config: LogMelConfig) -> Floats:
    """(n, n_mels, n_frames) in dB -> (n, bands, n_frames), at most N_BANDS, each with mean 0 over time.

    Segments without temporal structure become all 0.
    """
    n_bands = min(N_BANDS, config.n_mels)
    edges = np.linspace(0, config.n_mels, n_bands + 1).astype(int)
    clipped = np.maximum(log_mels.astype(np.float32), FLOOR_DB)
    pooled = np.add.reduceat(clipped, edges[:-1], axis=1) / np.diff(edges)[:, None]
    centred = pooled - pooled.mean(axis=2, keepdims=True)
    flat = centred.std(axis=(1, 2)) < _LEVEL_DB
    centred[flat] = 0
    return np.asarray(centred, np.float32)


def describe(log_mels: NDArray[np.floating], config: LogMelConfig) -> Floats:
    """(n, n_mels, n_frames) in dB -> (n, 2 * bands): relative means and standard deviations of the bands."""
    n_bands = min(N_BANDS, config.n_mels)
    edges = np.linspace(0, config.n_mels, n_bands + 1).astype(int)
    clipped = np.maximum(log_mels.astype(np.float32), FLOOR_DB)
    pooled = np.add.reduceat(clipped, edges[:-1], axis=1) / np.diff(edges)[:, None]
    mean = pooled.mean(axis=2)
    mean -= mean.mean(axis=1, keepdims=True)
    return np.concatenate([mean, 2 * pooled.std(axis=2)], axis=1).astype(np.float32)


def nearest(queries: Floats, stored: Floats, n: int) -> NDArray[np.int64]:
    """(n_queries, n) rows of `stored` that are most like each query: cosine of descriptions less their common mean."""
    middle = stored.mean(axis=0)
    left, right = _unit(queries - middle), _unit(stored - middle)
    n = min(n, len(stored))
    block = max(1, _NEAREST_BLOCK // len(stored))
    found = [
        np.argpartition(-(left[start : start + block] @ right.T), n - 1, axis=1)[:, :n]
        for start in range(0, len(left), block)
    ]
    return np.concatenate(found)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def similarity(a: Floats, b: Floats, config: LogMelConfig) -> NDArray[np.float64]:
    """How well pairs of reduced segments agree at the best shift: (n, bands, n_frames) twice -> (n,) in [-1, 1]."""
    n_frames = a.shape[2]
    most = min(round(MAX_SHIFT_S * config.sample_rate / config.hop_length), n_frames // 2)
    best = np.full(len(a), -1.0)
    for shift in range(-most, most + 1):
        left = a[:, :, max(0, shift) : n_frames + min(0, shift)]
        right = b[:, :, max(0, -shift) : n_frames + min(0, -shift)]
        product = np.einsum("nbt,nbt->n", left, right)
        energy = np.einsum("nbt,nbt->n", left, left) * np.einsum("nbt,nbt->n", right, right)
        best = np.maximum(best, np.divide(product, np.sqrt(energy), out=np.zeros(len(a)), where=energy > 0))
    return best
