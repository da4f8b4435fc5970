"""Reading rows of the feature store, so that only what was read takes memory."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK_BYTES = 32_000_000  # read through one map


def read_rows(features: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """(len(rows), …): a copy of some rows.

    The pages of a file that were read through a map count as memory of the process until the map is closed. Here
    each block of rows has a map of its own. The disk is read in order.

    Args:
        features: (n_segments, …): a whole store, memory-mapped or not.
        rows: Which, in any order.
    """
    found = np.empty((len(rows), *features.shape[1:]), features.dtype)
    step = max(1, _BLOCK_BYTES // max(1, features[:1].nbytes))
    order = np.argsort(rows)
    for start in range(0, len(rows), step):
        places = order[start : start + step]
        found[places] = _mapped_anew(features)[rows[places]]
    return found


def _mapped_anew(features: NDArray[Any]) -> NDArray[Any]:
    if not isinstance(features, np.memmap) or features.filename is None:
        return features
    return np.memmap(features.filename, features.dtype, mode="r", offset=features.offset, shape=features.shape)
