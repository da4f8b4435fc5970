"""The table of a sweep, and the runs behind it, on a small table of numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.dataset.dataset import Dataset
from geoclass.errors import DatasetError, UsageError
from geoclass.training import sweep
from geoclass.training.run import score_split
from geoclass.training.sweep import Trial, TrialResult, expand_grid, plan_sweep, run_sweep, summarize

Make = Callable[..., Any]
COUNTRIES = ("FR", "DE", "JP")
BASE = RunConfig(model=ModelConfig(name="fcnn"), training=TrainingConfig(epochs=1, batch_size=8, lr=0.02))


@pytest.fixture
def dataset(write_dataset: Make, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setattr("geoclass.training.run.plot_curves", lambda *_: None)
    generator = np.random.default_rng(0)
    tracks = [
        {
            "track_id": f"t{number}",
            "path": "",
            "artist_id": f"a{number // 2}",
            "country": COUNTRIES[number // 2 % 3],
            "split": ("train", "train", "valid", "test")[number // 6 % 4],
            "rows": [generator.normal(size=4) + 3 * np.eye(4)[number // 2 % 3]],
        }
        for number in range(48)
    ]
    return write_dataset(tracks, labels={"country": COUNTRIES})


# ---- which runs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], [[]]),
        (["a=1"], [["a=1"]]),
        (["a=1,2"], [["a=1"], ["a=2"]]),
        (["a=[1,2],[3]"], [["a=[1,2]"], ["a=[3]"]]),
        (['a="x,y",z'], [['a="x,y"'], ["a=z"]]),
        (["a=b=c,d"], [["a=b=c"], ["a=d"]]),
        (["a="], [["a="]]),
        (["a"], [["a"]]),
    ],
)
def test_commas_part_values(overrides: list[str], expected: list[list[str]]) -> None:
    assert expand_grid(overrides) == expected


def test_only_what_differs_names_a_trial_and_its_folder(tmp_path: Path) -> None:
    trials = plan_sweep(BASE, ["training.epochs=2", "training.lr=0.1,0.2"], n_folds=0, run_dir=tmp_path)
    assert [(trial.settings, trial.fold, trial.run_dir) for trial in trials] == [
        ("training.lr=0.1", None, tmp_path / "training.lr=0.1"),
        ("training.lr=0.2", None, tmp_path / "training.lr=0.2"),
    ]
    assert [(trial.config.training.epochs, trial.config.training.lr) for trial in trials] == [(2, 0.1), (2, 0.2)]
    assert trials[0].config.model == BASE.model


def test_a_single_setting_has_no_folder_of_its_own(tmp_path: Path) -> None:
    (alone,) = plan_sweep(BASE, ["training.lr=0.1"], n_folds=0, run_dir=tmp_path)
    assert (alone.settings, alone.run_dir, alone.config.training.lr) == ("", tmp_path, 0.1)
    folds = plan_sweep(BASE, [], n_folds=3, run_dir=tmp_path)
    assert [(trial.fold, trial.run_dir.relative_to(tmp_path).as_posix()) for trial in folds] == [
        (0, "fold-1"),
        (1, "fold-2"),
        (2, "fold-3"),
    ]


def test_folders_have_names_that_every_disk_takes(tmp_path: Path) -> None:
    first, _ = plan_sweep(BASE, ["training.schedule='cosine','plateau'"], n_folds=0, run_dir=tmp_path)
    assert first.run_dir.name == "training.schedule=_cosine_"


@pytest.mark.parametrize("n_folds", [-1, 1, 2])
def test_two_sides_and_a_validation_need_three_folds(tmp_path: Path, n_folds: int) -> None:
    with pytest.raises(UsageError):
        plan_sweep(BASE, [], n_folds=n_folds, run_dir=tmp_path)


# ---- the runs ---------------------------------------------------------------------------------------------------


def test_each_fold_is_scored_on_its_test_side_and_a_plain_run_on_the_validation_split(
    dataset: Dataset, tmp_path: Path
) -> None:
    trials = plan_sweep(BASE, [], n_folds=3, run_dir=tmp_path / "folds")
    results = list(run_sweep(dataset, trials, n_folds=3, device="cpu"))
    assert [result.trial for result in results] == trials
    tested = []
    for result in results:
        from geoclass.bundle.bundle import Bundle
        from geoclass.dataset.folds import fold_of_dataset

        assert result.trial.fold is not None
        fold = fold_of_dataset(Dataset.open(dataset.folder), result.trial.fold, n_folds=3)
        tested += fold.split("test").tracks["track_id"].tolist()
        again = score_split(Bundle.load(result.trial.run_dir), fold, "test")
        assert result.scores == pytest.approx(again, rel=1e-5)
    assert sorted(tested) == sorted(dataset.tracks["track_id"])
    (plain,) = run_sweep(dataset, plan_sweep(BASE, [], n_folds=0, run_dir=tmp_path / "one"), n_folds=0, device="cpu")
    assert plain.scores == pytest.approx(score_split(Bundle.load(tmp_path / "one"), dataset, "valid"), rel=1e-5)


def test_what_is_finished_is_not_trained_again(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = plan_sweep(BASE, ["training.lr=0.01,0.02"], n_folds=0, run_dir=tmp_path)
    (before,) = run_sweep(dataset, [first], n_folds=0, device="cpu")
    resumed: list[tuple[str, bool]] = []
    real = sweep.train
    monkeypatch.setattr(
        sweep, "train", lambda *a, **k: (resumed.append((k["run_dir"].name, k["resume"])), real(*a, **k))[1]
    )
    again, _ = run_sweep(dataset, [first, second], n_folds=0, device="cpu")
    assert resumed == [("training.lr=0.01", True), ("training.lr=0.02", False)]
    assert again.scores == before.scores


def test_a_cluster_is_given_the_trials_and_checks_that_it_sees_the_data_set(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = plan_sweep(BASE, ["training.lr=0.01,0.02"], n_folds=0, run_dir=tmp_path)
    asked: list[tuple[str, list[Trial]]] = []

    def cluster_map(work: Callable[[Trial], Any], items: list[Trial], *, scheduler: str, check: Callable[[], None]):
        asked.append((scheduler, list(items)))
        check()
        return map(work, items)

    monkeypatch.setattr(sweep, "cluster_map", cluster_map)
    results = list(run_sweep(dataset, trials, n_folds=0, scheduler="tcp://host:8786"))
    assert asked == [("tcp://host:8786", trials)]
    assert [result.trial for result in results] == trials
    (dataset.folder / "dataset.json").unlink()
    with pytest.raises(DatasetError, match="there is no data set in"):
        list(run_sweep(dataset, trials, n_folds=0, scheduler="tcp://host:8786"))


def test_settings_that_differ_are_named_side_by_side(tmp_path: Path) -> None:
    *_, last = plan_sweep(BASE, ["training.lr=0.1,0.2", "training.epochs=2,3"], n_folds=0, run_dir=tmp_path)
    assert last.settings == "training.lr=0.2 training.epochs=3"


def test_a_worker_that_does_not_see_the_data_set_says_so(tmp_path: Path, dataset: Dataset) -> None:
    sweep._check_folder(dataset.folder)
    with pytest.raises(DatasetError) as error:
        sweep._check_folder(tmp_path / "elsewhere")
    assert error.value.message == f"there is no data set in {tmp_path / 'elsewhere'}"


# ---- the table --------------------------------------------------------------------------------------------------


def test_a_row_per_setting_with_mean_and_spread_the_best_first(tmp_path: Path) -> None:
    def result(settings: str, accuracy: float) -> TrialResult:
        return TrialResult(Trial(settings, None, BASE, tmp_path), {"accuracy": accuracy, "loss": 9.0})

    results = [result("a", 0.25), result("b", 0.5), result("a", 0.75), result("b", 1.0), result("c", 0.5)]
    assert summarize(results, "accuracy") == [("b", 2, 0.75, 0.25), ("a", 2, 0.5, 0.25), ("c", 1, 0.5, 0.0)]
    assert summarize(results, "loss")[0] == ("a", 2, 9.0, 0.0)
