"""Devices: what is there is given, what is not is an error with a way out."""

import pytest
import torch

from geoclass.errors import DeviceError
from geoclass.parallel.device import resolve_device


def machine(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(0, False, "cpu"), (0, True, "mps"), (2, False, "cuda"), (1, True, "cuda")]
)
def test_auto_takes_the_fastest_that_is_there(
    monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, expected: str
) -> None:
    machine(monkeypatch, cuda=cuda, mps=mps)
    assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize(
    ("name", "cuda", "mps"), [("cpu", 0, False), ("cuda", 1, False), ("cuda:1", 2, False), ("mps", 0, True)]
)
def test_what_is_there_is_given(monkeypatch: pytest.MonkeyPatch, name: str, cuda: int, mps: bool) -> None:
    machine(monkeypatch, cuda=cuda, mps=mps)
    assert resolve_device(name) == torch.device(name)


@pytest.mark.parametrize(
    ("name", "cuda", "message", "hint"),
    [
        ("cuda", 0, f"device cuda is not available: torch {torch.__version__} sees 0 CUDA devices", "--device cpu"),
        ("cuda:1", 1, "sees 1 CUDA devices", "nvidia-smi"),
        ("mps", 1, "has no Metal device", "use --device cpu"),
        ("abacus", 1, "unknown device 'abacus'", "use auto, cpu, cuda, cuda:N or mps"),
        ("meta", 1, "device 'meta' is not supported", "use auto, cpu, cuda, cuda:N or mps"),
    ],
)
def test_what_is_not_there_is_an_error_never_another_device(
    monkeypatch: pytest.MonkeyPatch, name: str, cuda: int, message: str, hint: str
) -> None:
    machine(monkeypatch, cuda=cuda)
    with pytest.raises(DeviceError) as caught:
        resolve_device(name)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
