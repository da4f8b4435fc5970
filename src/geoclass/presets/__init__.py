"""Training settings of the systems that docs/models.md names, one TOML each."""

from importlib import resources

from geoclass.config.settings import RunConfig
from geoclass.config.toml import load_toml
from geoclass.errors import ConfigError


def list_presets() -> list[str]:
    """Names of all presets, sorted."""
    return sorted(
        item.name.removesuffix(".toml") for item in resources.files(__name__).iterdir() if _is_preset(item.name)
    )


def load_preset(name: str) -> RunConfig:
    """The settings of a preset.

    Raises:
        ConfigError: There is no such preset.
    """
    if name not in list_presets():
        raise ConfigError(f"there is no preset {name!r}", hint=f"known: {', '.join(list_presets())}")
    with resources.as_file(resources.files(__name__) / f"{name}.toml") as path:
        return load_toml(RunConfig, path)


def _is_preset(name: str) -> bool:
    return name.endswith(".toml")
