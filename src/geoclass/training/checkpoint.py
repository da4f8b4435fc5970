"""What resuming a run needs: weights, optimizer, schedule, epoch. Loaded without unpickling code."""

import pickle
from pathlib import Path
from typing import Any

import torch

from geoclass.errors import StorageError, TrainingError
from geoclass.storage import atomic_path
from geoclass.training.loop import State


def save_tensors(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values atomically.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        try:
            torch.save(content, temporary)
        except RuntimeError as error:  # how torch says that the disk is full
            raise StorageError(
                f"cannot write {path}: {str(error).splitlines()[0]}",
                hint="free some space and run the command again with --resume: it continues from the last whole epoch",
            ) from error


def save_checkpoint(path: Path, state: State, *, identity: str) -> None:
    """Write the state atomically; `identity` names what it belongs to (data set and configuration)."""
    content = {
        "identity": identity,
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "schedule": state.schedule.state_dict(),
        "scaler": state.scaler.state_dict(),
        "epoch": state.epoch,
        "best": [float(value) for value in state.best],
        "best_epoch": state.best_epoch,
    }
    save_tensors(path, content)


def load_checkpoint(path: Path, state: State, *, identity: str, device: torch.device) -> None:
    """Put a saved state back into `state`.

    Raises:
        TrainingError: Unreadable, or of another data set or configuration.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is not a checkpoint: {error}", hint="start over without --resume") from error
    if content["identity"] != identity:
        raise TrainingError(
            f"{path} belongs to another data set or other settings",
            hint="resume with the run's own config.toml (--config), or choose another --run-dir",
        )
    state.model.load_state_dict(content["model"])
    state.optimizer.load_state_dict(content["optimizer"])
    state.schedule.load_state_dict(content["schedule"])
    state.scaler.load_state_dict(content["scaler"])
    state.epoch, state.best_epoch = content["epoch"], content["best_epoch"]
    state.best = (content["best"][0], content["best"][1])
