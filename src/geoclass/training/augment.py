"""Random changes to samples that leave their labels true, the same wherever a sample is seen.

Every number comes from the sample's own draws, on the processor, and is then sent to the device: one seed gives the
same changes everywhere, and the global random state is neither read nor changed.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.dataset.draws import Draws


def mask_bands(x: Tensor, draws: Draws, *, fraction: float, value: float = 0.0) -> Tensor:
    """Hide a random run of frequency bands in each sample (SpecAugment, Park et al. 2019).

    Args:
        x: (batch, n_bands, n_frames).
        draws: Of the batch.
        fraction: Widest mask, as a part of all bands; the width is uniform from 0 to it.
        value: What the mask holds; 0 is the mean of normalized features.
    """
    return _mask(x, draws, "bands", axis=1, fraction=fraction, value=value)


def mask_frames(x: Tensor, draws: Draws, *, fraction: float, value: float = 0.0) -> Tensor:
    """Hide a random run of frames in each sample. Arguments as `mask_bands`."""
    return _mask(x, draws, "frames", axis=2, fraction=fraction, value=value)


def _mask(x: Tensor, draws: Draws, use: str, *, axis: int, fraction: float, value: float) -> Tensor:
    # The distribution of torchaudio.functional.mask_along_axis_iid, which draws from the global random state only.
    size = x.shape[axis]
    widest = int(size * fraction)
    if widest < 1:
        return x
    width = draws.uniform(f"width of masked {use}") * widest
    start = (draws.uniform(f"start of masked {use}") * (size - width)).astype(np.int64)
    end = start + width.astype(np.int64)
    position = np.arange(size)
    masked = torch.from_numpy((position >= start[:, None]) & (position < end[:, None]))  # (batch, size)
    return x.masked_fill(masked.to(x.device, non_blocking=True).unsqueeze(3 - axis), value)


def gain(decibel: Tensor, draws: Draws, *, gain_db: float) -> Tensor:
    """Make each sample louder or softer by up to `gain_db`: features in dB, before they are normalized.

    Args:
        decibel: (batch, n_bands, n_frames) in dB.
        draws: Of the batch.
        gain_db: Largest change in dB, uniform in both directions.
    """
    return decibel + _column((draws.uniform("gain") * 2 - 1) * gain_db, decibel)


def mixing_weights(draws: Draws, *, alpha: float) -> NDArray[np.float64]:
    """How much of each sample is left when another is mixed in (Zhang et al. 2018): (batch,) in [0.5, 1].

    Args:
        draws: Of the batch.
        alpha: Of the Beta(alpha, alpha) distribution, positive.
    """
    from scipy.special import betaincinv

    weights: NDArray[np.float64] = betaincinv(alpha, alpha, draws.uniform("mixup"))
    # Tiny alphas leave the solver without an answer: then one of the two has all the weight.
    return np.where(np.isnan(weights), 1.0, np.maximum(weights, 1 - weights))


def blend(own: Tensor, other: Tensor, weights: NDArray[np.float64]) -> Tensor:
    """`weights` of each sample of `own`, the rest of `other`; for features and for targets as probabilities."""
    share = _column(weights, own)
    return share * own + (1 - share) * other


def _column(values: NDArray[np.float64], like: Tensor) -> Tensor:
    """(batch,) -> (batch, 1, …), of the dtype and on the device of a batch."""
    return torch.from_numpy(values).to(like, non_blocking=True).view(-1, *(1,) * (like.dim() - 1))
