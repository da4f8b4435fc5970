"""On a CUDA device: the same samples, losses, rows and answers as on a CPU. Skipped where there is none.

    pytest -m gpu

Tolerances are those of TF32 and half precision.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.dataset import loading
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader
from geoclass.inference.classifier import Classifier
from geoclass.inference.prediction import Prediction
from geoclass.training.run import TrainResult, train

DEVICE = "cuda"
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]

SMALL = {"attention-cnn": {"channels": [16, 8, 8], "dropout": 0.0}, "resnet": {"width": 8, "dropout": 0.0}}
MASKED = TrainingConfig(epochs=2, batch_size=16, lr=1e-3, precision="fp32", mixup=0.3, gain_db=3.0, mask_fraction=0.2)


def trained(
    dataset: Dataset, run_dir: Path, *, device: str, model: str = "attention-cnn", **changes: object
) -> TrainResult:
    config = RunConfig(
        model=ModelConfig(name=model, arguments=SMALL[model]),
        training=replace(MASKED, **changes),  # type: ignore[arg-type]
    )
    return train(dataset, config=config, run_dir=run_dir, device=device)


@pytest.mark.parametrize("resident", [True, False])
def test_batches_are_those_of_the_cpu(small_dataset: Dataset, monkeypatch: pytest.MonkeyPatch, resident: bool) -> None:
    """On the device as a whole, or read ahead and copied from pinned memory."""
    if not resident:
        monkeypatch.setattr(loading, "_free_bytes", lambda device: 0.0)
    split = small_dataset.split("train")
    here, there = (
        SegmentLoader(small_dataset, split, batch_size=16, device=torch.device(device), seed=0, partners=True)
        for device in ("cpu", DEVICE)
    )
    for one, other in zip(here.epoch(1), there.epoch(1), strict=True):
        assert other.x.device.type == DEVICE
        assert torch.equal(one.x, other.x.cpu())
        assert torch.equal(one.targets["country"], other.targets["country"].cpu())
        assert one.partner is not None
        assert other.partner is not None
        assert torch.equal(one.partner.x, other.partner.x.cpu())
        assert one.draws.uniform("gain").tolist() == other.draws.uniform("gain").tolist()


def test_it_trains_as_on_the_cpu(small_dataset: Dataset, tmp_path: Path) -> None:
    here, there = (trained(small_dataset, tmp_path / device, device=device).history for device in ("cpu", DEVICE))
    assert there[0]["train_loss"] == pytest.approx(here[0]["train_loss"], abs=0.02)
    assert there[1]["train_loss"] == pytest.approx(here[1]["train_loss"], abs=0.1)


@pytest.mark.parametrize("model", ["attention-cnn", "resnet"])
@pytest.mark.parametrize("changes", [
    {"precision": "bf16"}, {"precision": "fp16"}, {"channels_last": True, "precision": "bf16"},
    pytest.param({"compile": True, "precision": "bf16"}, marks=pytest.mark.slow),
], ids=str)  # fmt: skip
def test_every_way_to_train_learns(
    small_dataset: Dataset, tmp_path: Path, model: str, changes: dict[str, object]
) -> None:
    result = trained(small_dataset, tmp_path / "run", device=DEVICE, model=model, epochs=6, lr=3e-3, **changes)
    losses = [epoch["train_loss"] for epoch in result.history]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    on_cpu = Bundle.load(tmp_path / "run")
    rows = torch.from_numpy(small_dataset.features[:4].astype(np.float32))
    there = result.bundle.logits(rows)["country"].cpu()
    torch.testing.assert_close(on_cpu.logits(rows)["country"], there, atol=0.05, rtol=0.02)


def test_files_are_answered_as_on_the_cpu(small_run: TrainResult, music: Path) -> None:
    small_run.bundle.save(music.parent / "bundle-for-gpu")
    paths = [*sorted(music.rglob("*.mp3"))[:9], music / "gone.mp3"]
    here, there = (
        [*Classifier(Bundle.load(music.parent / "bundle-for-gpu", device=device), batch_size=4).predict_many(paths)]
        for device in ("cpu", DEVICE)
    )
    assert [type(answer) for answer in there] == [type(answer) for answer in here]
    for one, other in zip(here, there, strict=True):
        if isinstance(one, Prediction) and isinstance(other, Prediction):
            np.testing.assert_allclose(
                one.fields["country"].probabilities, other.fields["country"].probabilities, atol=0.01
            )


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two CUDA devices")
def test_two_devices_train_what_one_does(small_dataset: Dataset, tmp_path: Path) -> None:
    """nn.SyncBatchNorm over NCCL."""
    losses = []
    for processes in (1, 2):
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", "geoclass"]
        run = tmp_path / str(processes)
        line = ["train", small_dataset.folder, "--run-dir", run, "--device", DEVICE, "--model", "attention-cnn"]
        options = ["--epochs", 2, "--batch-size", 128, "--precision", "fp32", "--set", "model.dropout=0.0"]
        subprocess.run([sys.executable, *launch, *map(str, [*line, *options])], check=True, timeout=600)
        losses.append(json.loads((run / "metrics.jsonl").read_text().splitlines()[0])["train_loss"])
    assert losses[0] == pytest.approx(losses[1], abs=0.02)
