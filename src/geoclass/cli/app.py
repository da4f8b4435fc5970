"""The `geoclass` command: its sub-commands, and nothing heavy."""

import os
import sys
import threading
from typing import Annotated

import typer

from geoclass import __version__
from geoclass.cli.artists import artists
from geoclass.cli.build_dataset import build_dataset
from geoclass.cli.cache import cache
from geoclass.cli.doctor import doctor
from geoclass.cli.evaluate import evaluate
from geoclass.cli.explain import explain
from geoclass.cli.inspect import inspect
from geoclass.cli.map import map_
from geoclass.cli.models import models
from geoclass.cli.playlist import playlist
from geoclass.cli.predict import predict
from geoclass.cli.tag import TagCommand, tag
from geoclass.cli.train import train
from geoclass.cli.undo import undo

app = typer.Typer(
    name="geoclass",
    help="Hear a few seconds of a recording; say which country the music comes from, and its genre.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich would take half of its time
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"geoclass {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


app.command()(build_dataset)
app.command()(inspect)
app.command()(train)
app.command()(evaluate)
app.command()(explain)
app.command(cls=TagCommand)(tag)
app.command()(predict)
app.command()(undo)
app.command("map")(map_)
app.command()(playlist)
app.command()(doctor)
app.add_typer(models, name="models")
app.add_typer(artists, name="artists")
app.add_typer(cache, name="cache")


def main() -> None:
    """Entry point of the `geoclass` script and of `python -m geoclass`."""
    try:
        app()
    except SystemExit as end:
        if threading.active_count() > 1:
            _leave_work_behind(end.code)
        raise


def _leave_work_behind(code: object) -> None:
    """End now if threads compute what nobody waits for: the interpreter could not be taken down around them."""
    from geoclass.parallel.threads import is_work_left

    if is_work_left() and isinstance(code, int):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
