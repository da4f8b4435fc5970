"""`geoclass train`: from a data set to a trained, calibrated model."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geoclass.cli.console import Debug, Device, Output, Quiet, session
from geoclass.errors import UsageError


def train(
    dataset: Annotated[
        Path | None, typer.Argument(help="Folder of the data set; the newest of the user data folder by default.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Network; `geoclass models list` shows them. resnet for sound, fcnn for tables.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="country, genre, or country,genre; all by default.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="Settings of a published system, such as attention-cnn-fma.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, such as the config.toml of a run.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Maximum number of epochs.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Segments per step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32, bf16 or fp16.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, such as training.mixup=0.2 or model.dropout=0.5.")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="Folder of the run; the user data folder by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --run-dir.")] = False,
    folds: Annotated[
        int, typer.Option(help="Folds of grouped cross-validation, at least 3. 0: use the data set's own split.")
    ] = 0,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler to run a sweep on.")] = None,
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a network on a data set; keep the best epoch; calibrate it; write it as a bundle.

    Example: geoclass train ~/fma-country --model attention-cnn --epochs 30 --device cuda
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.dataset.dataset import Dataset
        from geoclass.models.registry import default_model
        from geoclass.parallel.device import resolve_device
        from geoclass.storage import newest_dataset
        from geoclass.training.run import train as run_training

        flags = {"training.epochs": epochs, "training.batch_size": batch_size, "training.lr": lr,
                 "training.precision": precision, "model.name": model, "task": task}  # fmt: skip
        overrides = [f"{key}={value}" for key, value in flags.items() if value is not None]
        resolve_device(device)
        is_sweep = folds != 0 or any(len(chosen) > 1 for chosen in map(_values, set_ or []))
        if scheduler is not None and not is_sweep:
            raise UsageError(
                "--scheduler distributes the runs of a sweep, but this is a single run",
                hint="add --folds 5, or several values to a --set",
            )
        if is_sweep:
            base = _settings(config, preset, None, overrides)
            _sweep(
                output, Dataset.open(dataset or newest_dataset()), base, set_ or [], folds, run_dir, device, scheduler
            )
            return
        settings = _settings(config, preset, run_dir if resume else None, [*overrides, *(set_ or [])])
        opened = Dataset.open(dataset or newest_dataset())
        if opened.leaky:
            output.warn(f"LEAKY: {opened.claim.leak}: its scores are too high for every model")
        name = settings.model.name or default_model(opened.front_end)
        where = run_dir or _free_run_dir(name, opened)
        output.say(f"{name} on {opened.folder}, run in {where}")
        with output.progress("training", unit="steps") as advance:
            bar = _Bar(output, advance, opened, settings)
            result = run_training(
                opened, config=settings, run_dir=where, resume=resume, device=device,
                on_step=lambda: advance(1), on_epoch=bar.epoch,
            )  # fmt: skip
        for head in result.bundle.heads:
            scores = result.scores[head.task]
            output.say(
                f"\n{head.task}, validation, per track: accuracy {scores['accuracy']:.3f}, "
                f"balanced {scores['balanced_accuracy']:.3f}; temperature {head.temperature:.2f}, "
                + _when_written(head, settings.training.target_precision)
            )
        output.say(f"model:  {where / 'bundle'}\nnext:   geoclass evaluate {where} --dataset {opened.folder}")


def _values(override: str) -> list[list[str]]:
    from geoclass.training.sweep import expand_grid

    return expand_grid([override])


def _sweep(
    output: Output,
    dataset: Any,
    base: Any,
    overrides: list[str],
    folds: int,
    run_dir: Path | None,
    device: str,
    scheduler: str | None,
) -> None:
    """A sweep of runs: `--set KEY=A,B` and `--folds N`."""
    from geoclass.training.sweep import plan_sweep, run_sweep, summarize

    where = run_dir or _free_run_dir("sweep", dataset)
    trials = plan_sweep(base, overrides, n_folds=folds, run_dir=where)
    output.say(f"{len(trials)} runs on {dataset.folder} ({dataset.protocol}), in {where}")
    results = []
    with output.progress("runs", total=len(trials), unit="runs") as advance:
        for result in run_sweep(dataset, trials, n_folds=folds, device=device, scheduler=scheduler):
            results.append(result)
            advance(1)
            scores, name = result.scores, result.trial.run_dir.relative_to(where)
            output.say(f"{name}  accuracy {scores['accuracy']:.3f}  balanced {scores['balanced_accuracy']:.3f}")
    rows = []
    for settings, n_runs, mean, deviation in summarize(results, "balanced_accuracy"):
        accuracy = {row[0]: row[2] for row in summarize(results, "accuracy")}[settings]
        rows.append((settings or "as given", n_runs, accuracy, mean, deviation))
    side = f"test side of {folds} folds" if folds else "validation split"
    columns = ["settings", "runs", "accuracy", "balanced", "standard deviation"]
    output.table(f"\nper track, {side}", columns, rows)


def _settings(config: Path | None, preset: str | None, resumed: Path | None, overrides: list[str]) -> Any:
    from geoclass.config.settings import RunConfig
    from geoclass.config.toml import load_toml, with_overrides

    if config is not None and preset is not None:
        raise UsageError("--config and --preset exclude each other")
    if preset is not None:
        from geoclass.presets import load_preset

        base = load_preset(preset)
    elif config is not None:
        base = load_toml(RunConfig, config)
    elif resumed is not None and (resumed / "config.toml").exists():
        base = load_toml(RunConfig, resumed / "config.toml")
    else:
        base = RunConfig()
    return with_overrides(base, overrides)


def _when_written(head: Any, target: float) -> str:
    if head.never_sure:
        return f"tags will not be written: no threshold reaches {target:.0%} precision (--min-confidence overrides)"
    return f"tags are written from a probability of {head.threshold:.2f}"


def _free_run_dir(model: str, dataset: Any) -> Path:
    from geoclass.storage import data_dir

    stem, number = data_dir() / "runs" / f"{dataset.folder.name}-{model}", 1
    while (path := Path(f"{stem}-{number}")).exists():
        number += 1
    return path


class _Bar:
    """Prints one line per epoch and updates the note of the progress bar."""

    def __init__(self, output: Output, advance: Any, dataset: Any, settings: Any) -> None:
        self.output, self.advance = output, advance
        n_segments = len(dataset.split("train").segment_ids)
        steps = -(-n_segments // settings.training.batch_size)
        advance(0, total=steps * settings.training.epochs)

    def epoch(self, epoch: Any) -> None:
        numbers = epoch.numbers
        line = (
            f"epoch {epoch.number + 1:>3}  loss {numbers['train_loss']:.3f}  valid {numbers['valid_loss']:.3f}  "
            f"accuracy {numbers['valid_accuracy']:.3f}  balanced {numbers['valid_balanced_accuracy']:.3f}"
        )
        self.output.say(line + ("  *" if epoch.is_best else ""))
