"""What a run hands on: the best epoch, calibrated on the validation split, with the precision that was asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.calibration import choose_threshold, fit_temperature
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.dataset.dataset import Dataset
from geoclass.training import loop
from geoclass.training.loop import Epoch
from geoclass.training.run import train

CONFIG = RunConfig(
    model=ModelConfig(name="attention-cnn", arguments={"channels": [16, 8, 8]}),
    training=TrainingConfig(epochs=5, batch_size=16, lr=3e-3, monitor="accuracy"),
)


def track_logits(bundle: Bundle, dataset: Dataset, split: str) -> np.ndarray:
    """(n_tracks, n_labels) means over the segments, in double precision."""
    part = dataset.split(split)
    features = torch.from_numpy(dataset.features[part.segment_ids].astype(np.float32))
    logits = bundle.logits(features)["country"].double().numpy()
    return np.array([logits[part.track_of_segment == track].mean(axis=0) for track in range(len(part.tracks))])


def test_the_bundle_is_that_of_the_best_epoch_not_of_the_last(
    small_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([0.1, 0.2, 0.9, 0.3, 0.4])
    real = loop.score_tracks
    monkeypatch.setattr(loop, "score_tracks", lambda *args: {**real(*args), "accuracy": next(told)})
    monkeypatch.setattr("geoclass.training.run_folder.EVERY_S", 0.0)
    weights: list[dict[str, torch.Tensor]] = []
    seen: list[Epoch] = []

    def keep(epoch: Epoch) -> None:
        seen.append(epoch)
        weights.append(torch.load(tmp_path / "run" / "last.pt", weights_only=True)["model"])

    result = train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu", on_epoch=keep)
    assert [epoch.is_best for epoch in seen] == [True, True, True, False, False]
    found = result.bundle.model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in weights[2].items())
    assert any(not torch.equal(found[name], value) for name, value in weights[4].items())
    loaded = Bundle.load(tmp_path / "run").model.state_dict()
    assert all(torch.equal(loaded[name], found[name]) for name in found)
    assert result.bundle.training["epochs"] == 5
    assert result.bundle.training["dataset_fingerprint"] == small_dataset.fingerprint


@pytest.mark.parametrize("target", [0.5, 1.0])
def test_temperature_and_threshold_are_those_of_the_validation_split(
    small_dataset: Dataset, tmp_path: Path, target: float
) -> None:
    short = replace(CONFIG, training=replace(CONFIG.training, epochs=2, target_precision=target))
    bundle = train(small_dataset, config=short, run_dir=tmp_path / "run", device="cpu").bundle
    (head,) = bundle.heads
    truth = small_dataset.split("valid").targets("country")
    logits = track_logits(bundle, small_dataset, "valid")
    temperature = fit_temperature(logits, truth)
    assert head.temperature == pytest.approx(temperature, rel=1e-3)
    scaled = np.exp(logits / temperature)
    calibrated = scaled / scaled.sum(axis=1, keepdims=True)
    expected = choose_threshold(calibrated, truth, target_precision=target)
    assert head.threshold == pytest.approx(expected, abs=1e-3)
    learned = small_dataset.split("train").targets("country")
    other = fit_temperature(track_logits(bundle, small_dataset, "train"), learned)
    assert abs(other - temperature) > 0.01, "the training split would have said something else"


def test_nine_of_ten_by_default() -> None:
    """DESIGN, section 6."""
    assert TrainingConfig().target_precision == 0.9


def test_what_is_shown_at_the_end_is_the_best_epochs_score(small_dataset: Dataset, tmp_path: Path) -> None:
    result = train(small_dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu")
    best = max(result.history, key=lambda line: (line["valid_accuracy"], -line["valid_loss"]))
    scores = result.scores["country"]
    assert scores["accuracy"] == pytest.approx(best["valid_accuracy"])
    assert scores["loss"] == pytest.approx(best["valid_loss"], abs=1e-5)
    assert result.bundle.metrics["country"] == pytest.approx(scores)
