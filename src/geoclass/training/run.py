"""One training run, from a data set to a bundle, and everything that is kept of it on the way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.settings import RunConfig
from geoclass.config.toml import save_toml, to_dict
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader
from geoclass.dataset.rows import read_rows
from geoclass.errors import TrainingError
from geoclass.models.network import Network
from geoclass.models.registry import create_model, default_model
from geoclass.storage import fingerprint
from geoclass.training.curves import plot_curves
from geoclass.training.loop import Epoch, State, new_state, predict_logits, train_epochs
from geoclass.training.run_bundle import begin_bundle, calibrate, finish_bundle, heads_for
from geoclass.training.run_folder import RunFolder
from geoclass.training.runtime import Runtime, open_runtime
from geoclass.training.scores import score_tracks


@dataclass(frozen=True)
class TrainResult:
    """The result of a run."""

    run_dir: Path
    bundle: Bundle
    history: list[dict[str, float]]  # one entry per epoch, as in metrics.jsonl
    scores: Mapping[str, Mapping[str, float]]  # task -> validation scores of the best epoch


def train(
    dataset: Dataset,
    *,
    config: RunConfig | None = None,
    run_dir: str | Path,
    resume: bool = False,
    device: str = "auto",
    on_step: Callable[[], None] = lambda: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> TrainResult:
    """Train a network, keep the best and the last epoch, calibrate, and write the bundle.

    The run folder holds config.toml, metrics.jsonl, curves.png, last.pt, best.pt and, in the end, bundle/.
    Started by torchrun, every process calls this; the first one writes.

    Args:
        dataset: With "train" and "valid" splits.
        config: Network and settings; None: the defaults.
        run_dir: Folder of the run.
        resume: Go on with the run in `run_dir`; on the CPU the result is bit for bit that of an unbroken run.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        on_step: Called after each training step.
        on_epoch: Called after each epoch.

    Raises:
        ModelError: The network does not exist or cannot read the data set's features.
        TrainingError: A split is empty, `run_dir` is taken, there is nothing to resume, or the loss is not finite.
        DeviceError: No such device or precision.
    """
    _check_splits(dataset)
    config = _resolved(config or RunConfig(), dataset)
    heads = heads_for(dataset, config)
    model = _new_model(dataset, config, heads)
    with open_runtime(device, precision=config.training.precision) as runtime:
        bundle = _prepared_bundle(dataset, config, model=model, heads=heads, runtime=runtime)
        train_loader, valid_loader = _loaders(dataset, config, runtime)
        state = new_state(model, config=config.training, steps_per_epoch=len(train_loader), runtime=runtime)
        folder = _opened_folder(Path(run_dir), dataset, config, state=state, resume=resume, runtime=runtime)
        if _is_open(state.epoch, state.best_epoch, config):
            epochs = train_epochs(
                bundle,
                state=state,
                train=train_loader,
                valid=valid_loader,
                config=config.training,
                runtime=runtime,
                on_step=on_step,
            )
            for epoch in _fitting_in_memory(epochs, config):
                folder.keep(epoch, state)
                on_epoch(epoch)
            folder.write(state)
        runtime.barrier()
        _load_best(state, folder, runtime)
        bundle, scores = calibrate(bundle, valid_loader, config, runtime)
        bundle = finish_bundle(bundle, dataset, config, epochs=len(folder.history), scores=scores)
        if runtime.is_main:
            plot_curves(folder.history, folder.path / "curves.png")
            bundle.save(folder.path / "bundle")
        runtime.barrier()
    return TrainResult(folder.path, bundle, folder.history, scores)


def score_split(bundle: Bundle, dataset: Dataset, split: str) -> dict[str, float]:
    """The few numbers of `training.scores` on a split, per track; `geoclass.evaluation` has them all."""
    loader = SegmentLoader(dataset, dataset.split(split), batch_size=256, device=bundle.device)
    logits = predict_logits(bundle, loader, Runtime(bundle.device, "fp32"))
    return score_tracks(bundle.heads, logits, loader.split)


def _check_splits(dataset: Dataset) -> None:
    for name, use in (("train", "learn from"), ("valid", "choose the best epoch and calibrate on")):
        if name not in set(dataset.segments["split"]):
            raise TrainingError(
                f"{dataset.folder} has no {name!r} split: there is nothing to {use}",
                hint=f"train in cross-validation, `geoclass train {dataset.folder} --folds 5`, or build the data set "
                "again from more artists or with larger fractions: --set valid_fraction=0.3",
            )


def _resolved(config: RunConfig, dataset: Dataset) -> RunConfig:
    """With the network named, so that config.toml says what was trained."""
    return replace(config, model=replace(config.model, name=config.model.name or default_model(dataset.front_end)))


def _new_model(dataset: Dataset, config: RunConfig, heads: Sequence[Head]) -> Network:
    """The network with the weights that the seed draws."""
    torch.manual_seed(config.training.seed)
    return create_model(
        config.model.name,
        n_classes=sum(len(head.labels) for head in heads),
        front_end=dataset.front_end,
        **config.model.arguments,
    )


def _prepared_bundle(
    dataset: Dataset, config: RunConfig, *, model: Network, heads: tuple[Head, ...], runtime: Runtime
) -> Bundle:
    """The untrained bundle: its network on the device, prepared by training rows where it needs that."""
    runtime.prepare(model)
    if config.training.channels_last:
        model.to(memory_format=torch.channels_last)
    bundle = begin_bundle(dataset, config, model=model, heads=heads, device=runtime.device)
    if model.n_prepare:
        model.prepare(bundle.normalize(_sample(dataset, model.n_prepare)))
    return bundle


def _sample(dataset: Dataset, n_segments: int) -> torch.Tensor:
    """Features of at most `n_segments` training segments, evenly spaced."""
    ids = dataset.split("train").segment_ids
    chosen = ids[:: -(-len(ids) // n_segments)]
    return torch.from_numpy(read_rows(dataset.features, chosen))


def _loaders(dataset: Dataset, config: RunConfig, runtime: Runtime) -> tuple[SegmentLoader, SegmentLoader]:
    settings = config.training
    load = partial(SegmentLoader, dataset, device=runtime.device, rank=runtime.rank, world_size=runtime.world_size)
    train = load(
        dataset.split("train"),
        batch_size=settings.batch_size,
        seed=settings.seed,
        balanced=settings.balanced_sampling,
        partners=settings.mixup > 0,
    )
    if train.smallest_batch < runtime.world_size:
        raise TrainingError(
            f"a batch of {train.smallest_batch} segments cannot be divided among {runtime.world_size} processes",
            hint=f"give --batch-size of at least {2 * runtime.world_size}, or train with fewer processes",
        )
    return train, load(dataset.split("valid"), batch_size=4 * settings.batch_size)


def _opened_folder(
    path: Path, dataset: Dataset, config: RunConfig, *, state: State, resume: bool, runtime: Runtime
) -> RunFolder:
    """The folder of the run; with `resume`, `state` is then that of the last checkpoint."""
    identity = fingerprint(dataset.fingerprint, _without_length(config))
    folder = RunFolder(path, identity=identity, is_main=runtime.is_main)
    folder.open(state, resume=resume, device=runtime.device)
    runtime.barrier()
    if runtime.is_main:
        save_toml(config, path / "config.toml")
    return folder


def _load_best(state: State, folder: RunFolder, runtime: Runtime) -> None:
    """Give the network the weights of its best epoch."""
    if state.best_epoch < 0:
        raise TrainingError(f"{folder.path}: no epoch was trained", hint="give --epochs of at least 1")
    state.model.load_state_dict(torch.load(folder.path / "best.pt", map_location=runtime.device, weights_only=True))


def _fitting_in_memory(epochs: Iterator[Epoch], config: RunConfig) -> Iterator[Epoch]:
    try:
        yield from epochs
    except torch.OutOfMemoryError as error:
        size = config.training.batch_size
        raise TrainingError(
            f"a batch of {size} segments does not fit into the memory of the device",
            hint=f"run again with --batch-size {max(1, size // 2)}; finished epochs are kept in last.pt",
        ) from error


def _is_open(epoch: int, best_epoch: int, config: RunConfig) -> bool:
    """Whether a run at this point would train another epoch."""
    patience = config.training.early_stopping
    return epoch < config.training.epochs and not (patience and epoch - 1 - best_epoch >= patience)


def _without_length(config: RunConfig) -> dict[str, Any]:
    """What must be unchanged to resume a run; the number of epochs may grow unless the schedule depends on it."""
    plain = to_dict(config)
    if config.training.schedule != "cosine":
        plain["training"].pop("epochs")
    return plain
