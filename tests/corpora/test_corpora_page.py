"""docs/corpora.md says what the readers and the command do."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from geoclass.cli.app import app
from geoclass.corpora import mirage_tables
from geoclass.corpora.registry import CORPORA

PAGE = (Path(__file__).parents[2] / "docs" / "corpora.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}geoclass (build-dataset .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_parse(command: str) -> None:
    group = typer.main.get_command(app)
    name, *arguments = shlex.split(command)
    build = group.commands[name]  # type: ignore[attr-defined]
    with build.make_context(name, list(arguments)) as context:
        assert [value for key, value in context.params.items() if key.endswith(("_root", "folder")) and value]


def test_no_command_collides_with_another() -> None:
    """Each command builds a data set of its own, so that they can all be run one after the other."""
    group = typer.main.get_command(app)
    targets = []
    for command in COMMANDS:
        name, *arguments = shlex.split(command)
        with group.commands[name].make_context(name, arguments) as context:  # type: ignore[attr-defined]
            given = context.params
        (corpus,) = [key.removesuffix("_root") for key in given if key.endswith(("_root", "folder")) and given[key]]
        task = given["task"] or CORPORA[corpus].tasks[0]
        targets.append(str(given["out"] or f"the default folder {corpus}-{task.replace(',', '-')}"))
    assert sorted(targets) == sorted(set(targets))


@pytest.mark.parametrize("name", CORPORA)
def test_every_corpus_has_a_command(name: str) -> None:
    option = "--folder" if name == "folder" else f"--{name}-root"
    assert any(option in command for command in COMMANDS)


def test_every_accepted_column_of_mirage_is_named() -> None:
    for names in (mirage_tables.NAMES | mirage_tables.STATION | mirage_tables.ARTIST).values():
        assert all(f"`{name}`" in PAGE for name in names)
