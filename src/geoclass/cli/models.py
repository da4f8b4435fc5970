"""`geoclass models`: installed models, and networks to train."""

import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from geoclass.cli.console import Debug, Quiet, session

models = typer.Typer(help="List, show and export models.", invoke_without_command=True, rich_markup_mode=None)


@models.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_(quiet=False, debug=False)


@models.command("list")
def list_(quiet: Quiet = False, debug: Debug = False) -> None:
    """List the installed models and the networks that `train` offers.

    Example: geoclass models list
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.bundle.catalogue import installed_bundles, read_description
        from geoclass.models.registry import MODELS

        rows = []
        for name, folder in installed_bundles().items():
            description = read_description(folder)
            labels = ", ".join(f"{len(names)} {task}" for task, names in description["labels"].items())
            rows.append((name, description["architecture"]["name"], labels, str(folder)))
        output.table("models for tag and evaluate", ["name", "network", "labels", "folder"], rows)
        networks = [
            (name, ", ".join(network.front_ends), _first_line(network.__doc__)) for name, network in MODELS.items()
        ]
        output.table("\nnetworks for train", ["name", "input features", "description"], networks)


@models.command()
def show(
    name: Annotated[str, typer.Argument(help="A model or a network.")],
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show a model's card, or a network's arguments.

    Example: geoclass models show attention-cnn
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.config.toml import override
        from geoclass.models.registry import MODELS, model_arguments

        if name in MODELS:
            output.result(f"{name}: {_first_line(MODELS[name].__doc__)}")
            for key, value in model_arguments(name).items():
                if value is not None:  # TOML has no null
                    output.result(f"  --set {shlex.quote(override(f'model.{key}', value))}")
            return
        from geoclass.bundle.catalogue import find_bundle

        output.result((find_bundle(name) / "README.md").read_text(encoding="utf-8"))


@models.command()
def export(
    name: Annotated[str, typer.Argument(help="An installed model, a run or a bundle.")],
    folder: Annotated[Path, typer.Argument(help="Destination folder; must not exist yet.")],
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Copy a model into a new folder, to share it.

    Example: geoclass models export runs/first ./my-model
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.bundle.bundle import Bundle
        from geoclass.bundle.catalogue import find_bundle
        from geoclass.errors import UsageError

        source = find_bundle(name)
        Bundle.load(source)  # raises if the model is damaged
        if folder.exists():
            raise UsageError(f"{folder} exists already", hint="name a new folder")
        shutil.copytree(source, folder)
        output.say(f"exported to {folder}; use it with `geoclass tag --model {folder} …`")


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0] if text else ""
