"""The `geoclass` command: its sub-commands, and nothing heavy."""

from typing import Annotated

import typer

from geoclass import __version__

app = typer.Typer(
    name="geoclass",
    help="Hear a few seconds of a recording; say which country the music comes from, and its genre.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
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


def main() -> None:
    """Entry point of the `geoclass` script and of `python -m geoclass`."""
    app()
