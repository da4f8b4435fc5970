"""Which models are installed: those that come with the package and those in the user's data folder."""

import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from geoclass.bundle.calibration import is_never_sure
from geoclass.errors import BundleError, StorageError
from geoclass.storage import data_dir, read_json

FORMAT = "geoclass/bundle"
WEIGHTS = "model.safetensors"
BUILTIN = Path(__file__).parent / "builtin"
LEARNED = "mine"  # the default name of the model that `learn` makes
LEARNED_FROM = "library"  # key of `training` that tells a learned model from others


def read_description(folder: Path) -> dict[str, Any]:
    """bundle.json, with its format checked, without loading the model; that of an older version with today's keys."""
    try:
        document = read_json(folder / "bundle.json", format=FORMAT)
    except StorageError as error:
        raise BundleError(error.message, hint=error.hint or "get or train the model again") from error
    release = str(document.get("release", ""))
    if "dataset_hash" not in document:  # older bundles kept it under "release"
        is_hash = re.fullmatch("[0-9a-f]{6}|[0-9a-f]{8}", release) is not None
        document |= {"release": "", "dataset_hash": release} if is_hash else {"dataset_hash": ""}
    return document


def find_bundle(name_or_folder: str | Path) -> Path:
    """The folder of a model: a path, a run's path, a name in the user's `models` folder, or a built-in name.

    Raises:
        BundleError: There is none.
    """
    path = Path(name_or_folder)
    for folder in (path, path / "bundle", data_dir() / "models" / path, BUILTIN / path):
        if (folder / "bundle.json").is_file():
            return folder
    names = ", ".join(sorted(installed_bundles())) or "none"
    raise BundleError(f"no model {name_or_folder!s}", hint=f"installed models: {names}; or name a bundle or run folder")


def installed_bundles() -> dict[str, Path]:
    """Built-in models and those in the user's `models` folder, by name."""
    roots = (BUILTIN, data_dir() / "models")
    return {file.parent.name: file.parent for root in roots for file in sorted(root.glob("*/bundle.json"))}


def models_for(fields: Iterable[str], *, unless_mute: Container[str] = ()) -> list[Path]:
    """The models that predict fields when none is named: the one learned from the library, then the built-in ones.

    No two of them predict the same field.

    Args:
        fields: Such as "country".
        unless_mute: Fields that other witnesses speak of, too. For these, models that are never sure are left out: the
            pool would give them no weight.

    Raises:
        BundleError: None of them predicts any of the fields.
    """
    wanted = list(fields)
    chosen: list[Path] = []
    answered: set[str] = set()
    installed = installed_bundles()
    own = [installed[LEARNED]] if LEARNED in installed else []
    for folder in own + [folder for folder in installed.values() if folder.parent == BUILTIN]:
        description = read_description(folder)
        tasks = set(description["labels"])
        useful = {task for task in tasks & set(wanted) if task not in unless_mute or not _is_mute(description, task)}
        if useful and not tasks & answered:
            chosen.append(folder)
            answered |= tasks
    if not chosen and not all(field in unless_mute for field in wanted):
        raise BundleError(
            f"no installed model predicts {' or '.join(wanted)}",
            hint="name one with --model; `geoclass models list` shows them",
        )
    return chosen


def _is_mute(description: Mapping[str, Any], task: str) -> bool:
    return is_never_sure(float(description["calibration"][task]["threshold"]))
