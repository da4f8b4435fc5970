"""What `geoclass --help` lists, completion in three shells, and a terminal of 60 columns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from geoclass.cli.app import SECTIONS, app
from geoclass.cli.console import Output


def run(*arguments: str, columns: int = 80, **environment: str) -> str:
    line = [sys.executable, "-m", "geoclass", *arguments]
    own = os.environ | {"COLUMNS": str(columns), "NO_COLOR": "1"} | environment
    return subprocess.run(line, capture_output=True, text=True, check=False, env=own).stdout


def test_every_command_stands_in_one_section_the_main_line_first() -> None:
    listed = [name for names in SECTIONS.values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(get_command(app).commands)
    assert listed[:4] == ["build-dataset", "train", "evaluate", "tag"]
    out = CliRunner().invoke(app, ["--help"]).stdout
    places = [out.index(f"\n{title}:\n") for title in SECTIONS]
    assert places == sorted(places)
    assert all(f"\n  {name} " in out for name in listed)


@pytest.mark.parametrize(
    ("shell", "words", "expected"),
    [
        ("bash", {"COMP_WORDS": "geoclass pl", "COMP_CWORD": "1"}, "playlist"),
        ("bash", {"COMP_WORDS": "geoclass map --ti", "COMP_CWORD": "2"}, "--title"),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "geoclass models ex"}, "export"),
        ("fish", {"_TYPER_COMPLETE_ARGS": "geoclass do", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}, "doctor"),
    ],
)
def test_shells_complete_commands_and_options(shell: str, words: dict[str, str], expected: str) -> None:
    script = Path(sys.executable).with_name("geoclass")
    if not script.exists():
        pytest.skip("the package is not installed with its script")
    environment = os.environ | words | {"_GEOCLASS_COMPLETE": f"complete_{shell}"}
    done = subprocess.run([script], capture_output=True, text=True, check=False, env=environment)
    assert expected in done.stdout, done.stderr


def test_at_60_columns_nothing_is_cut_into_ribbons() -> None:
    wide, narrow = run("models", "list", columns=300), run("models", "list", columns=60)
    for word in set(wide.split()) - {"name"}:  # the heading of the first column goes
        assert word in narrow, "no word and no path is broken"
    assert max(len(line) for line in narrow.splitlines() if "/" not in line) <= 60
    for command in SECTIONS["Your music"]:
        assert max(map(len, run(command, "--help", columns=60).splitlines())) <= 60


def test_a_table_that_fits_stays_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    Output(quiet=False).table("things", ["name", "n"], [("a", 1), ("b", 22)])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["things"], ["name", "n"], ["a", "1"], ["b", "22"]
    ]  # fmt: skip
    long = "x" * 50
    Output(quiet=False).table("things", ["name", "path", ""], [("[a]", f"/{long}/{long}", 0.5)])
    assert capsys.readouterr().out.splitlines() == ["things", "[a]", "  path:", f"    /{long}/{long}", "  0.500"]
