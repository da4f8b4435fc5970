"""The folder of a run: what training writes there, to be monitored, and resumed from."""

import json
import time
from pathlib import Path
from typing import Any

import torch

from geoclass.errors import TrainingError
from geoclass.storage import write_text
from geoclass.training.checkpoint import load_checkpoint, save_checkpoint, save_tensors
from geoclass.training.loop import Epoch, State

EVERY_S = 2.0  # epochs on a table take a fraction of a second, less than it takes to write their weights


class RunFolder:
    """metrics.jsonl, best.pt, last.pt and tensorboard/ of a run.

    They are written after the first epoch, then after each that ends at least `EVERY_S` seconds later, and in the end:
    what a process that is killed loses is less than that, or the epoch it was in.

    Args:
        path: The folder.
        identity: Names what a checkpoint belongs to (data set and configuration).
        is_main: Whether this process writes; of several, one does.
    """

    def __init__(self, path: Path, *, identity: str, is_main: bool) -> None:
        self.path = path
        self.history: list[dict[str, Any]] = []  # one entry per epoch
        self._identity = identity
        self._is_main = is_main
        self._best: dict[str, Any] | None = None  # weights that are not yet written
        self._written_s = -EVERY_S
        self._written_epoch = -1
        self._board: Any = None

    def open(self, state: State, *, resume: bool, device: torch.device) -> None:
        """Begin with an empty folder, or read into `state` and `history` what an earlier process left.

        Raises:
            TrainingError: It holds a run and `resume` is not set, or holds none of this identity and it is.
        """
        last = self.path / "last.pt"
        if resume:
            if not last.exists():
                raise TrainingError(f"{self.path} has no last.pt to resume from", hint="start the run without --resume")
            lines = (self.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
            load_checkpoint(last, state, identity=self._identity, device=device)
            self.history = [json.loads(line) for line in lines[: state.epoch]]
            self._written_epoch = state.epoch
        elif self._is_main and last.exists():
            raise TrainingError(
                f"{self.path} already holds a run", hint="add --resume to continue it, or choose another --run-dir"
            )
        if self._is_main:
            self._board = _tensorboard(self.path)

    def keep(self, epoch: Epoch, state: State) -> None:
        """Record an epoch that has ended."""
        self.history.append({"epoch": epoch.number + 1, **epoch.numbers, "is_best": epoch.is_best})
        if not self._is_main:
            return
        is_due = time.monotonic() - self._written_s >= EVERY_S
        if epoch.is_best:
            weights = state.model.state_dict()
            self._best = weights if is_due else {name: value.clone() for name, value in weights.items()}
        if is_due:
            self.write(state)

    def write(self, state: State) -> None:
        """Best weights first, then the log, then the checkpoint that says the epochs are done."""
        if not self._is_main or self._written_epoch == state.epoch:
            return
        if self._best is not None:
            save_tensors(self.path / "best.pt", self._best)
            self._best = None
        write_text(self.path / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in self.history))
        if self._board is not None:
            self._draw(self.history[max(0, self._written_epoch) :])
        save_checkpoint(self.path / "last.pt", state, identity=self._identity)
        self._written_s, self._written_epoch = time.monotonic(), state.epoch

    def _draw(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            for name, value in line.items():
                if name not in ("epoch", "is_best"):
                    self._board.add_scalar(name, value, line["epoch"])
        self._board.flush()


def _tensorboard(path: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:  # the extra geoclass[tensorboard] is not installed
        return None
    return SummaryWriter(str(path / "tensorboard"))
