"""Sweeps: every combination, on folds that share no artist, each run in a folder of its own."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.config.settings import RunConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.folds import deal_folds, fold_of_dataset
from geoclass.errors import DatasetError, UsageError
from geoclass.training.sweep import expand_grid, plan_sweep


def test_commas_outside_brackets_make_the_grid() -> None:
    assert expand_grid(["a=1,2", "b=[3,4]", "c='x,y',z"]) == [
        ["a=1", "b=[3,4]", "c='x,y'"],
        ["a=1", "b=[3,4]", "c=z"],
        ["a=2", "b=[3,4]", "c='x,y'"],
        ["a=2", "b=[3,4]", "c=z"],
    ]


def test_each_trial_has_its_settings_and_folder(tmp_path: Path) -> None:
    trials = plan_sweep(RunConfig(), ["training.lr=1e-3,3e-4", "training.epochs=2"], n_folds=3, run_dir=tmp_path)
    assert len({trial.run_dir for trial in trials}) == 6
    assert {trial.config.training.lr for trial in trials} == {1e-3, 3e-4}
    assert trials[0].settings == "training.lr=1e-3"
    assert all(trial.config.training.epochs == 2 for trial in trials)


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 20).map(str), st.sampled_from("AB")), min_size=20, max_size=120).filter(
        lambda pairs: len({group for group, _ in pairs}) >= 4
    )
)
def test_folds_partition_groups_whatever_the_order(pairs: list[tuple[str, str]]) -> None:
    groups, labels = zip(*pairs, strict=True)
    folds = deal_folds(groups, labels, n_folds=4, seed=0)
    assert len({(group, fold) for group, fold in zip(groups, folds, strict=True)}) == len(set(groups))
    backwards = deal_folds(groups[::-1], labels[::-1], n_folds=4, seed=0)
    assert dict(zip(groups, folds, strict=True)) == dict(zip(groups[::-1], backwards, strict=True))


def test_every_track_is_tested_once_and_never_beside_its_artist(small_dataset: Dataset) -> None:
    tested: list[str] = []
    for number in range(5):
        view = fold_of_dataset(small_dataset, number, n_folds=5)
        sides = {name: set(view.split(name).tracks["artist_id"]) for name in ("train", "valid", "test")}
        assert not sides["train"] & sides["test"]
        assert not sides["train"] & sides["valid"]
        tested += view.split("test").tracks["track_id"].tolist()
        rows = view.features[view.split("train").segment_ids].astype(np.float64)
        np.testing.assert_allclose(view.mean, rows.mean(axis=(0, 2)), atol=1e-3)
    assert sorted(tested) == sorted(small_dataset.tracks["track_id"])
    assert small_dataset.split("test").name == "test", "the data set itself is as before"


def test_too_many_folds_are_refused(small_dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match=r"^15 groups of tracks cannot fill 99 folds"):
        fold_of_dataset(small_dataset, 0, n_folds=99)


def test_a_sweep_ends_in_a_table_and_goes_on_where_it_was(small_dataset: Dataset, tmp_path: Path) -> None:
    line = ["train", small_dataset.folder, "--folds", 3, "--epochs", 1, "--model", "attention-cnn", "--device", "cpu"]
    line += ["--set", "training.lr=1e-3,3e-4", "--set", "model.channels=[8,8,8]", "--run-dir", tmp_path]
    result = CliRunner().invoke(app, [str(part) for part in line])
    assert result.exit_code == 0, result.stderr
    assert "6 runs" in result.stdout
    assert (tmp_path / "training.lr=1e-3" / "fold-3" / "bundle" / "bundle.json").exists()
    rows = [
        row.split() for row in result.stdout.splitlines() if row.strip().startswith("training.lr=") and "/" not in row
    ]
    assert [row[1] for row in rows] == ["3", "3"]
    again = CliRunner().invoke(app, [str(part) for part in line])
    assert again.exit_code == 0
    assert again.stdout == result.stdout


@pytest.mark.parametrize("n_folds", [-3, 1, 2])
def test_folds_that_cannot_be_are_refused(n_folds: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{n_folds} folds cannot be divided") as caught:
        plan_sweep(RunConfig(), [], n_folds=n_folds, run_dir=tmp_path)
    assert caught.value.hint == "give --folds 3 or more"
