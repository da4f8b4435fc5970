"""Training: it learns, it can be resumed bit for bit, and it says what is wrong."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.config.toml import load_toml
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.folds import fold_of_dataset
from geoclass.errors import ConfigError, DeviceError, ModelError, TrainingError
from geoclass.training import run_folder
from geoclass.training.loop import Epoch
from geoclass.training.run import TrainResult, score_split, train
from geoclass.training.runtime import Runtime

CONFIG = RunConfig(
    model=ModelConfig(name="attention-cnn", arguments={"channels": [16, 8, 8]}),
    training=TrainingConfig(epochs=3, batch_size=16, lr=3e-3, mixup=0.2, gain_db=3.0),
)


def without_clock(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: value for key, value in line.items() if key != "seconds"} for line in history]


def test_it_learns_what_can_be_learned(small_run: TrainResult, small_dataset: Dataset) -> None:
    assert small_run.history[-1]["train_loss"] < 0.8 * small_run.history[0]["train_loss"]
    learned = score_split(small_run.bundle, small_dataset, "train")
    assert learned["balanced_accuracy"] > 0.6  # chance is 1/3
    assert small_run.scores["country"]["balanced_accuracy"] > 1 / 3


def test_the_run_folder_holds_everything(small_run: TrainResult) -> None:
    names = {path.name for path in small_run.run_dir.iterdir()}
    assert {"config.toml", "metrics.jsonl", "curves.png", "last.pt", "best.pt", "bundle"} <= names
    assert load_toml(RunConfig, small_run.run_dir / "config.toml").training.epochs == 6
    lines = (small_run.run_dir / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == small_run.history


def test_the_bundle_holds_the_best_epoch(small_run: TrainResult, small_dataset: Dataset) -> None:
    best = torch.load(small_run.run_dir / "best.pt", weights_only=True)
    loaded = Bundle.load(small_run.run_dir)
    assert all(torch.equal(value, best[name]) for name, value in loaded.model.state_dict().items())
    assert loaded.training["dataset_fingerprint"] == small_dataset.fingerprint
    assert loaded.heads[0].labels == small_dataset.labels["country"]
    assert 0 < loaded.heads[0].threshold <= 1


@pytest.mark.parametrize(("schedule", "every_s"), [("plateau", 0.0), ("plateau", 1e9), ("cosine", 0.0)])
def test_a_resumed_run_ends_like_an_unbroken_one(
    small_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str, every_s: float
) -> None:
    config = replace(CONFIG, training=replace(CONFIG.training, schedule=schedule, epochs=4))
    whole = train(small_dataset, config=config, run_dir=tmp_path / "whole", device="cpu")

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(run_folder, "EVERY_S", every_s)  # 1e9: only the first epoch was written
    with pytest.raises(KeyboardInterrupt):
        train(small_dataset, config=config, run_dir=tmp_path / "broken", device="cpu", on_epoch=stop)
    assert torch.load(tmp_path / "broken" / "last.pt", weights_only=True)["epoch"] == (1 if every_s else 3)
    resumed = train(small_dataset, config=config, run_dir=tmp_path / "broken", resume=True, device="cpu")
    assert without_clock(resumed.history) == without_clock(whole.history)
    one, other = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "broken"))
    assert all(torch.equal(one["model"][name], other["model"][name]) for name in one["model"])
    assert resumed.bundle.weights_sha256 == whole.bundle.weights_sha256


def test_a_finished_run_resumed_trains_no_further(small_dataset: Dataset, tmp_path: Path) -> None:
    first = train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu")
    again = train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", resume=True, device="cpu")
    assert again.history == first.history


def test_early_stopping_ends_the_generator(small_dataset: Dataset, tmp_path: Path) -> None:
    stubborn = replace(
        CONFIG, training=replace(CONFIG.training, lr=1e-9, epochs=40, early_stopping=2, monitor="accuracy")
    )
    result = train(small_dataset, config=stubborn, run_dir=tmp_path / "run", device="cpu")
    assert len(result.history) < 40
    best = max(line["epoch"] for line in result.history if line["is_best"])
    assert len(result.history) - best == 2


def test_a_taken_run_folder_is_not_overwritten(small_run: TrainResult, small_dataset: Dataset) -> None:
    with pytest.raises(TrainingError, match="already holds a run") as caught:
        train(small_dataset, config=CONFIG, run_dir=small_run.run_dir, device="cpu")
    assert "--resume" in (caught.value.hint or "")


def test_a_checkpoint_of_other_settings_is_refused(small_run: TrainResult, small_dataset: Dataset) -> None:
    with pytest.raises(TrainingError, match="other settings"):
        train(small_dataset, config=CONFIG, run_dir=small_run.run_dir, resume=True, device="cpu")


def test_nothing_to_resume_is_said(small_dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no last\.pt"):
        train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", resume=True, device="cpu")


def test_a_pickle_in_place_of_a_checkpoint_is_not_run(small_dataset: Dataset, tmp_path: Path) -> None:
    import pickle

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))

    train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu")
    (tmp_path / "run" / "last.pt").write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(TrainingError, match="not a checkpoint"):
        train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", resume=True, device="cpu")
    assert not (tmp_path / "sprung").exists()


def test_a_diverging_run_says_what_to_try(small_dataset: Dataset, tmp_path: Path) -> None:
    wild = replace(CONFIG, training=replace(CONFIG.training, lr=1e20, grad_clip=0, optimizer="adam"))
    with pytest.raises(TrainingError, match="the loss is") as caught:
        train(small_dataset, config=wild, run_dir=tmp_path / "run", device="cpu")
    assert "lower --lr" in (caught.value.hint or "")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_cuda_is_an_error(small_dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="0 CUDA devices"):
        train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", device="cuda")


def test_half_precision_without_a_gpu_is_an_error(small_dataset: Dataset, tmp_path: Path) -> None:
    half = replace(CONFIG, training=replace(CONFIG.training, precision="fp16"))
    with pytest.raises(DeviceError, match="fp16"):
        train(small_dataset, config=half, run_dir=tmp_path / "run", device="cpu")


def test_a_network_that_cannot_read_the_features_is_refused(small_dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="reads table"):
        train(small_dataset, config=RunConfig(model=ModelConfig(name="fcnn")), run_dir=tmp_path / "run", device="cpu")


@pytest.mark.parametrize("empty", ["train", "valid"])
def test_an_empty_split_has_a_way_out(small_dataset: Dataset, tmp_path: Path, empty: str) -> None:
    dataset = Dataset.open(small_dataset.folder)
    dataset.segments = dataset.segments.assign(split=dataset.segments["split"].replace(empty, "test"))
    with pytest.raises(TrainingError, match=f"no '{empty}' split") as caught:
        train(dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu")
    assert f"geoclass train {dataset.folder} --folds 5" in (caught.value.hint or "")
    fold = fold_of_dataset(dataset, 0, n_folds=5)
    once = replace(CONFIG, training=replace(CONFIG.training, epochs=1))
    train(fold, config=once, run_dir=tmp_path / "fold", device="cpu")


def test_contradictions_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(lr=-1, batch_size=0, label_smoothing=2.0, class_weights=True, balanced_sampling=True)
    for name in ("lr", "batch_size", "label_smoothing", "balanced_sampling"):
        assert name in caught.value.message


def test_a_device_that_is_full_says_which_batch_to_try(
    small_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("geoclass.training.loop._batch_loss", full)
    with pytest.raises(TrainingError, match="batch of 16 segments does not fit") as caught:
        train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu")
    assert "--batch-size 8" in (caught.value.hint or "")


def test_channels_last_changes_the_layout_and_not_the_result(small_dataset: Dataset, tmp_path: Path) -> None:
    settings = replace(CONFIG.training, epochs=1, mixup=0.0)
    histories = []
    for layout in (False, True):
        config = RunConfig(model=ModelConfig(name="cnn"), training=replace(settings, channels_last=layout))
        histories.append(train(small_dataset, config=config, run_dir=tmp_path / str(layout), device="cpu").history)
    assert histories[0][0]["train_loss"] == pytest.approx(histories[1][0]["train_loss"], abs=1e-3)


def test_one_process_sums_where_its_numbers_are() -> None:
    """MPS has no double precision: nothing may be moved there to be summed over one process."""
    value = torch.tensor([1.5, 2.0], dtype=torch.float64)
    assert Runtime(torch.device("meta"), "fp32").total(value) is value
