"""Two gloo processes train what one does, and a rank that fails ends the run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from geoclass.bundle.bundle import Bundle
from geoclass.dataset.dataset import Dataset

SETTINGS = [
    *("--epochs", "3", "--batch-size", "16", "--lr", "0.003", "--device", "cpu", "--model", "attention-cnn"),
    *("--set", "model.channels=[16,8,8]", "--set", "model.dropout=0.0", "--set", "training.mask_fraction=0.0"),
]


def train(dataset: Path, run: Path, *more: str, processes: int = 1) -> subprocess.CompletedProcess[str]:
    launch = [sys.executable, "-m"]
    if processes > 1:
        launch += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    line = [*launch, "geoclass", "train", str(dataset), "--run-dir", str(run), *SETTINGS, *more]
    single = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(line, capture_output=True, text=True, check=False, env=single, timeout=240)


def answers(run: Path, dataset: Dataset) -> torch.Tensor:
    """Logits of the last epoch. (Single weights may differ: a bias before batch norm has no gradient but rounding.)"""
    bundle = Bundle.load(run)
    bundle.model.load_state_dict(torch.load(run / "last.pt", weights_only=True)["model"])
    return bundle.logits(torch.from_numpy(dataset.features[:].astype("float32")))["country"]


@pytest.mark.skipif(sys.platform == "win32", reason="gloo under torchrun")
def test_two_processes_train_what_one_does_and_either_resumes(small_dataset: Dataset, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    done = train(small_dataset.folder, one)
    assert done.returncode == 0, done.stderr
    done = train(small_dataset.folder, two, processes=2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch   1") == 1, "one log"
    torch.testing.assert_close(answers(two, small_dataset), answers(one, small_dataset), rtol=0, atol=1e-5)
    histories = [[json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()] for run in (one, two)]
    for left, right in zip(*histories, strict=True):
        assert left["valid_accuracy"] == right["valid_accuracy"], "each sample counts once"
        assert left["train_loss"] == pytest.approx(right["train_loss"], abs=1e-5)

    longer = ("--resume", "--set", "training.epochs=4")
    assert train(small_dataset.folder, one, *longer).returncode == 0
    assert train(small_dataset.folder, two, *longer).returncode == 0, "two processes' run goes on with one"
    torch.testing.assert_close(answers(two, small_dataset), answers(one, small_dataset), rtol=0, atol=1e-5)


@pytest.mark.skipif(sys.platform == "win32", reason="gloo under torchrun")
def test_a_mistake_is_said_once(small_dataset: Dataset, tmp_path: Path) -> None:
    done = train(small_dataset.folder, tmp_path / "run", "--task", "genre", processes=2)
    assert done.returncode != 0
    assert done.stderr.count("error: ") == 1
    assert "no genre labels" in done.stderr
