"""The training loop: a generator that yields one `Epoch` after another and ends when training is over."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import TrainingConfig
from geoclass.dataset.loading import Batch, SegmentLoader
from geoclass.errors import TrainingError
from geoclass.storage import fingerprint
from geoclass.training.augment import blend, gain, mask_bands, mask_frames, mixing_weights
from geoclass.training.losses import Loss, as_probabilities, loss_functions, mean_loss
from geoclass.training.runtime import Runtime
from geoclass.training.scores import score_tracks

_Batch = TypeVar("_Batch")


@dataclass
class State:
    """All that changes during training, and that a checkpoint stores."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Any
    scaler: torch.amp.GradScaler
    epoch: int = 0  # the next one
    best: tuple[float, float] = (-np.inf, -np.inf)  # score, minus loss
    best_epoch: int = -1


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training split gave."""

    number: int
    numbers: dict[str, float] = field(default_factory=dict)  # train_loss, valid_loss, valid_accuracy, …, lr, seconds
    is_best: bool = False


def train_epochs(
    bundle: Bundle,
    *,
    state: State,
    train: SegmentLoader,
    valid: SegmentLoader,
    config: TrainingConfig,
    runtime: Runtime,
    on_step: Callable[[], None] = lambda: None,
) -> Iterator[Epoch]:
    """Train until all epochs are done, or early stopping ends the run.

    What is drawn for a segment depends on (seed, epoch, track, segment), and dropout on (seed, epoch, rank): a run that
    is resumed ends like one that was not interrupted.

    Raises:
        TrainingError: The loss is no longer finite, or batch norm is to be computed over a single segment.
    """
    wrapped = runtime.wrap(_compiled(state.model, config))
    losses = loss_functions(bundle.heads, train, config)

    def loss_of(batch: Batch) -> tuple[Tensor, int]:
        try:
            return _batch_loss(wrapped, bundle, batch, losses, config, runtime), len(batch.x)
        except ValueError as error:
            if len(batch.x) > 1:
                raise
            raise TrainingError(
                "a batch holds a single segment, and the batch norm of this network needs two",
                hint="choose another --batch-size",
            ) from error

    for number in range(state.epoch, config.epochs):
        began = time.perf_counter()
        torch.manual_seed(int(fingerprint("epoch", config.seed, number, runtime.rank)[:15], 16))
        train_loss = take_steps(
            wrapped, train.epoch(number), loss_of, state=state, config=config, runtime=runtime, on_step=on_step
        )
        if not np.isfinite(train_loss):
            raise TrainingError(
                f"the loss is {train_loss} in epoch {number + 1}", hint=f"try a lower --lr than {config.lr:g}"
            )
        seconds = time.perf_counter() - began

        runtime.broadcast_buffers(state.model)
        logits = predict_logits(bundle, valid, runtime)
        scores = score_tracks(bundle.heads, logits, valid.split)
        lr = state.optimizer.param_groups[0]["lr"]
        _step_schedule(state, scores["loss"], config)

        known = {**scores, "loss": -scores["loss"], "last": float(number)}
        score = known[config.monitor]
        is_best = (score, -scores["loss"]) > state.best
        if is_best:
            state.best, state.best_epoch = (score, -scores["loss"]), number
        state.epoch = number + 1
        numbers = {"train_loss": train_loss, **{f"valid_{name}": value for name, value in scores.items()}}
        yield Epoch(number, {**numbers, "lr": lr, "seconds": seconds}, is_best)
        if config.early_stopping and number - state.best_epoch >= config.early_stopping:
            return


def new_state(model: nn.Module, *, config: TrainingConfig, steps_per_epoch: int, runtime: Runtime) -> State:
    """A fresh optimizer and schedule for a model."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[config.optimizer]
    optimizer = kind(trained, lr=config.lr, weight_decay=config.weight_decay)
    scaler = torch.amp.GradScaler(runtime.device.type, enabled=runtime.precision == "fp16")
    return State(model, optimizer, _schedule(optimizer, config, steps_per_epoch), scaler)


