"""Mean and standard deviation of each band or column over the training segments."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.dataset.rows import read_rows
from geoclass.errors import DatasetError
from geoclass.parallel.threads import ordered_map

_ROWS = 20_000  # segments that the statistics are taken from, evenly spaced
_BLOCK = 8  # rows read at a time: they stay in the processor's cache


def normalization(features: NDArray[Any], train: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each band over training segments; a constant band gets a standard deviation of 1.

    Args:
        features: (n_segments, n_bands, …), possibly memory-mapped.
        train: Rows of the training segments.

    Returns:
        (n_bands,) and (n_bands,).

    Raises:
        DatasetError: No training segments.
    """
    if not len(train):
        raise DatasetError(
            "no training segments are left", hint="add recordings, or lower valid_fraction and test_fraction"
        )
    chosen = train[np.unique(np.linspace(0, len(train) - 1, min(len(train), _ROWS)).astype(np.int64))]
    blocks = (chosen[start : start + _BLOCK] for start in range(0, len(chosen), _BLOCK))
    sums: NDArray[np.float64] = np.zeros((2, features.shape[1]))
    for of_block in ordered_map(partial(_sums, features), blocks):
        sums += of_block
    mean, squares = sums * features.shape[1] / (len(chosen) * features[0].size)
    std = np.sqrt(np.maximum(squares - mean**2, 0))
    std[std < 1e-6 * np.maximum(1, np.abs(mean))] = 1.0
    return mean.astype(np.float32), std.astype(np.float32)


def _sums(features: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(2, n_bands): the sums of the values of some rows, and of their squares."""
    block = read_rows(features, rows).astype(np.float64)
    axes = tuple(axis for axis in range(block.ndim) if axis != 1)
    total = block.sum(axis=axes)
    return np.stack([total, np.square(block, out=block).sum(axis=axes)])
