"""The commands as a user types them: short forms, exit codes, one error and one hint, no traceback."""

import gc
import json
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.dataset.dataset import Dataset
from geoclass.training.run import TrainResult

SMALL = ["--segment-seconds", "3", "--set", "front_end.n_mels=32", "--set", "front_end.n_fft=1024"]


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def commands() -> list[list[str]]:
    from typer.main import get_command

    found = []
    for name, command in get_command(app).commands.items():
        found += [[name, sub] for sub in command.commands] if hasattr(command, "commands") else [[name]]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "--quiet" in out
    assert "--debug" in out
    assert "geoclass" in out, "an example"


def test_the_example_of_every_command_parses() -> None:
    """Below "Example:" of each help stands a line that the command itself accepts."""
    from typer.main import get_command

    for path in commands():
        command: Any = get_command(app)
        for name in path:
            command = command.commands[name]
        lines = [" ".join(line.split()) for line in (command.help or "").splitlines() if "Example: " in line]
        assert lines, f"geoclass {' '.join(path)} has no example"
        for line in lines:
            program, *words = shlex.split(line.partition("Example: ")[2])
            assert [program, *words[: len(path)]] == ["geoclass", *path]
            command.make_context(path[-1], words[len(path) :]).close()


def test_every_command_is_in_the_docs() -> None:
    tool = Path(__file__).parents[2] / "tools" / "write_command_docs.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_and_import_are_light() -> None:
    code = (
        "import sys, geoclass; from geoclass.cli.app import app; from typer.main import get_command; get_command(app);"
        "heavy = {'torch', 'torchaudio', 'librosa', 'pandas', 'numpy', 'matplotlib', 'sklearn', 'mutagen'};"
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("command", "objects"), [("build-dataset", 500_000), ("tag", 100_000)])
def test_cycles_are_rarely_looked_for(command: str, objects: int) -> None:
    before = gc.get_threshold()
    try:
        assert run(command)[0] == 2
        assert gc.get_threshold()[0] == objects
    finally:
        gc.set_threshold(*before)


def test_build_inspect_train_with_short_forms(music: Path, geoclass_home: Path, tmp_path: Path) -> None:
    code, out, err = run("build-dataset", "--folder", music, *SMALL)
    assert code == 0, err
    assert "45 kept" in out
    assert (geoclass_home / "data/datasets/folder-country/dataset.json").exists()

    code, out, err = run("inspect", "--plots", tmp_path / "plots")
    assert code == 0, err
    assert "artist-disjoint" in out
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"counts-country.png", "log-mels.png"}

    code, out, err = run(
        "train", "--epochs", 1, "--device", "cpu", "--model", "attention-cnn", "--set", "model.channels=[8, 8, 8]"
    )
    assert code == 0, err
    assert (geoclass_home / "data/runs/folder-country-attention-cnn-1/bundle/bundle.json").exists()


