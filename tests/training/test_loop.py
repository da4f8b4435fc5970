"""The training loop, number by number: what is shown, what is minimized, how the rate falls, which epoch is best."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from small_training import CPU, Setting
from torch import Tensor, nn

from geoclass.config.settings import TrainingConfig
from geoclass.errors import TrainingError
from geoclass.training import loop
from geoclass.training.loop import new_state, predict_logits, train_epochs
from geoclass.training.runtime import Runtime


def plain(**changes: Any) -> TrainingConfig:
    """Nothing but steps of Adam, in one batch."""
    settings: dict[str, Any] = {
        "epochs": 1, "batch_size": 100, "lr": 0.01, "weight_decay": 0.0, "schedule": "none", "early_stopping": 0,
        "label_smoothing": 0.0, "class_weights": False, "mask_fraction": 0.0, "grad_clip": 0.0,
    }  # fmt: skip
    return TrainingConfig(**{**settings, **changes})


def script(monkeypatch: pytest.MonkeyPatch, **scores: Sequence[float]) -> None:
    """Validation scores of each epoch to come; what is not named stays at 0."""
    told = iter(range(1000))

    def next_scores(*_: object) -> dict[str, float]:
        epoch = next(told)
        names = ("loss", "accuracy", "balanced_accuracy")
        return {name: scores[name][epoch] if name in scores else 0.0 for name in names}

    monkeypatch.setattr(loop, "score_tracks", next_scores)


# ---- what is shown ----------------------------------------------------------------------------------------------


def test_the_network_is_shown_normalized_segments_each_once() -> None:
    setting = Setting(plain(batch_size=5, epochs=2))
    setting.epochs()
    shown = torch.cat(setting.model.shown)
    expected = setting.normalized()
    assert [len(batch) for batch in setting.model.shown] == [5, 4, 3] * 2
    for epoch in (shown[:12], shown[12:]):
        order = epoch[:, 0, 0].argsort()
        torch.testing.assert_close(epoch[order], expected[expected[:, 0, 0].argsort()])


def test_masks_hide_bands_and_frames_in_training_alone() -> None:
    setting = Setting(plain(mask_fraction=0.6))
    (epoch,) = setting.epochs()
    (shown,) = setting.model.shown
    hidden = shown == 0.0
    assert hidden.all(dim=2).any(), "a band"
    assert hidden.all(dim=1).any(), "a frame"
    assert 0.1 < hidden.float().mean() < 0.7
    setting.model.eval()
    logits = setting.model(setting.normalized()).detach().numpy()
    means = np.array([logits[setting.split.track_of_segment == track].mean(axis=0) for track in range(6)])
    truth = setting.split.targets("country")
    losses = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(means, truth, strict=True)]
    assert epoch.numbers["valid_loss"] == pytest.approx(np.mean(losses), abs=1e-5), "validation sees all"


def test_gain_moves_decibels_before_they_are_normalized() -> None:
    setting = Setting(plain(gain_db=6.0))
    setting.epochs()
    (shown,) = setting.model.shown
    decibels = shown * torch.from_numpy(setting.std)[:, None] + torch.from_numpy(setting.mean)[:, None]
    segments = torch.from_numpy(setting.features).float()
    changes = (decibels[:, None] - segments[None]).flatten(2)
    closest = changes.std(dim=2).argmin(dim=1)
    offsets = changes[torch.arange(len(shown)), closest]
    assert offsets.std(dim=1).max() < 1e-3, "one number for all bands and frames of a segment"
    assert 1.0 < offsets.mean(dim=1).abs().max() <= 6.0


def test_mixup_blends_sounds_and_labels_alike() -> None:
    setting = Setting(plain(mixup=5.0))
    (epoch,) = setting.epochs()
    (shown,), (answered,) = setting.model.shown, setting.model.answered
    own = setting.normalized()
    labels = torch.from_numpy(setting.split.targets("country")[setting.split.track_of_segment])
    hot = nn.functional.one_hot(labels, 3).float()
    total = 0.0
    for x, logits in zip(shown, answered, strict=True):
        best = min(
            ((float((w * own[i] + (1 - w) * own[j] - x).abs().max()), i, j, w) for i in range(12) for j in range(12)
             for w in [weight_between(own[i], own[j], x)]),
        )  # fmt: skip
        error, i, j, weight = best
        assert error < 1e-3
        target = weight * hot[i] + (1 - weight) * hot[j]
        total -= float((target * logits.log_softmax(0)).sum())
    assert epoch.numbers["train_loss"] == pytest.approx(total / 12, abs=1e-3)


def weight_between(one: Tensor, other: Tensor, mixed: Tensor) -> float:
    """w of w * one + (1 - w) * other = mixed, by least squares."""
    direction = (one - other).flatten()
    length = float(direction @ direction)
    return 1.0 if length == 0 else float((mixed - other).flatten() @ direction) / length


def test_dropout_depends_on_seed_epoch_and_rank_alone() -> None:
    def answers(seed: int, *, rank: int = 0) -> list[Tensor]:
        setting = Setting(plain(seed=seed, lr=1e-12, epochs=2), dropout=0.5, alike=True)
        torch.manual_seed(seed + 99)
        runtime = Runtime(CPU.device, "fp32", rank)
        loaders = {"train": setting.train, "valid": setting.valid}
        for _ in train_epochs(setting.bundle, state=setting.state, config=setting.config, runtime=runtime, **loaders):
            torch.rand(7)
        return setting.model.answered

    first = answers(0)
    assert all(torch.equal(one, two) for one, two in zip(first, answers(0), strict=True))
    for other in (first[1], answers(1)[0], answers(0, rank=1)[0]):
        assert not torch.allclose(first[0], other, atol=1e-4)


# ---- what is minimized ------------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_over_segments_whatever_the_batches() -> None:
    whole, parts = (Setting(plain(lr=1e-12, batch_size=size)) for size in (100, 5))
    (one,), (other,) = whole.epochs(), parts.epochs()
    (answered,) = whole.model.answered
    assert one.numbers["train_loss"] == pytest.approx(other.numbers["train_loss"], abs=1e-6)
    assert answered.shape == (12, 3)


def test_the_loss_is_that_mean_however_processes_divide_a_batch() -> None:
    """Samples with losses 1 to 7 in batches of 3 and 4; each process scales its share for gradients to be averaged."""
    steps = [[(1.0, 2.0), (3.0,)], [(4.0,), (5.0, 6.0, 7.0)]]
    given: list[Tensor] = []

    class OneOfTwo(Runtime):
        def total(self, value: Tensor) -> Tensor:
            given.append(value)
            return value + others.pop(0) if others else value

    others: list[Tensor] = []
    for rank in (1, 0):
        setting = Setting(plain())
        batches = [(step[rank], sum(map(len, step))) for step in steps]

        def loss_of(batch: tuple[tuple[float, ...], int], model: nn.Module = setting.model) -> tuple[Tensor, int]:
            losses, n_in_all = batch
            return next(model.parameters()).sum() * 0 + 2 * sum(losses) / n_in_all, len(losses)

        runtime = OneOfTwo(CPU.device, "fp32", rank, 2)
        mean = loop.take_steps(
            setting.model, batches, loss_of, state=setting.state, config=plain(), runtime=runtime
        )  # fmt: skip
        others = [*given]
        given.clear()
    assert mean == pytest.approx(sum(range(1, 8)) / 7)


def test_steps_descend() -> None:
    setting = Setting(plain(epochs=60, lr=0.05))
    epochs = setting.epochs()
    assert epochs[-1].numbers["train_loss"] < 0.7 * epochs[0].numbers["train_loss"]
    assert [epoch.number for epoch in epochs] == list(range(60))
    assert all(epoch.numbers["seconds"] >= 0 for epoch in epochs)


@pytest.mark.parametrize(("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam)])
def test_the_optimizer_is_what_was_asked_for(name: str, kind: type) -> None:
    config = plain(optimizer=name, weight_decay=0.25, lr=0.125)
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    state = new_state(model, config=config, steps_per_epoch=1, runtime=CPU)
    assert type(state.optimizer) is kind
    (group,) = state.optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.125, 0.25)
    assert [id(parameter) for parameter in group["params"]] == [id(model.weight)], "only what learns"
    assert not state.scaler.is_enabled()
    half = new_state(model, config=config, steps_per_epoch=1, runtime=Runtime(torch.device("cpu"), "fp16"))
    assert half.scaler.is_enabled()
    assert (state.epoch, state.best, state.best_epoch) == (0, (-np.inf, -np.inf), -1)


def test_weights_decay() -> None:
    """AdamW takes lr * decay of each weight away, whatever the gradient."""
    moved = []
    for decay in (0.0, 0.5):
        setting = Setting(plain(weight_decay=decay, lr=0.01))
        before = setting.model.head.weight.detach().clone()
        setting.epochs()
        moved.append(setting.model.head.weight.detach() - before)
    torch.testing.assert_close(moved[1] - moved[0], -0.01 * 0.5 * before)


@pytest.mark.parametrize("clip", [0.0, 0.01])
def test_gradients_are_clipped_to_their_norm(clip: float) -> None:
    setting = Setting(plain(grad_clip=clip))
    norms: list[float] = []

    def look() -> None:
        gradients = [weight.grad for weight in setting.model.parameters() if weight.grad is not None]
        norms.append(math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients)))

    setting.epochs(look)
    assert len(norms) == 1
    if clip:
        assert norms[0] == pytest.approx(clip, rel=1e-3)
    else:
        assert norms[0] > 0.05


def test_gradients_do_not_add_up_over_steps() -> None:
    setting = Setting(plain(epochs=2, lr=1e-12))
    seen: list[Tensor] = []
    setting.epochs(lambda: seen.append(setting.model.head.weight.grad.clone()))  # type: ignore[union-attr]
    torch.testing.assert_close(seen[1], seen[0], rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_not_finite_ends_it() -> None:
    setting = Setting(plain(epochs=3, lr=0.01))
    with torch.no_grad():
        setting.model.head.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"the loss is nan in epoch 1$") as caught:
        setting.epochs()
    assert "lower --lr than 0.01" in (caught.value.hint or "")


def test_batch_norm_over_a_single_segment_is_one_error() -> None:
    setting = Setting(plain(batch_size=1))
    setting.model.head = nn.Sequential(nn.BatchNorm1d(4), setting.model.head)  # type: ignore[assignment]
    with pytest.raises(TrainingError, match="a batch holds a single segment") as caught:
        setting.epochs()
    assert "--batch-size" in (caught.value.hint or "")
    Setting(plain(batch_size=1)).epochs()


# ---- how the rate falls -----------------------------------------------------------------------------------------


def rates(setting: Setting) -> list[float]:
    """The rate of each step, as it is when the step is over."""
    found: list[float] = []
    setting.epochs(lambda: found.append(setting.state.optimizer.param_groups[0]["lr"]))
    return found


def test_the_rate_of_a_plateau_drops_where_the_loss_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = [1.0, 0.9, 0.95, 0.92, 0.91, 0.5, 0.6, 0.7, 0.8]
    script(monkeypatch, loss=losses)
    setting = Setting(plain(schedule="plateau", plateau_factor=0.1, plateau_patience=2, epochs=9, lr=1.0))
    epochs = setting.epochs()
    # Epochs 3 to 5 are no better than the second: after more than two of them the rate drops; then 7 to 9.
    assert [epoch.numbers["lr"] for epoch in epochs] == pytest.approx([1.0] * 5 + [0.1] * 4)
    assert setting.state.optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_the_rate_of_a_cosine_warms_up_and_falls_to_nothing() -> None:
    setting = Setting(plain(schedule="cosine", warmup_epochs=2.0, epochs=6, batch_size=4, lr=1.0))
    first = setting.state.optimizer.param_groups[0]["lr"]
    found = [first, *rates(setting)]
    expected = [(step + 1) / 7 for step in range(6)]
    expected += [0.5 * (1 + math.cos(math.pi * step / 12)) for step in range(13)]
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_cosine_without_warm_up_begins_at_its_rate() -> None:
    setting = Setting(plain(schedule="cosine", epochs=2, batch_size=4, lr=0.5))
    assert setting.state.optimizer.param_groups[0]["lr"] == 0.5
    expected = [0.25 * (1 + math.cos(math.pi * step / 6)) for step in range(1, 7)]
    assert rates(setting) == pytest.approx(expected, abs=1e-9)


def test_without_a_schedule_the_rate_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, loss=[1.0] * 20)
    assert set(rates(Setting(plain(epochs=20, lr=0.3)))) == {0.3}


# ---- which epoch is best ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("monitor", "best"), [("loss", 3), ("accuracy", 1), ("balanced_accuracy", 2), ("last", 4)])
def test_the_best_epoch_is_that_of_the_monitored_score(
    monkeypatch: pytest.MonkeyPatch, monitor: str, best: int
) -> None:
    script(
        monkeypatch,
        loss=[0.9, 0.8, 0.7, 0.1, 0.6],
        accuracy=[0.2, 0.9, 0.3, 0.4, 0.5],
        balanced_accuracy=[0.2, 0.3, 0.9, 0.4, 0.5],
    )
    setting = Setting(plain(epochs=5, monitor=monitor))
    epochs = setting.epochs()
    assert [epoch.number for epoch in epochs if epoch.is_best][-1] == best
    assert (setting.state.best_epoch, setting.state.epoch) == (best, 5)
    assert [epoch.numbers["valid_loss"] for epoch in epochs] == [0.9, 0.8, 0.7, 0.1, 0.6]
    assert [epoch.numbers["valid_accuracy"] for epoch in epochs] == [0.2, 0.9, 0.3, 0.4, 0.5]


def test_of_equal_scores_the_smaller_loss_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, accuracy=[0.5] * 4, loss=[0.5, 0.4, 0.6, 0.4])
    epochs = Setting(plain(epochs=4, monitor="accuracy")).epochs()
    assert [epoch.is_best for epoch in epochs] == [True, True, False, False], "an equal one is not better"


@pytest.mark.parametrize(("patience", "n_epochs"), [(0, 12), (1, 4), (3, 6), (20, 12)])
def test_it_stops_when_nothing_got_better_for_so_many_epochs(
    monkeypatch: pytest.MonkeyPatch, patience: int, n_epochs: int
) -> None:
    script(monkeypatch, accuracy=[0.1, 0.2, 0.3] + [0.3] * 20)
    setting = Setting(plain(epochs=12, monitor="accuracy", early_stopping=patience))
    assert len(setting.epochs()) == n_epochs


def test_it_goes_on_from_the_epoch_of_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, accuracy=[0.1] * 9)
    setting = Setting(plain(epochs=5, monitor="accuracy"))
    setting.state.epoch, setting.state.best, setting.state.best_epoch = 3, (0.9, 0.0), 2
    epochs = setting.epochs()
    assert [epoch.number for epoch in epochs] == [3, 4]
    assert not any(epoch.is_best for epoch in epochs)


# ---- predictions ------------------------------------------------------------------------------------------------


def test_a_track_is_the_mean_of_its_segments_and_nothing_is_dropped_out() -> None:
    setting = Setting(plain(), truth=(0, 1, 2), segments=(1, 4, 2), dropout=0.9)
    setting.model.train()
    logits = predict_logits(setting.bundle, setting.valid, CPU)["country"]
    with torch.no_grad():
        each = setting.model.head(setting.normalized().mean(dim=2)).numpy()
    expected = [each[0], each[1:5].mean(axis=0), each[5:].mean(axis=0)]
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert logits.dtype == np.float64


def test_compiled_is_the_same_network_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[nn.Module] = []
    monkeypatch.setattr(torch, "compile", lambda model: asked.append(model) or model)
    setting = Setting(plain(compile=True))
    setting.epochs()
    assert asked == [setting.model]
    Setting(plain()).epochs()
    assert len(asked) == 1
