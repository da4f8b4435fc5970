"""Penalized logistic regression by L-BFGS."""

from dataclasses import dataclass

import torch
from torch import Tensor

_ITERATIONS = 50


@dataclass(frozen=True)
class Linear:
    """A linear layer: weight (n_out, n_columns), bias (n_out,)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, rows: Tensor) -> Tensor:
        """(n, n_columns) -> (n, n_out)."""
        return rows @ self.weight.T + self.bias


def logistic(rows: Tensor, target: Tensor, weights: Tensor, *, penalty: float, kind: str) -> Linear:
    """Logistic regression with a quadratic penalty on the weights, by L-BFGS from zero: the same for the same input.

    Args:
        rows: (n, n_columns).
        target: (n, n_labels) of 0 and 1.
        weights: (n,) of the rows.
        penalty: Half of it times the squared weights is added to the summed loss.
        kind: "single": softmax; "multi": one sigmoid per label.
    """
    n_labels = target.shape[1]
    weight = torch.zeros(n_labels, rows.shape[1], requires_grad=True)
    bias = torch.zeros(n_labels, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=_ITERATIONS, tolerance_grad=1e-5, tolerance_change=1e-7, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = rows @ weight.T + bias
        if kind == "single":
            each = -(target * logits.log_softmax(1)).sum(1)
        else:
            each = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)
        total: Tensor = (weights * each).sum() / len(rows) + penalty / (2 * len(rows)) * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return Linear(weight.detach(), bias.detach())
