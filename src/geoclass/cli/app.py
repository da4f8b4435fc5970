"""The `geoclass` command: its sub-commands, and nothing heavy."""

import gc
import os
import sys
import threading
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from geoclass import __version__
from geoclass.cli.artists import artists
from geoclass.cli.build_dataset import build_dataset
from geoclass.cli.cache import cache
from geoclass.cli.doctor import doctor
from geoclass.cli.evaluate import evaluate
from geoclass.cli.explain import explain
from geoclass.cli.inspect import inspect
from geoclass.cli.learn import learn
from geoclass.cli.map import map_
from geoclass.cli.models import models
from geoclass.cli.playlist import playlist
from geoclass.cli.predict import predict
from geoclass.cli.tag import TagCommand, tag
from geoclass.cli.train import train
from geoclass.cli.undo import undo

# What `geoclass --help` lists, in this order. Other groups of commands are Typer applications of their own.
SECTIONS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "From a corpus to tags": {"build-dataset": build_dataset, "train": train, "evaluate": evaluate, "tag": tag},
    "Your music": {
        "learn": learn,
        "undo": undo,
        "map": map_,
        "playlist": playlist,
        "predict": predict,
        "explain": explain,
    },
    "Data sets and models": {"inspect": inspect, "models": models, "artists": artists},
    "Housekeeping": {"cache": cache, "doctor": doctor},
}


class _InSections(TyperGroup):
    """Lists the commands in sections, each with its whole first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=200)) for name in names])


app = typer.Typer(
    name="geoclass",
    cls=_InSections,
    help="Classify recordings of music by country and genre, from their sound and their tags.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: importing rich would take half of the time
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"geoclass {__version__}")
        raise typer.Exit


# Objects made until the interpreter looks for cycles among them. Its own 700 take a sixth of the time to import torch;
# among the hundred thousand tracks of a large corpus it looks in vain for 0.3 s. More objects take more memory.
_OBJECTS, _OBJECTS_OF = 100_000, {"build-dataset": 500_000}


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    gc.set_threshold(_OBJECTS_OF.get(context.invoked_subcommand or "", _OBJECTS))


for _commands in SECTIONS.values():
    for _name, _command in _commands.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name)
        else:
            app.command(_name, cls=TagCommand if _command is tag else None)(_command)


def main() -> None:
    """Entry point of the `geoclass` script and of `python -m geoclass`."""
    try:
        app()
    except SystemExit as end:
        gc.freeze()  # the process ends: looking for cycles among what torch imported would take half a second
        if threading.active_count() > 1:
            _leave_work_behind(end.code)
        raise


def _leave_work_behind(code: object) -> None:
    """Exit at once if threads compute what nobody waits for: the interpreter cannot shut down while they run."""
    from geoclass.parallel.threads import is_work_left

    if is_work_left() and isinstance(code, int):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
