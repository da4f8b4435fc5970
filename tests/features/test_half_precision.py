"""Half precision where there is a GPU; without one the processor's own stands in for it."""

import pytest
import torch

from geoclass.features.base import in_half_precision

CPU, GPU = torch.device("cpu"), torch.device("cuda")
MATRIX = torch.randn(40, 40, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def _the_processor_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    autocast = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda kind, dtype: autocast("cpu", dtype))


def test_a_gpu_computes_in_half_precision_and_a_cpu_does_not() -> None:
    assert in_half_precision(lambda: MATRIX @ MATRIX, GPU).dtype == torch.float16
    assert torch.equal(in_half_precision(lambda: MATRIX @ MATRIX, CPU), MATRIX @ MATRIX)


@pytest.mark.parametrize("place", [0, -1])
def test_what_half_precision_cannot_hold_is_computed_again(place: int) -> None:
    """65,504 is the largest number of float16 (IEEE 754)."""
    left = torch.eye(40)
    left[place, place] = 1e5
    found = in_half_precision(lambda: left @ left, GPU)
    assert found.dtype == torch.float32
    assert float(found[place, place]) == pytest.approx(1e10)
    assert in_half_precision(lambda: torch.eye(40) @ torch.eye(40) * 65_504, GPU).dtype == torch.float16


def test_nothing_is_half_precise_afterwards() -> None:
    in_half_precision(lambda: MATRIX @ MATRIX, GPU)
    assert (MATRIX @ MATRIX).dtype == torch.float32
