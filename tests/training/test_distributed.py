"""Two gloo processes compute what one does, and a rank that fails ends the run.

A step is compared in double precision, a run by what rounding leaves alone: Adam's first steps have the sign of each
gradient, so that weights whose gradient is nothing but rounding (a bias before a batch norm) go either way.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from geoclass.dataset.dataset import Dataset

ONE_STEP = Path(__file__).with_name("one_step.py")
SETTINGS = [
    *("--epochs", "3", "--batch-size", "128", "--lr", "0.003", "--device", "cpu", "--model", "attention-cnn"),
    *("--set", "model.channels=[16,8,8]", "--set", "model.dropout=0.0", "--set", "training.mixup=0.3"),
]


def python(*line: str, processes: int) -> subprocess.CompletedProcess[str]:
    """Run a script or a module with one process, or several under torchrun."""
    launch = [sys.executable]
    if processes > 1:
        launch += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([*launch, *line], capture_output=True, text=True, check=False, env=environment, timeout=600)


def train(dataset: Path, run: Path, *more: str, processes: int = 1) -> subprocess.CompletedProcess[str]:
    return python("-m", "geoclass", "train", str(dataset), "--run-dir", str(run), *SETTINGS, *more, processes=processes)


def history(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform == "win32", reason="gloo under torchrun")
@pytest.mark.parametrize("model", ["attention-cnn", "resnet"])
def test_two_processes_take_the_step_that_one_takes(small_dataset: Dataset, tmp_path: Path, model: str) -> None:
    for processes in (1, 2):
        out = tmp_path / f"{processes}.pt"
        done = python(str(ONE_STEP), model, str(small_dataset.folder), str(out), processes=processes)
        assert done.returncode == 0, done.stderr
    one, two = (torch.load(tmp_path / f"{processes}.pt", weights_only=True) for processes in (1, 2))
    assert one.keys() == two.keys()
    assert any("running_mean" in name for name in one)
    assert any(name.endswith("gradient") and value.abs().max() > 1e-3 for name, value in one.items())
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-6, atol=1e-9, msg=lambda text, name=name: name + text)


@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform == "win32", reason="gloo under torchrun")
def test_two_processes_train_what_one_does_and_either_resumes(small_dataset: Dataset, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    done = train(small_dataset.folder, one)
    assert done.returncode == 0, done.stderr
    done = train(small_dataset.folder, two, processes=2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch   1") == 1, "one log"

    longer = ("--resume", "--set", "training.epochs=4")
    for run in (one, two):
        done = train(small_dataset.folder, run, *longer)
        assert done.returncode == 0, f"two processes' run goes on with one: {done.stderr}"
    assert len(history(one)) == len(history(two)) == 4
    for epoch, (left, right) in enumerate(zip(history(one), history(two), strict=True)):
        tolerance = 1e-5 if epoch == 0 else 0.1  # the first loss is that of the weights which both begin with
        assert left["train_loss"] == pytest.approx(right["train_loss"], abs=tolerance)
    states = [torch.load(run / "last.pt", weights_only=True)["model"] for run in (one, two)]
    counts = [{name: int(value) for name, value in state.items() if "num_batches" in name} for state in states]
    assert counts[0] == counts[1]
    assert set(counts[0].values()) == {4}, "one step an epoch"


@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform == "win32", reason="gloo under torchrun")
def test_a_mistake_is_said_once(small_dataset: Dataset, tmp_path: Path) -> None:
    done = train(small_dataset.folder, tmp_path / "run", "--task", "genre", processes=2)
    assert done.returncode != 0
    assert done.stderr.count("error: ") == 1
    assert "no genre labels" in done.stderr