def test_models_are_listed_shown_and_exported(small_run: TrainResult, tmp_path: Path) -> None:
    code, out, _ = run("models")
    assert code == 0
    assert "attention-cnn" in out
    code, out, _ = run("models", "show", small_run.run_dir)
    assert "# attention-cnn-folder-country" in out
    code, out, _ = run("models", "show", "attention-cnn")
    code, _, err = run("models", "export", small_run.run_dir, tmp_path / "mine")
    assert code == 0, err
    assert (tmp_path / "mine" / "model.safetensors").exists()
    code, _, err = run("models", "export", small_run.run_dir, tmp_path / "mine")
    assert code == 2
    assert "exists already" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (["build-dataset"], 2, "name one corpus", "--fma-root"),
        (
            ["build-dataset", "--folder", "{music}", "--fma-subset", "large"],
            *(2, "--fma-subset does not apply to folder", "it goes with --fma-root"),
        ),
        (["build-dataset", "--uci-root", "{tmp}", "--spotify"], 2, "--spotify does not apply to uci", "--mirage-root"),
        (["train", "{dataset}", "--folds", "-3"], 2, "-3 folds cannot be divided", "--folds 3 or more"),
        (
            ["train", "{dataset}", "--scheduler", "tcp://127.0.0.1:9"],
            2,
            "--scheduler distributes the runs of a sweep",
            "--folds 5",
        ),
        (["train", "{dataset}", "--set", "training.lr=fast"], 2, "expected a number", "training.lr=0.001"),
        (["train", "{dataset}", "--set", "training.lrr=1"], 2, "lrr is not a setting", "did you mean training.lr?"),
        (["build-dataset", "--fma-root", "a", "--folder", "b"], 2, "name one corpus, not fma and folder", ""),
        (["build-dataset", "--fma-root", "{tmp}/nothing"], 3, "nothing", ""),
        (["build-dataset", "--fma-root", "{tmp}"], 3, "", ""),
        (["build-dataset", "--folder", "{tmp}", "--countries", "Atlantis"], 2, "not a known country", "US,GB,FR"),
        (["build-dataset", "--folder", "{tmp}", "--set", "colour=red"], 2, "colour is not a setting", ""),
        (
            ["build-dataset", "--folder", "{music}", "--countries", "TR", "--min-tracks", "99"],
            3,
            "0 country labels left",
            "--min-tracks",
        ),
        (["inspect", "{tmp}"], 3, "no data set", "build-dataset"),
        (["inspect"], 3, "holds none", "build-dataset"),
        (["train", "{tmp}"], 3, "no data set", "build-dataset"),
        (["train", "{dataset}", "--model", "attention-cn"], 3, "no model 'attention-cn'", "'attention-cnn'"),
        (["train", "{dataset}", "--model", "fcnn"], 3, "reads table", ""),
        (["train", "{dataset}", "--set", "model.hiden=3"], 3, "hiden", ""),
        (["train", "{dataset}", "--lr", "-1"], 2, "lr must be positive", ""),
        (["train", "{dataset}", "--task", "genre"], 3, "no genre labels", "it has: country"),
        (["train", "{dataset}", "--device", "abacus"], 3, "unknown device", "auto, cpu"),
        (["train", "{dataset}", "--run-dir", "{run}"], 3, "already holds a run", "--resume"),
        (["train", "{dataset}", "--set", "training.target_precision=2"], 2, "must lie in (0, 1]", ""),
        (["models", "show", "nothing"], 3, "no model nothing", ""),
    ],
)
def test_what_is_wrong_is_said_once_with_a_hint(
    arguments: list[str], code: int, message: str, hint: str,
    tmp_path: Path, music: Path, small_dataset: Dataset, small_run: TrainResult,
) -> None:  # fmt: skip
    places = {"tmp": tmp_path, "music": music, "dataset": small_dataset.folder, "run": small_run.run_dir}
    found, out, err = run(*(argument.format(**places) for argument in arguments))
    assert found == code, (out, err)
    assert message in err
    assert hint in err
    assert err.count("error: ") == 1
    assert "Traceback" not in err + out


def test_a_file_in_the_way_is_one_error(music: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    code, _, err = run("build-dataset", tmp_path / "out", "--folder", music, *SMALL)
    assert code == 3
    assert "is a file, not a folder" in err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_stops_a_build_that_goes_on_later(tmp_path: Path) -> None:
    from synthesize_music import write_corpus

    write_corpus(tmp_path / "music", countries=("TR", "CN"), artists=6, tracks=4, seconds=6)
    # Ctrl-C is pressed while the fourth file is read. (A shell's background job ignores it, and so do its children.)
    pressed_at_the_fourth = """
        import os, signal
        from geoclass.cli.app import main
        from geoclass.dataset import extract as extraction

        extract, begun = extraction.extract, []

        def press(job, **settings):
            begun.append(job)
            if len(begun) == 4:
                os.kill(os.getpid(), signal.SIGINT)
            return extract(job, **settings)

        extraction.extract = press
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    """
    words = ["build-dataset", str(tmp_path / "out"), "--folder", str(tmp_path / "music"), "--workers", "1"]
    broken = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(pressed_at_the_fourth), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    err = broken.stderr
    assert broken.returncode == 130, err
    assert "error: interrupted" in err
    assert "Traceback" not in err
    assert not (tmp_path / "out" / "dataset.json").exists()
    assert run(*words)[0] == 0
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["counts"]["tracks"] == 48
