"""Batch norm over the batch of all processes, so that N processes compute what one would.

CUDA has `nn.SyncBatchNorm`; it refuses the CPU, where gloo runs and tests do. This is the same for there.
"""

import torch
import torch.distributed.nn.functional as distributed
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
        count = input.new_tensor([input.numel() / input.shape[1]])
        sums = torch.cat([input.sum(axes), (input**2).sum(axes), count])
        sums = distributed.all_reduce(sums)  # type: ignore[no-untyped-call]
        n_channels = input.shape[1]
        count = sums[-1]
        mean = sums[:n_channels] / count
        variance = sums[n_channels:-1] / count - mean**2
        if self.running_mean is not None and self.running_var is not None:
            with torch.no_grad():
                momentum = self.momentum or 0.1
                self.running_mean.lerp_(mean, momentum)
                self.running_var.lerp_(variance * count / (count - 1), momentum)
        shape = (1, -1) + (1,) * (input.dim() - 2)
        scaled: Tensor = (input - mean.view(shape)) * torch.rsqrt(variance.view(shape) + self.eps)
        return scaled if self.weight is None else scaled * self.weight.view(shape) + self.bias.view(shape)


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
