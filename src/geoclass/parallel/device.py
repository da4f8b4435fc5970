"""The device to compute on. A requested device that is not available is an error, never silently replaced."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from geoclass.errors import DeviceError

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def resolve_device(name: str) -> "torch.device":
    """ "auto" (CUDA, else MPS, else CPU), "cpu", "cuda", "cuda:1" or "mps" to a device that works.

    Raises:
        DeviceError: Unknown, or not on this machine.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"unknown device {name!r}", hint="use auto, cpu, cuda, cuda:N or mps") from error
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise DeviceError(
            f"device {name} is not available: torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices",
            hint="use --device cpu, or install a driver that fits; `nvidia-smi` shows it",
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("device mps is not available: this machine has no Metal device", hint="use --device cpu")
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"device {name!r} is not supported", hint="use auto, cpu, cuda, cuda:N or mps")
    return device


def on_one_thread(function: Callable[[Item], Result]) -> Callable[[Item], Result]:
    """`function`, with torch computing on the thread that calls it and on no other.

    For work of which every core has an item of its own; it also keeps sums from depending on the number of cores.
    What other threads do is left as it is: torch keeps the number for each thread.
    """
    import torch

    threads = torch.get_num_threads()  # of the thread that hands out the work: what threads to come begin with

    def alone(item: Item) -> Result:
        torch.set_num_threads(1)
        try:
            return function(item)
        finally:
            torch.set_num_threads(threads)

    return alone
