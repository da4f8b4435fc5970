"""Configurations to and from plain data: TOML files, JSON documents and `--set KEY=VALUE`."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from geoclass.config.settings import raise_all
from geoclass.errors import ConfigError
from geoclass.storage import write_text

T = TypeVar("T")


def to_dict(config: Any) -> dict[str, Any]:
    """Plain JSON-able data of a configuration; options that are None are left out (TOML has no null)."""
    plain: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            value = to_dict(value)
        elif isinstance(value, tuple):
            value = list(value)
        if value is not None:
            plain[item.name] = value
    return plain


def from_dict(cls: type[T], plain: Mapping[str, Any], *, where: str = "") -> T:
    """Build a configuration from plain data.

    Raises:
        ConfigError: Unknown keys, wrong types and contradictions, all in one message.
    """
    problems: list[str] = []
    config = _build(cls, plain, where, problems)
    raise_all(problems)
    return typing.cast(T, config)


def with_overrides(config: T, overrides: Sequence[str]) -> T:
    """Apply dotted overrides such as "training.lr=3e-4"; values are TOML, bare words are strings."""
    plain = to_dict(config)
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise ConfigError(f"--set {override}: expected KEY=VALUE", hint="for example --set training.lr=3e-4")
        target = plain
        *parents, last = key.strip().split(".")
        if parents == ["model"] and last not in ("name", "arguments"):
            parents = ["model", "arguments"]
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise ConfigError(f"--set {override}: {parent} is a value, not a section")
        if last == "kind":
            target.clear()  # another kind of front end has settings of its own
        target[last] = parse_value(text)
    return from_dict(type(config), plain)


def parse_value(text: str) -> Any:
    """A TOML value; what is not one is taken as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def load_toml(cls: type[T], path: Path) -> T:
    """Read a configuration file.

    Raises:
        ConfigError: Unreadable, not TOML, or with keys that do not exist.
    """
    try:
        plain = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return from_dict(cls, plain, where=f"{path}: ")


def save_toml(config: Any, path: Path) -> None:
    """Write a configuration so that `load_toml` gives it back."""
    import tomli_w

    write_text(path, tomli_w.dumps(to_dict(config)))


def _build(cls: Any, plain: Mapping[str, Any], where: str, problems: list[str]) -> Any:
    hints = typing.get_type_hints(cls)
    names = {item.name for item in dataclasses.fields(cls)}
    problems += [
        f"{where}{key} is not a setting (known: {', '.join(sorted(names))})" for key in plain if key not in names
    ]
    values: dict[str, Any] = {}
    for name in names & set(plain):
        values[name] = _convert(hints[name], plain[name], f"{where}{name}", problems)
    if problems:
        return None
    try:
        return cls(**values)
    except ConfigError as error:
        problems.append(f"{where}{error.message}")
        return None


def _convert(hint: Any, value: Any, where: str, problems: list[str]) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or origin is Mapping:
        return value
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return _build(hint, value, f"{where}.", problems)
    if origin in (types.UnionType, typing.Union):
        kinds = {typing.get_type_hints(part).get("kind"): part for part in arguments if dataclasses.is_dataclass(part)}
        if kinds and isinstance(value, Mapping):
            for kind, part in kinds.items():
                if value.get("kind") in typing.get_args(kind):
                    return _build(part, value, f"{where}.", problems)
            known = sorted(choice for kind in kinds for choice in typing.get_args(kind))
            problems.append(f"{where}.kind={value.get('kind')!r} is not one of {', '.join(known)}")
            return None
        plain_types = [part for part in arguments if part is not type(None)]
        return None if value is None else _convert(plain_types[0], value, where, problems)
    if origin is Literal:
        if value not in arguments:
            problems.append(f"{where}={value!r} is not one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        if isinstance(value, list | tuple):
            return tuple(_convert(arguments[0], item, where, problems) for item in value)
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    problems.append(f"{where}={value!r} is not a {getattr(hint, '__name__', hint)}")
    return None