def predict_logits(bundle: Bundle, loader: SegmentLoader, runtime: Runtime) -> dict[str, NDArray[np.float64]]:
    """Mean logits of each track: task -> (n_tracks, n_labels). Ranks share the work, each segment counts once."""
    sums = torch.zeros(len(loader.split.tracks), sum(len(head.labels) for head in bundle.heads), dtype=torch.float64)
    counts = torch.bincount(loader.tracks, minlength=len(sums)).double()
    bundle.model.eval()
    with runtime.autocast():
        for batch in loader.epoch():
            if len(batch.tracks):
                sums.index_add_(0, batch.tracks, bundle.outputs(batch.x)[0].cpu().double())
    sums = runtime.total(sums)
    means = sums / counts[:, None]
    parts = torch.split(means, [len(head.labels) for head in bundle.heads], dim=1)
    return {head.task: part.numpy() for head, part in zip(bundle.heads, parts, strict=True)}


def take_steps(
    model: nn.Module,
    batches: Iterable[_Batch],
    loss_of: Callable[[_Batch], tuple[Tensor, int]],
    *,
    state: State,
    config: TrainingConfig,
    runtime: Runtime,
    on_step: Callable[[], None] = lambda: None,
) -> float:
    """Train on each batch once.

    Args:
        model: In training mode from here on; wrapped, where there are several processes.
        batches: Of any kind that `loss_of` takes.
        loss_of: Gives the loss of a batch, averaged over all processes' samples, and how many samples this one has.
        state: Its optimizer is stepped, and its schedule where that counts steps.
        config: For clipping and the schedule.
        runtime: Device, precision and ranks.
        on_step: Called after each step.

    Returns:
        The mean loss per sample, over all processes.
    """
    model.train()
    losses: list[Tensor] = []
    sizes: list[int] = []
    for batch in batches:
        with runtime.autocast():
            loss, size = loss_of(batch)
        state.optimizer.zero_grad(set_to_none=True)
        state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if config.grad_clip:
            state.scaler.unscale_(state.optimizer)
            nn.utils.clip_grad_norm_(state.model.parameters(), config.grad_clip)
        state.scaler.step(state.optimizer)
        state.scaler.update()
        if config.schedule == "cosine":
            state.schedule.step()
        losses.append(loss.detach())
        sizes.append(size)
        on_step()
    # Those of a step add up to its mean loss times the processes, however its samples were divided among them.
    of_steps = runtime.total(torch.stack(losses).double().cpu()) / runtime.world_size
    in_steps = runtime.total(torch.tensor(sizes, dtype=torch.float64))
    return float(of_steps @ in_steps / in_steps.sum())


def _batch_loss(
    wrapped: nn.Module,
    bundle: Bundle,
    batch: Batch,
    losses: Mapping[str, Loss],
    config: TrainingConfig,
    runtime: Runtime,
) -> Tensor:
    x, targets = _augmented(bundle, batch, config), batch.targets
    if batch.partner is not None:
        weights = mixing_weights(batch.draws, alpha=config.mixup)
        own, other = (as_probabilities(of.targets, bundle.heads) for of in (batch, batch.partner))
        x = blend(x, _augmented(bundle, batch.partner, config), weights)
        targets = {task: blend(own[task], other[task], weights) for task in own}
    return mean_loss(bundle.split_logits(wrapped(x)), targets, losses, runtime)


def _augmented(bundle: Bundle, batch: Batch, config: TrainingConfig) -> Tensor:
    """Normalized features; those with a time axis are changed at random."""
    if batch.x.dim() < 3:
        return bundle.normalize(batch.x)
    x = gain(batch.x, batch.draws, gain_db=config.gain_db) if config.gain_db else batch.x
    x = mask_bands(bundle.normalize(x), batch.draws, fraction=config.mask_fraction)
    return mask_frames(x, batch.draws, fraction=config.mask_fraction)


def _schedule(optimizer: torch.optim.Optimizer, config: TrainingConfig, steps_per_epoch: int) -> Any:
    if config.schedule == "plateau":
        return torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=config.plateau_factor, patience=config.plateau_patience
        )
    warmup, steps = round(config.warmup_epochs * steps_per_epoch), max(1, config.epochs * steps_per_epoch)

    def cosine(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return float(0.5 * (1 + np.cos(np.pi * min(1.0, (step - warmup) / max(1, steps - warmup)))))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, cosine if config.schedule == "cosine" else lambda step: 1.0)


def _step_schedule(state: State, valid_loss: float, config: TrainingConfig) -> None:
    if config.schedule == "plateau":
        state.schedule.step(valid_loss)


def _compiled(model: nn.Module, config: TrainingConfig) -> nn.Module:
    return torch.compile(model) if config.compile else model  # type: ignore[return-value]
