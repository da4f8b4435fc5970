"""Losses by hand: weights by rarity, smoothed labels, mixed labels, several processes."""

import numpy as np
import pytest
import torch
from small_training import CPU, Setting, head
from torch import Tensor

from geoclass.config.settings import TrainingConfig
from geoclass.training.losses import as_probabilities, loss_functions, mean_loss
from geoclass.training.runtime import Runtime

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0], [1.0, 1.0, 3.0], [0.3, -0.2, 0.1]], dtype=torch.float64)
TRUTH = (0, 0, 0, 1, 1, 2)  # of the tracks, two segments each


def loss(targets: Tensor, *, kind: str = "single", truth: tuple[object, ...] = TRUTH, **settings: object) -> float:
    config = TrainingConfig(**{"label_smoothing": 0.0, "class_weights": False, **settings})  # type: ignore[arg-type]
    setting = Setting(config, truth=truth, kind=kind)
    losses = loss_functions([head(kind)], setting.train, config)
    task = head(kind).task
    return float(mean_loss({task: LOGITS.float()}, {task: targets}, losses, CPU))


def log_probabilities() -> np.ndarray:
    logits = LOGITS.numpy()
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_plain_cross_entropy() -> None:
    targets = [0, 1, 2, 0]
    expected = -np.mean([log_probabilities()[row, label] for row, label in enumerate(targets)])
    assert loss(torch.tensor(targets)) == pytest.approx(expected, rel=1e-5)


def test_rare_labels_weigh_more() -> None:
    """Inverse frequency: 6 tracks of 3 labels, 3, 2 and 1 of each: 2/3, 1 and 2."""
    targets, weight = np.array([0, 1, 2, 0]), np.array([2 / 3, 1.0, 2.0])
    each = -log_probabilities()[np.arange(4), targets] * weight[targets]
    assert loss(torch.from_numpy(targets), class_weights=True) == pytest.approx(
        each.sum() / weight[targets].sum(), rel=1e-5
    )


def test_a_label_without_a_track_weighs_finitely() -> None:
    assert np.isfinite(loss(torch.tensor([0, 1, 0, 1]), class_weights=True, truth=(0, 0, 1, 1, 0, 1)))


def test_smoothing_gives_a_share_to_all_labels() -> None:
    """Szegedy et al. 2016: 1 - 0.3 on the label, 0.3 spread over all three."""
    targets = np.array([0, 1, 2, 0])
    smooth = 0.7 * np.eye(3)[targets] + 0.1
    expected = -(smooth * log_probabilities()).sum() / 4
    assert loss(torch.from_numpy(targets), label_smoothing=0.3) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_mixed_labels_cost_what_their_parts_cost(weighted: bool) -> None:
    own, other = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 1, 0, 2])
    settings = {"class_weights": weighted, "label_smoothing": 0.2}
    config = TrainingConfig(**settings)  # type: ignore[arg-type]
    losses = loss_functions([head()], Setting(config, truth=TRUTH).train, config)["country"]
    hot = [as_probabilities({"country": labels}, [head()])["country"] for labels in (own, other)]
    mixed = 0.75 * hot[0] + 0.25 * hot[1]
    logits = LOGITS.float()
    expected = 0.75 * losses.total(logits, own) + 0.25 * losses.total(logits, other)
    torch.testing.assert_close(losses.total(logits, mixed), expected)
    divisor = 0.75 * losses.divisor(own) + 0.25 * losses.divisor(other)
    torch.testing.assert_close(losses.divisor(mixed), divisor)
    torch.testing.assert_close(losses.total(logits, hot[0]), losses.total(logits, own))


SETS = ((0,), (0, 1), (0, 2), (1,), (0,), (0, 1))  # label 0 on 5 of 6 tracks, 1 on 3, 2 on 1


def test_several_labels_are_decided_one_by_one() -> None:
    targets = torch.tensor([[1.0, 0, 1], [0, 0, 1], [1, 1, 0], [0, 0, 0]])
    p = 1 / (1 + np.exp(-LOGITS.numpy()))
    truth = targets.numpy()
    expected = -(truth * np.log(p) + (1 - truth) * np.log(1 - p))
    assert loss(targets, kind="multi", truth=SETS) == pytest.approx(expected.mean(), rel=1e-5)
    weight = np.array([1 / 5, 1.0, 5.0])  # tracks without the label by tracks with it
    weighted = -(truth * weight * np.log(p) + (1 - truth) * np.log(1 - p))
    assert loss(targets, kind="multi", truth=SETS, class_weights=True) == pytest.approx(weighted.mean(), rel=1e-5)


def test_a_very_rare_label_weighs_twenty_times_at_most() -> None:
    truth = ((0,),) * 59 + ((0, 1, 2),)
    config = TrainingConfig(label_smoothing=0.0)
    setting = Setting(config, truth=truth, segments=(1,) * 60, kind="multi")
    found = loss_functions([head("multi")], setting.train, config)["genre"]
    one = torch.tensor([[0.0, 1.0, 0.0]])
    zeros = torch.zeros(1, 3)
    assert float(found.total(zeros, one)) == pytest.approx((2 + 20) * np.log(2), rel=1e-5)


def test_sets_are_their_own_probabilities() -> None:
    targets = torch.tensor([[1.0, 0, 1]])
    assert torch.equal(as_probabilities({"genre": targets}, [head("multi")])["genre"], targets)


def test_of_several_processes_all_divide_by_one_total(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients will be averaged over the processes: each one's loss is its part of the sum, times their number."""
    config = TrainingConfig(label_smoothing=0.0, class_weights=False)
    losses = loss_functions([head()], Setting(config).train, config)
    monkeypatch.setattr(Runtime, "total", lambda self, value: value + 6)  # six segments elsewhere
    targets = torch.tensor([0, 1, 2, 0])
    found = mean_loss({"country": LOGITS.float()}, {"country": targets}, losses, Runtime(CPU.device, "fp32", 0, 3))
    total = -log_probabilities()[np.arange(4), targets.numpy()].sum()
    assert float(found) == pytest.approx(total * 3 / 10, rel=1e-5)


def test_tasks_add_up() -> None:
    config = TrainingConfig(label_smoothing=0.0, class_weights=False)
    one = loss_functions([head()], Setting(config).train, config)["country"]
    targets = torch.tensor([0, 1, 2, 0])
    logits, losses = LOGITS.float(), {"country": one, "genre": one}
    single = mean_loss({"country": logits}, {"country": targets}, losses, CPU)
    both = mean_loss({"country": logits, "genre": logits}, {"country": targets, "genre": targets}, losses, CPU)
    torch.testing.assert_close(both, 2 * single)
