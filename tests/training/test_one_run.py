"""One run on a small table: what it is given reaches the training, what it leaves behind is complete and true."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.config.toml import load_toml
from geoclass.dataset.dataset import Dataset
from geoclass.errors import TrainingError
from geoclass.training import run as run_module
from geoclass.training.loop import Epoch
from geoclass.training.run import score_split, train

Make = Callable[..., Any]
COUNTRIES, GENRES = ("FR", "DE", "JP"), ("Folk", "Jazz")
N_TRAIN, N_VALID = 24, 9
SETTINGS = TrainingConfig(epochs=3, batch_size=7, lr=0.02, seed=5)
CONFIG = RunConfig(model=ModelConfig(name="fcnn"), training=SETTINGS)


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves take longer than these runs."""
    monkeypatch.setattr(run_module, "plot_curves", lambda history, path: path.write_text(str(len(history))))


def tracks(*, seed: int = 0) -> list[dict[str, Any]]:
    """A row per track that lies near its country; every genre has tracks of every country."""
    generator = np.random.default_rng(seed)
    found = []
    for split, n in (("train", N_TRAIN), ("valid", N_VALID), ("test", 6)):
        for number in range(n):
            row = generator.normal(size=4) + 3 * np.eye(4)[number % 3]
            labels = {"country": COUNTRIES[number % 3], "genre": GENRES[number % 2]}
            found.append({"track_id": f"{split}{number}", "path": "", "split": split, "rows": [row], **labels})
    return found


@pytest.fixture
def dataset(write_dataset: Make) -> Dataset:
    return write_dataset(tracks(), labels={"country": COUNTRIES})


def go(dataset: Dataset, folder: Path, config: RunConfig = CONFIG, **options: Any):
    return train(dataset, config=config, run_dir=folder, **options)


def with_settings(**settings: Any) -> RunConfig:
    return replace(CONFIG, training=replace(SETTINGS, **settings))


# ---- what it leaves behind --------------------------------------------------------------------------------------


