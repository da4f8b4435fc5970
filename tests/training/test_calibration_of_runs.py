"""What a run fits after its last epoch: each head its own temperature, then its threshold, on the validation split."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader
from geoclass.training.run import train
from geoclass.training.run_bundle import calibrate
from geoclass.training.runtime import Runtime

Make = Callable[..., Any]
COUNTRIES, GENRES = ("FR", "DE", "JP"), ("Folk", "Jazz", "Rock")
N_TRACKS = 400


def track(number: int, split: str, *, flip: float) -> dict[str, Any]:
    """A track whose row is its logits: three for the country, three that are four times too sure for the genre.

    `flip` is the share of tracks whose label is not the likeliest.
    """
    generator = np.random.default_rng((number, len(split)))
    country, genre = generator.normal(size=3) * 2, generator.normal(size=3) * 8
    labels = []
    for logits, too_sure in ((country, 1.0), (genre, 4.0)):
        label = int(generator.choice(3, p=softmax(logits / too_sure)))
        labels.append(int(generator.integers(3)) if generator.random() < flip else label)
    return {
        "track_id": f"{split}{number}", "path": "", "country": COUNTRIES[labels[0]], "genre": GENRES[labels[1]],
        "split": split, "rows": [np.concatenate([country, genre])],
    }  # fmt: skip


@pytest.fixture
def dataset(write_dataset: Make) -> Dataset:
    """The training split is all noise: who calibrates on it finds another temperature."""
    tracks = [track(number, "valid", flip=0.0) for number in range(N_TRACKS)]
    tracks += [track(number, "train", flip=1.0) for number in range(N_TRACKS)]
    return write_dataset(tracks, labels={"country": COUNTRIES, "genre": GENRES})


def calibrated(bundle: Bundle, dataset: Dataset, *, target_precision: float = 0.8) -> Bundle:
    loader = SegmentLoader(dataset, dataset.split("valid"), batch_size=64, device=torch.device("cpu"))
    config = RunConfig(training=TrainingConfig(target_precision=target_precision))
    return calibrate(bundle, loader, config, Runtime(torch.device("cpu"), "fp32"))[0]


def valid_logits(dataset: Dataset, task: str) -> tuple[np.ndarray, np.ndarray]:
    part = dataset.split("valid")
    rows = np.asarray(dataset.features[part.segment_ids], np.float64)
    return rows[:, :3] if task == "country" else rows[:, 3:], part.targets(task)


def test_each_head_has_the_temperature_of_its_own_validation_tracks(make_echo: Make, dataset: Dataset) -> None:
    bundle = calibrated(make_echo({"country": COUNTRIES, "genre": GENRES}), dataset)
    for head in bundle.heads:
        logits, truth = valid_logits(dataset, head.task)

        def loss(t: float, logits: np.ndarray = logits, truth: np.ndarray = truth) -> float:
            return float(-log_softmax(logits / t, axis=1)[np.arange(len(truth)), truth].mean())

        best = minimize_scalar(loss, bounds=(0.1, 20), method="bounded").x
        assert head.temperature == pytest.approx(best, rel=0.05)
    country, genre = (head.temperature for head in bundle.heads)
    assert genre / country == pytest.approx(4, rel=0.3)


@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_the_threshold_reaches_the_target_on_calibrated_probabilities(
    make_echo: Make, dataset: Dataset, target: float
) -> None:
    bundle = calibrated(make_echo({"country": COUNTRIES, "genre": GENRES}), dataset, target_precision=target)
    for head in bundle.heads:
        logits, truth = valid_logits(dataset, head.task)
        probabilities = softmax(logits / head.temperature, axis=1)
        confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
        written = confidence >= head.threshold - 1e-6  # the model computes in float32
        assert written.sum() >= 5
        assert right[written].mean() >= target
        lower = np.sort(confidence[~written])[::-1]
        reaching = [value for value in lower if right[confidence >= value].mean() >= target and value > 1 / 3]
        assert reaching == []  # no lower threshold would have done


def test_a_higher_target_asks_for_a_higher_threshold(make_echo: Make, dataset: Dataset) -> None:
    echo = make_echo({"country": COUNTRIES, "genre": GENRES})
    low, high = (calibrated(echo, dataset, target_precision=target).head("genre").threshold for target in (0.6, 0.95))
    assert low + 0.1 < high < 1


def test_a_run_calibrates_on_tracks_that_it_was_not_trained_on(
    write_dataset: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels of training tracks follow from their rows, every other one of the validation tracks is drawn by lot."""
    monkeypatch.setattr("geoclass.training.run.plot_curves", lambda *_: None)
    tracks = [
        track(number, split, flip=flip) for split, flip in (("train", 0.0), ("valid", 0.5)) for number in range(300)
    ]
    dataset = write_dataset(tracks, labels={"country": COUNTRIES})
    config = RunConfig(
        model=ModelConfig(name="fcnn"), training=TrainingConfig(epochs=8, lr=0.01, label_smoothing=0.0, monitor="last")
    )
    bundle = train(dataset, config=config, run_dir=tmp_path / "run", device="cpu").bundle

    def best_temperature(split: str) -> float:
        part = dataset.split(split)
        logits = bundle.logits(torch.from_numpy(dataset.features[part.segment_ids]))["country"].double().numpy()
        truth = part.targets("country")

        def loss(t: float) -> float:
            return float(-log_softmax(logits / t, axis=1)[np.arange(len(truth)), truth].mean())

        return float(minimize_scalar(loss, bounds=(0.05, 20), method="bounded").x)

    assert best_temperature("valid") > 1.5 * best_temperature("train"), "or the test proves nothing"
    assert bundle.head("country").temperature == pytest.approx(best_temperature("valid"), rel=0.1)
