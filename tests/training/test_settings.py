"""Every setting of a run does something: a run with another value ends otherwise, whatever the setting is called."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from geoclass.config.frontends import LogMelConfig
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.dataset.dataset import Dataset
from geoclass.training.run import train

BANDS, FRAMES = 16, 20
BASE = TrainingConfig(
    epochs=3, batch_size=8, lr=0.01, weight_decay=0.01, schedule="none", early_stopping=0, monitor="last",
    label_smoothing=0.0, class_weights=False, mask_fraction=0.0, grad_clip=0.0, target_precision=0.5,
)  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "epochs": {"epochs": 2},
    "batch_size": {"batch_size": 5},
    "lr": {"lr": 0.02},
    "weight_decay": {"weight_decay": 0.5},
    "optimizer": {"optimizer": "adam"},
    "schedule": {"schedule": "cosine"},
    "warmup_epochs": {"schedule": "cosine", "warmup_epochs": 1.0},
    "plateau_factor": {"schedule": "plateau", "plateau_patience": 0, "lr": 1.0, "plateau_factor": 0.1},
    "plateau_patience": {"schedule": "plateau", "plateau_patience": 2, "lr": 1.0},
    "label_smoothing": {"label_smoothing": 0.2},
    "class_weights": {"class_weights": True},
    "balanced_sampling": {"balanced_sampling": True},
    "mask_fraction": {"mask_fraction": 0.5},
    "mixup": {"mixup": 0.4},
    "gain_db": {"gain_db": 6.0},
    "grad_clip": {"grad_clip": 0.001},
    "seed": {"seed": 1},
    "target_precision": {"target_precision": 0.95},
}
# What a setting is compared with where it does nothing on top of BASE.
AGAINST: dict[str, dict[str, Any]] = {
    "warmup_epochs": {"schedule": "cosine"},
    "plateau_factor": {"schedule": "plateau", "plateau_patience": 0, "lr": 1.0},
    "plateau_patience": {"schedule": "plateau", "plateau_patience": 0, "lr": 1.0},
}
ELSEWHERE = {
    "early_stopping": "tests/training/test_loop.py",
    "monitor": "tests/training/test_loop.py",
    "precision": "needs a GPU",
    "compile": "changes the speed alone",
    "channels_last": "changes the speed alone",
}


@pytest.fixture
def dataset(write_dataset: Callable[..., Dataset]) -> Dataset:
    """Noise that is louder in the bands of its label, two labels, one of them rare."""
    generator = np.random.default_rng(0)

    def rows(label: str) -> np.ndarray:
        sound = generator.normal(size=(1, BANDS, FRAMES))
        sound[:, 4 * (label == "DE") : 4 * (label == "DE") + 8] += 0.5
        return sound

    tracks = [
        {"track_id": f"t{n}", "split": "train" if n < 30 else "valid", "country": label, "rows": rows(label)}
        for n, label in enumerate(("FR", "FR", "FR", "DE") * 12)
    ]
    return write_dataset(tracks, labels={"country": ("DE", "FR")}, front_end=LogMelConfig(n_mels=BANDS))


def outcome(dataset: Dataset, config: TrainingConfig, run_dir: Path) -> list[Any]:
    """All that a run leaves behind, but for the time that it took."""
    model = ModelConfig(name="attention-cnn", arguments={"channels": [4, 4, 4]})
    result = train(dataset, config=RunConfig(model=model, training=config), run_dir=run_dir, device="cpu")
    history = [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in result.history]
    weights = torch.cat([values.double().ravel() for values in result.bundle.model.state_dict().values()]).tolist()
    (head,) = result.bundle.heads
    return [history, weights, head.temperature, head.threshold]


def test_every_setting_is_tried_here_or_elsewhere() -> None:
    assert {item.name for item in fields(TrainingConfig)} == {*OTHERS, *ELSEWHERE}


@pytest.mark.parametrize("name", OTHERS)
def test_a_setting_is_not_ignored(name: str, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoclass.training.run.plot_curves", lambda *_: None)
    other = replace(BASE, **OTHERS[name])
    base = replace(BASE, **AGAINST.get(name, {}))
    assert getattr(other, name) != getattr(base, name)
    assert outcome(dataset, other, tmp_path / "other") != outcome(dataset, base, tmp_path / "base")


def test_the_same_settings_end_alike(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoclass.training.run.plot_curves", lambda *_: None)
    assert outcome(dataset, BASE, tmp_path / "one") == outcome(dataset, BASE, tmp_path / "two")
