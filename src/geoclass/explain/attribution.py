"""Which part of the input decided: integrated gradients for pictures of sound, Shapley values for rows of numbers.

Both start from the mean of the training data (0 after normalization) as "nothing heard", and both add up: the sum over
the input is the score minus that of the mean.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
Score = Callable[[Tensor], Tensor]  # (batch, …) normalized features -> (batch,), of a model in evaluation mode


def integrated_gradients(score: Score, x: Tensor, *, steps: int = 48, batch_size: int = 16) -> Floats:
    """Integrated gradients (Sundararajan, Taly and Yan, ICML 2017) from 0, by the midpoint rule.

    Args:
        score: What is to be explained.
        x: (n_segments, …) normalized features.
        steps: Points on the way; the sums are right to about 1/steps.
        batch_size: Points that go through the model together.

    Returns:
        The shape of x: how much each place adds to the score.
    """
    shares = (torch.arange(steps, dtype=x.dtype, device=x.device) + 0.5) / steps
    result = []
    # CuDNN's recurrent layers have no backward pass in evaluation mode.
    with torch.backends.cudnn.flags(enabled=False), torch.enable_grad():
        for segment in x:
            total = torch.zeros_like(segment)
            for part in torch.split(shares, batch_size):
                points = segment * part.view(-1, *[1] * segment.ndim)
                points = points.detach().requires_grad_(True)
                (gradient,) = torch.autograd.grad(score(points).sum(), points)
                total += gradient.sum(dim=0)
            result.append((segment * total / steps).detach().double().cpu().numpy())
    return np.stack(result)


@torch.inference_mode()
def shapley_values(score: Score, x: Tensor, *, permutations: int = 32, seed: int = 0, batch_size: int = 4096) -> Floats:
    """Shapley values by sampling orders (Štrumbelj and Kononenko, 2014), each also backwards.

    Args:
        score: What is to be explained.
        x: (n_segments, n_columns) normalized features.
        permutations: Orders in which the columns are revealed, and as many reversed ones.
        seed: Of the orders.
        batch_size: Rows that go through the model together.

    Returns:
        (n_segments, n_columns): how much each column adds to the score.
    """
    n_columns = x.shape[1]
    generator = np.random.default_rng(seed)
    forward = [generator.permutation(n_columns) for _ in range(permutations)]
    orders = [order for one in forward for order in (one, one[::-1])]
    result = np.zeros(x.shape)
    for index, row in enumerate(x):
        for order in orders:
            shown = torch.zeros((n_columns + 1, n_columns), dtype=x.dtype, device=x.device)
            for place, revealed in enumerate(order):
                shown[place + 1 :, revealed] = row[revealed]
            values = torch.cat([score(part) for part in torch.split(shown, batch_size)])
            result[index, order] += torch.diff(values).cpu().double().numpy()
    return result / len(orders)


def permutation_importance(
    accuracy: Callable[[NDArray[np.float32]], float], rows: NDArray[np.float32], *, repeats: int = 5, seed: int = 0
) -> Floats:
    """How much accuracy is lost when a column is shuffled among the rows (Breiman 2001): (n_columns,), mean of repeats.

    Args:
        accuracy: Of the model on (n_segments, n_columns) features, not normalized.
        rows: The features as they are.
        repeats: Shuffles of each column.
        seed: Of the shuffles.
    """
    generator = np.random.default_rng(seed)
    whole = accuracy(rows)
    lost = np.zeros(rows.shape[1])
    for index in range(rows.shape[1]):
        for _ in range(repeats):
            shuffled = rows.copy()
            shuffled[:, index] = generator.permutation(rows[:, index])
            lost[index] += (whole - accuracy(shuffled)) / repeats
    return lost
