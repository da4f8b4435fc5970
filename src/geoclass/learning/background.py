"""Synthetic rows of other music, on which a model is trained to abstain.

The package holds no recordings and no rows of any, only what describes groups of them: quantiles of each column and the
strongest correlations between columns (`tools/make_background.py`). From these, rows like those of the group are drawn.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "background.safetensors"
GROUPS = ("field", "popular", "loops")  # field and archive recordings; songs and clips of popular music; drum loops
Floats = NDArray[np.float32]


def draw(group: str, n: int, *, seed: int = 0) -> Floats:
    """Rows of descriptors as segments of a group have them: (n, 484), by a Gaussian copula.

    Args:
        group: One of GROUPS.
        n: How many.
        seed: Of the drawing.
    """
    from scipy.special import ndtr

    quantiles, factor = _description(group)
    random = np.random.default_rng([GROUPS.index(group), seed])
    own = np.sqrt(np.clip(1 - np.square(factor).sum(axis=0), 0.05, 1.0))
    normal = random.standard_normal((n, len(factor))) @ factor
    normal += own * random.standard_normal((n, factor.shape[1]))
    ranks, knots = ndtr(normal), np.linspace(0, 1, len(quantiles))
    columns = [np.interp(rank, knots, values) for rank, values in zip(ranks.T, quantiles.T, strict=True)]
    return np.stack(columns, axis=1).astype(np.float32)


@cache
def _description(group: str) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """Quantiles (n_quantiles, 484), and factors of the correlation of normal scores (n_factors, 484)."""
    from safetensors.numpy import load_file

    tensors = load_file(FILE)
    return tensors[f"{group}.quantiles"].astype(np.float64), tensors[f"{group}.factor"].astype(np.float64)
