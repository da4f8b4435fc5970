"""Which models are installed: those that come with the package and those in the user's data folder."""

from pathlib import Path
from typing import Any

from geoclass.errors import BundleError, StorageError
from geoclass.storage import data_dir, read_json

FORMAT = "geoclass/bundle"
WEIGHTS = "model.safetensors"
BUILTIN = Path(__file__).parent / "builtin"


def read_description(folder: Path) -> dict[str, Any]:
    """bundle.json, with its format checked, without loading the model."""
    try:
        return read_json(folder / "bundle.json", format=FORMAT)
    except StorageError as error:
        raise BundleError(error.message, hint=error.hint or "get or train the model again") from error


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
