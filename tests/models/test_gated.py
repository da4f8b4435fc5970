"""The gate of `gated-linear`: what it lets through is shared by the labels, and nothing else is."""

import pytest
import torch

from geoclass.config.frontends import TableConfig
from geoclass.errors import ModelError
from geoclass.models.gated import gated
from geoclass.models.registry import create_model

LABELS = torch.tensor([[2.0, 0.0, -1.0], [0.3, 0.2, 0.1]])


@pytest.mark.parametrize("outside", [-20.0, -1.0, 0.0, 3.0])
def test_single_labels_share_what_the_gate_lets_through(outside: float) -> None:
    logits = gated(LABELS, torch.full((2, 1), outside), "single")
    found = logits.softmax(1)
    inside = torch.sigmoid(torch.tensor(-outside))
    torch.testing.assert_close(found[:, :3], LABELS.softmax(1) * inside)
    torch.testing.assert_close(found[:, 3], (1 - inside).expand(2))


@pytest.mark.parametrize("outside", [-20.0, 0.0, 3.0])
def test_several_labels_are_each_damped_by_the_gate(outside: float) -> None:
    logits = gated(LABELS, torch.full((2, 1), outside), "multi")
    inside = torch.sigmoid(torch.tensor(-outside))
    torch.testing.assert_close(logits.sigmoid()[:, :3], LABELS.sigmoid() * inside, atol=1e-6, rtol=1e-4)


def test_fields_do_not_touch_each_other() -> None:
    table = TableConfig(columns=("a", "b"))
    model = create_model("gated-linear", n_classes=6, front_end=table, sizes=[4, 2], kinds=["single", "single"]).eval()
    logits = model(torch.randn(5, 2))
    assert logits.shape == (5, 6)
    torch.testing.assert_close(logits[:, :3].exp().sum(1), torch.ones(5))
    torch.testing.assert_close(logits[:, 4], torch.zeros(5))  # one label has all that its gate lets through


def test_sizes_must_fit() -> None:
    with pytest.raises(ModelError, match="must describe 5 labels"):
        create_model("gated-linear", n_classes=5, front_end=TableConfig(columns=("a",)), sizes=[2, 2], kinds=["single"])
