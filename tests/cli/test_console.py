"""What commands print stands there as it was given, whatever the names of files hold."""

import pytest
import typer

from geoclass.cli import console
from geoclass.cli.console import Output
from geoclass.errors import ConfigError

NAMES = ("Song [Remix].mp3", "[live]/a.mp3", "a [/b].html", "[bold]x[/bold]", "[link=http://x]y", "a\\[b]", "plain")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", ["40", "200"])
def test_brackets_are_no_markup(
    name: str, width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    output = Output(quiet=False)
    output.say(f"written: {name}")
    output.say(name, bold=True)
    output.warn(f"{name}: damaged")
    output.table(f"{name}: country", ["candidate", "path"], [(name, f"{name} {'x' * 50}")])
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[:3] == [f"written: {name}", name, f"{name}: country"]
    assert sum(name in line for line in lines[3:]) >= 1
    assert captured.err == f"warning: {name}: damaged\n"


def test_a_name_that_is_not_utf_8_is_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    Output(quiet=False).say("written: caf\udce9.csv")
    assert capsys.readouterr().out == "written: caf\\udce9.csv\n"


def test_quiet_leaves_results_alone(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(quiet=True)
    output.say("a")
    output.warn("b")
    output.table("c", ["d"], [("e",)])
    output.result("f")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("f\n", "")


@pytest.mark.parametrize(("rank", "waits"), [(None, False), ("0", False), ("1", True), ("2", True)])
@pytest.mark.parametrize("error", [ConfigError("no"), ValueError("no")])
def test_other_processes_speak_after_the_main_one_has_had_the_time_to(
    error: Exception,
    rank: str | None,
    waits: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        assert capsys.readouterr().err == ""
        waited.append(seconds)

    monkeypatch.setattr(console.time, "sleep", wait)
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    with pytest.raises(typer.Exit), console.session(quiet=True, debug=False):
        raise error
    assert len(waited) == waits
    assert all(seconds >= 30 for seconds in waited)
    assert capsys.readouterr().err.count("error: ") == 1, "also by one that failed alone"


@pytest.mark.parametrize(("rank", "says"), [("0", 1), ("1", 0)])
def test_an_interruption_is_said_once(
    rank: str, says: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", rank)
    with pytest.raises(typer.Exit), console.session(quiet=True, debug=False):
        raise KeyboardInterrupt
    assert capsys.readouterr().err.count("error: interrupted") == says
