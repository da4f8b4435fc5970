"""Where a run computes: device, precision, and its place among several processes (torchrun)."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from geoclass.errors import DeviceError
from geoclass.parallel.device import resolve_device
from geoclass.training.batchnorm import synchronize_batchnorm


@dataclass(frozen=True)
class Runtime:
    """One process of a run."""

    device: torch.device
    precision: str  # "fp32", "bf16" or "fp16"
    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision around forward and loss."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16 if self.precision == "bf16" else torch.float16)

    def prepare(self, model: nn.Module) -> None:
        """Move a fresh model here; with several processes its batch norms see the batch of all."""
        if self.world_size > 1:
            synchronize_batchnorm(model, on_cuda=self.device.type == "cuda")
        model.to(self.device)

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with gradients averaged over the processes; itself when there is one."""
        if self.world_size == 1:
            return model
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=devices)

    def total(self, value: Tensor) -> Tensor:
        """Sum over the processes. One process keeps the value where it is: MPS has no double precision."""
        if self.world_size == 1:
            return value
        moved = value.to(self.device)
        torch.distributed.all_reduce(moved)
        return moved.to(value.device)

    def broadcast_buffers(self, model: nn.Module) -> None:
        """Give every process the first one's batch-norm statistics, so that all validate the same model."""
        if self.world_size > 1:
            for buffer in model.buffers():
                torch.distributed.broadcast(buffer, src=0)

    def barrier(self) -> None:
        """Wait for the others."""
        if self.world_size > 1:
            torch.distributed.barrier()


@contextmanager
def open_runtime(device: str, *, precision: str) -> Iterator[Runtime]:
    """The runtime of this process; joins the others when started by torchrun, and leaves them in the end.

    Raises:
        DeviceError: No such device, or a precision that it cannot compute in.
    """
    world_size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    where = resolve_device(device)
    if where.type == "cuda" and world_size > 1:
        where = resolve_device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}")
        torch.cuda.set_device(where)
    if precision == "auto":
        precision = "bf16" if where.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    if precision == "fp16" and where.type == "cpu":
        raise DeviceError("precision fp16 needs a GPU", hint="use --precision bf16 or fp32")
    if world_size > 1:
        torch.distributed.init_process_group("nccl" if where.type == "cuda" else "gloo")
    try:
        yield Runtime(where, precision, rank, world_size)
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
