"""Batch norm over the batch of all processes, so that N processes compute what one would.

CUDA has `nn.SyncBatchNorm`; it refuses the CPU, on which gloo and the tests run. This does the same there.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SyncedBatchNorm(_BatchNorm):
    """Statistics from sums over all processes; gradients flow back through the sums."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass  # the layer it replaces has checked

    def forward(self, input: Tensor) -> Tensor:
        """(batch, n_channels, …) -> the same shape."""
        if not self.training:
            outside: Tensor = super().forward(input)
            return outside
        axes = [0, *range(2, input.dim())]
        shape = (1, -1) + (1,) * (input.dim() - 2)
        sums = _sum_of_all(torch.cat([input.sum(axes), input.new_tensor([input.numel() / input.shape[1]])]))
        count = sums[-1]
        mean = sums[:-1] / count
        centred = input - mean.view(shape)  # before squaring: the difference of two large sums would lose digits
        variance = _sum_of_all((centred**2).sum(axes)) / count
        with torch.no_grad():
            self._remember(mean, variance * count / (count - 1))
        scaled: Tensor = centred * torch.rsqrt(variance.view(shape) + self.eps)
        return scaled if self.weight is None else scaled * self.weight.view(shape) + self.bias.view(shape)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


class _SumOfAll(torch.autograd.Function):
    """Over the processes; each gets the sum of the gradients too."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(values: Tensor) -> Tensor:
    total = values.clone()
    torch.distributed.all_reduce(total)
    return total


def _sum_of_all(values: Tensor) -> Tensor:
    total: Tensor = _SumOfAll.apply(values)
    return total


def synchronize_batchnorm(model: nn.Module, *, on_cuda: bool) -> nn.Module:
    """Replace every batch norm of a model, keeping its weights and the names in its state."""
    if on_cuda:
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return converted
    for name, child in model.named_children():
        if isinstance(child, _BatchNorm) and not isinstance(child, SyncedBatchNorm):
            synced = SyncedBatchNorm(child.num_features, child.eps, child.momentum, child.affine)
            synced.load_state_dict(child.state_dict())
            setattr(model, name, synced)
        else:
            synchronize_batchnorm(child, on_cuda=False)
    return model