def test_a_run_leaves_its_settings_its_numbers_and_its_bundle(dataset: Dataset, tmp_path: Path) -> None:
    result = go(dataset, tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names - {"tensorboard"} == {"config.toml", "metrics.jsonl", "curves.png", "last.pt", "best.pt", "bundle"}
    assert (tmp_path / "run" / "curves.png").read_text() == "3", "of all epochs"
    assert result.run_dir == tmp_path / "run"
    assert [line["epoch"] for line in result.history] == [1, 2, 3]
    assert set(result.scores) == {"country"}
    assert set(result.scores["country"]) == {"loss", "accuracy", "balanced_accuracy"}
    loaded = Bundle.load(tmp_path / "run" / "bundle")
    assert loaded.metrics["country"] == pytest.approx(result.scores["country"])
    assert loaded.training["epochs"] == 3
    assert loaded.training["seed"] == 5
    assert loaded.heads[0].labels == COUNTRIES
    assert loaded.heads[0].temperature == pytest.approx(result.bundle.heads[0].temperature)
    assert loaded.weights_sha256 == result.bundle.weights_sha256
    assert loaded.training_set is not None


def test_the_settings_name_the_network_that_was_chosen_for_the_features(dataset: Dataset, tmp_path: Path) -> None:
    result = go(dataset, tmp_path / "run", RunConfig(training=SETTINGS))
    kept = load_toml(RunConfig, tmp_path / "run" / "config.toml")
    assert kept == RunConfig(model=ModelConfig(name=result.bundle.model.name), training=SETTINGS)
    assert kept.model.name, "and not that it was left open"
    assert train(dataset, config=kept, run_dir=tmp_path / "again").history[0]["train_loss"] == pytest.approx(
        result.history[0]["train_loss"]
    )


def test_the_settings_are_kept_before_the_first_epoch_ends(dataset: Dataset, tmp_path: Path) -> None:
    seen: list[bool] = []
    go(dataset, tmp_path / "run", on_step=lambda: seen.append((tmp_path / "run" / "config.toml").exists()))
    assert all(seen)


def test_without_settings_the_defaults_hold(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(dataset, run_dir=str(tmp_path / "run"), on_epoch=stop)
    kept = load_toml(RunConfig, tmp_path / "run" / "config.toml")
    assert kept.training == TrainingConfig()


def test_one_network_answers_all_tasks(write_dataset: Make, tmp_path: Path) -> None:
    dataset = write_dataset(tracks(), labels={"country": COUNTRIES, "genre": GENRES})
    result = go(dataset, tmp_path / "both")
    assert {head.task: head.labels for head in result.bundle.heads} == {"country": COUNTRIES, "genre": GENRES}
    logits = result.bundle.logits(torch.zeros(2, 4))
    assert {task: tuple(found.shape) for task, found in logits.items()} == {"country": (2, 3), "genre": (2, 2)}
    assert set(result.scores) == {"country", "genre"}
    alone = go(dataset, tmp_path / "one", replace(CONFIG, task="genre"))
    assert [head.task for head in alone.bundle.heads] == ["genre"]


def test_a_bundle_says_what_it_was_fitted_on(dataset: Dataset, tmp_path: Path) -> None:
    result = go(dataset, tmp_path / "run")
    assert result.bundle.data["corpus"] == "written for a test"
    assert result.bundle.data["split"] == "track-disjoint (artists unknown), seed 0"
    assert result.bundle.data["licence"] == "not stated"
    assert result.bundle.name == "fcnn-data-country"
    assert (result.bundle.dataset_hash, result.bundle.release) == ("ffffff", "")


# ---- what it is given -------------------------------------------------------------------------------------------


def test_whoever_asks_is_told_of_each_step_and_each_epoch(dataset: Dataset, tmp_path: Path) -> None:
    steps: list[int] = []
    epochs: list[tuple[int, int]] = []
    go(
        dataset,
        tmp_path / "run",
        on_step=lambda: steps.append(1),
        on_epoch=lambda epoch: epochs.append((epoch.number, len(steps))),
    )
    n_steps = -(-N_TRAIN // 7)
    assert epochs == [(0, n_steps), (1, 2 * n_steps), (2, 3 * n_steps)]


@pytest.mark.parametrize(("balanced", "mixup"), [(False, 0.0), (True, 0.0), (False, 0.3)])
def test_the_loaders_load_what_the_settings_say(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, balanced: bool, mixup: float
) -> None:
    loaded: dict[str, dict[str, Any]] = {}
    real = run_module.SegmentLoader

    def record(dataset: Dataset, split: Any, **options: Any):
        loaded[split.name] = options
        return real(dataset, split, **options)

    monkeypatch.setattr(run_module, "SegmentLoader", record)
    go(dataset, tmp_path / "run", with_settings(balanced_sampling=balanced, class_weights=False, mixup=mixup, epochs=1))
    assert set(loaded) == {"train", "valid"}
    learning = loaded["train"]
    assert (learning["batch_size"], learning["seed"]) == (7, 5)
    assert (bool(learning["balanced"]), bool(learning["partners"])) == (balanced, mixup > 0)
    for options in loaded.values():
        assert (options["rank"], options["world_size"]) == (0, 1)
        assert options["device"].type == "cpu"
    assert not loaded["valid"].get("balanced")
    assert "seed" not in loaded["valid"], "nothing is drawn where the network is judged"


def test_the_same_seed_trains_the_same_network_and_another_does_not(dataset: Dataset, tmp_path: Path) -> None:
    first, again, other = (
        go(dataset, tmp_path / name, with_settings(seed=seed, epochs=1))
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first.bundle.weights_sha256 == again.bundle.weights_sha256 != other.bundle.weights_sha256


def test_a_network_that_looks_at_the_rows_first_sees_normalized_training_rows_alone(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from geoclass.models.fcnn import Fcnn

    shown: list[np.ndarray] = []
    real = Fcnn.prepare
    monkeypatch.setattr(Fcnn, "prepare", lambda self, x: (shown.append(x.numpy().copy()), real(self, x))[1])
    dataset.mean, dataset.std = np.full(4, 2.0, np.float32), np.full(4, 0.5, np.float32)
    config = replace(CONFIG, model=ModelConfig(name="fcnn", arguments={"encoding": "whiten"}))
    go(dataset, tmp_path / "run", config)
    rows = np.concatenate([track["rows"] for track in tracks() if track["split"] == "train"])
    (found,) = shown
    np.testing.assert_allclose(found, (rows - 2) / 0.5, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("wanted", "expected"), [(100, 24), (24, 24), (12, 12), (10, 8), (1, 1)])
def test_a_sample_of_the_training_rows_is_evenly_spaced(dataset: Dataset, wanted: int, expected: int) -> None:
    rows = np.concatenate([track["rows"] for track in tracks() if track["split"] == "train"]).astype(np.float32)
    found = run_module._sample(dataset, wanted).numpy()
    assert len(found) == expected <= max(wanted, 1)
    np.testing.assert_array_equal(found, rows[:: 24 // expected])


# ---- going on ---------------------------------------------------------------------------------------------------


def test_a_run_may_go_on_for_longer_where_the_schedule_does_not_know_its_end(dataset: Dataset, tmp_path: Path) -> None:
    go(dataset, tmp_path / "run", with_settings(schedule="plateau", epochs=2))
    longer = go(dataset, tmp_path / "run", with_settings(schedule="plateau", epochs=4), resume=True)
    assert [line["epoch"] for line in longer.history] == [1, 2, 3, 4]
    go(dataset, tmp_path / "cosine", with_settings(schedule="cosine", epochs=2))
    with pytest.raises(TrainingError, match="other settings"):
        go(dataset, tmp_path / "cosine", with_settings(schedule="cosine", epochs=4), resume=True)


def test_a_run_of_other_settings_or_other_data_does_not_go_on(dataset: Dataset, tmp_path: Path) -> None:
    go(dataset, tmp_path / "run")
    with pytest.raises(TrainingError, match="other settings"):
        go(dataset, tmp_path / "run", with_settings(lr=0.03), resume=True)
    dataset.fingerprint = "e" * 64
    with pytest.raises(TrainingError, match="another data set"):
        go(dataset, tmp_path / "run", resume=True)


def test_a_run_that_stopped_early_has_nothing_more_to_train(dataset: Dataset, tmp_path: Path) -> None:
    stubborn = with_settings(epochs=20, lr=1e-9, early_stopping=2, monitor="accuracy", schedule="plateau")
    first = go(dataset, tmp_path / "run", stubborn)
    assert len(first.history) < 20
    steps: list[int] = []
    again = go(dataset, tmp_path / "run", stubborn, resume=True, on_step=lambda: steps.append(1))
    assert (again.history, steps) == (first.history, [])
    assert again.bundle.weights_sha256 == first.bundle.weights_sha256


@pytest.mark.parametrize(
    ("epoch", "best", "patience", "is_open"),
    [
        (0, -1, 0, True),
        (0, -1, 1, True),
        (3, 0, 0, True),  # no early stopping
        (3, 2, 2, True),  # the last one was the best
        (3, 1, 2, True),  # one without progress
        (3, 0, 2, False),  # two
        (5, 0, 2, False),
        (9, 8, 2, True),
        (10, 9, 2, False),  # all that were asked for
        (11, 9, 0, False),
    ],
)
def test_when_another_epoch_is_trained(epoch: int, best: int, patience: int, is_open: bool) -> None:
    assert bool(run_module._is_open(epoch, best, with_settings(epochs=10, early_stopping=patience))) is is_open


# ---- what goes wrong --------------------------------------------------------------------------------------------


def test_a_run_without_an_epoch_says_so(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_is_open", lambda *_arguments: False)
    with pytest.raises(TrainingError) as error:
        go(dataset, tmp_path / "run")
    assert error.value.message == f"{tmp_path / 'run'}: no epoch was trained"
    assert error.value.hint == "give --epochs of at least 1"


@pytest.mark.parametrize(("size", "half"), [(16, 8), (7, 3), (1, 1)])
def test_a_batch_that_does_not_fit_is_halved(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, half: int
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("geoclass.training.loop._batch_loss", full)
    with pytest.raises(TrainingError) as error:
        go(dataset, tmp_path / "run", with_settings(batch_size=size))
    assert error.value.message == f"a batch of {size} segments does not fit into the memory of the device"
    assert error.value.hint == f"run again with --batch-size {half}; finished epochs are kept in last.pt"


@pytest.mark.parametrize(
    ("empty", "use"), [("train", "learn from"), ("valid", "choose the best epoch and calibrate on")]
)
def test_a_split_that_is_empty_is_named_with_what_it_is_for(
    write_dataset: Make, tmp_path: Path, empty: str, use: str
) -> None:
    dataset = write_dataset([track for track in tracks() if track["split"] != empty], labels={"country": COUNTRIES})
    with pytest.raises(TrainingError) as error:
        go(dataset, tmp_path / "run")
    assert error.value.message == f"{dataset.folder} has no '{empty}' split: there is nothing to {use}"
    assert error.value.hint == (
        f"train in cross-validation, `geoclass train {dataset.folder} --folds 5`, or build the data set again from "
        "more artists or with larger fractions: --set valid_fraction=0.3"
    )
    assert not (tmp_path / "run").exists()


def test_a_task_without_labels_is_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as error:
        go(dataset, tmp_path / "run", replace(CONFIG, task="mood, genre"))
    assert error.value.message == f"{dataset.folder} has no mood, genre labels"
    assert error.value.hint == "it has: country; build one with `--task mood,genre`"


# ---- scores -----------------------------------------------------------------------------------------------------


def test_the_score_of_a_split_is_the_share_of_its_tracks_that_are_right(write_dataset: Make, make_echo: Make) -> None:
    """The network answers with its row: two of the first three tracks are right, all of the other two."""
    rows = {
        "FR": ([[9, 0, 0], [9, 0, 0]], [[0, 9, 0]]),
        "DE": ([[0, 9, 0]],),
        "JP": ([[0, 0, 9]], [[0, 0, 9], [5, 0, 9]]),
    }
    table = [
        {
            "track_id": f"{country}{number}",
            "path": "",
            "country": country,
            "split": "test",
            "rows": np.array(found, float),
        }
        for country, of in rows.items()
        for number, found in enumerate(of)
    ]
    dataset = write_dataset(table, labels={"country": COUNTRIES})
    found = score_split(make_echo({"country": COUNTRIES}), dataset, "test")
    assert found["accuracy"] == pytest.approx(4 / 5)
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    wrong, right = np.log(1 + 2 * np.exp(-9.0)) + 9, np.log(1 + 2 * np.exp(-9.0))
    last = np.log(np.exp(9) + np.exp(2.5) + 1) - 9  # the mean of its two segments
    assert found["loss"] == pytest.approx((3 * right + wrong + last) / 5, rel=1e-3)
