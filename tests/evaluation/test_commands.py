"""`geoclass evaluate` and `geoclass explain` as they are typed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from geoclass.cli.evaluate import evaluate
from geoclass.cli.explain import explain
from geoclass.dataset.dataset import Dataset


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    app.command()(evaluate)
    app.command()(explain)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


def test_evaluate_prints_and_writes(run: Any, small_run: Any, small_dataset: Dataset, tmp_path: Path) -> None:
    result = run(
        "evaluate", small_run.run_dir, "--dataset", small_dataset.folder, "--report", tmp_path, "--bootstrap", 50
    )
    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert f"{written['accuracy']:.3f}" in result.output
    assert "artist-disjoint" in result.output
    assert (tmp_path / "index.html").is_file()


def test_evaluate_compares(run: Any, small_run: Any, small_dataset: Dataset) -> None:
    bundle = small_run.run_dir / "bundle"
    result = run("evaluate", small_run.run_dir, bundle, "--dataset", small_dataset.folder, "--bootstrap", 20)
    assert result.exit_code == 0, result.output
    assert re.search(r"bundle - small\s+accuracy\s+\+0\.000", result.output)


def test_the_leak_report_names_what_is_honest(run: Any, small_run: Any, small_dataset: Dataset) -> None:
    result = run("evaluate", small_run.run_dir, "--dataset", small_dataset.folder, "--bootstrap", 0, "--leak-report")
    assert result.exit_code == 0, result.output
    assert "none of these (honest)" in result.output


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["evaluate", "--dataset", "d", "--library", "l"], 2, "cannot be combined with"),
    (["evaluate", "nothing", "--dataset", "d"], 3, "error: "),
    (["explain"], 2, "either a sound file or --dataset"),
])  # fmt: skip
def test_wrong_usage(run: Any, arguments: list[str], code: int, said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_library_of_untagged_files(run: Any, small_run: Any, music: Path) -> None:
    result = run("evaluate", small_run.run_dir, "--library", music)
    assert result.exit_code == 3
    assert "no file has a tag to compare with" in result.output


def test_explain_a_file(run: Any, small_run: Any, music: Path, tmp_path: Path) -> None:
    song = min(music.rglob("*.mp3"))
    picture, sound = tmp_path / "why.png", tmp_path / "why.wav"
    result = run("explain", song, "--model", small_run.run_dir, "--out", picture, "--top-segments", sound)
    assert result.exit_code == 0, result.output
    assert picture.stat().st_size > 10_000
    assert sound.stat().st_size > 10_000
    assert "contribute most to" in result.output


@pytest.mark.parametrize("arguments", [["evaluate", "--dataset", "{data}"], ["explain", "song.mp3"]])
def test_without_a_model_the_built_in_one_is_asked_or_missed(
    run: Any,
    small_run: Any,
    small_dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.setattr("geoclass.bundle.catalogue.BUILTIN", tmp_path)
    typed = [part.format(data=small_dataset.folder) for part in arguments]
    missed = run(*typed)
    assert missed.exit_code == 3
    assert "no installed model predicts country" in missed.output
    small_run.bundle.save(tmp_path / "house")
    found = run(*typed)
    assert "no installed model" not in found.output
