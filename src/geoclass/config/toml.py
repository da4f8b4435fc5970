"""Configurations to and from plain data: TOML files, JSON documents and `--set KEY=VALUE`."""

import dataclasses
import difflib
import json
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from geoclass.errors import ConfigError
from geoclass.storage import write_text

T = TypeVar("T")
_EXPECTED = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}


class Problem(NamedTuple):
    """One thing that is wrong with a configuration."""

    message: str
    hint: str | None


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

    Args:
        cls: Class of the configuration.
        plain: Its settings, sections as mappings.
        where: Put before each name in messages.

    Raises:
        ConfigError: Unknown keys, wrong types and contradictions, all in one message.
    """
    problems: list[Problem] = []
    config = _build(cls, plain, where, problems)
    if problems:
        hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
        raise ConfigError("; ".join(problem.message for problem in problems), hint="; ".join(hints) or None)
    return typing.cast(T, config)


def with_overrides(config: T, overrides: Sequence[str]) -> T:
    """Apply dotted overrides such as "training.lr=3e-4"; values are TOML, bare words are strings."""
    plain = to_dict(config)
    for override in sorted(overrides, key=_names_no_kind):
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
                raise ConfigError(
                    f"--set {override}: {parent} is a setting, not a section", hint=f"set it by --set {parent}=VALUE"
                )
        if last == "kind":
            target.clear()  # another kind of front end has other settings
        target[last] = parse_value(text)
    return from_dict(type(config), plain)


def _names_no_kind(override: str) -> bool:
    """False comes first: a kind takes away the settings of another kind, not those typed before it."""
    return not override.partition("=")[0].strip().endswith(".kind")


def parse_value(text: str) -> Any:
    """Parse a TOML value; anything else is taken as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def override(key: str, value: Any) -> str:
    """The argument of `--set` that gives a setting a value: "model.hidden=[256,128]". The inverse of `parse_value`."""
    return f"{key}={_inline(value)}"


def _inline(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_inline, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def load_toml(cls: type[T], path: Path) -> T:
    """Read a configuration file.

    Raises:
        ConfigError: Unreadable, not TOML, or with keys that do not exist.
    """
    try:
        plain = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", hint="name a TOML file, such as the config.toml of a run"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error}",
            hint='write one `name = value` per line below its [section], text in quotes: schedule = "cosine"',
        ) from error
    return from_dict(cls, plain, where=f"{path}: ")


def save_toml(config: Any, path: Path) -> None:
    """Write a configuration so that `load_toml` gives it back."""
    import tomli_w

    write_text(path, tomli_w.dumps(to_dict(config)))


def _build(
    cls: Any, plain: Mapping[str, Any], where: str, problems: list[Problem], kinds: Mapping[str, Any] | None = None
) -> Any:
    """An object of `cls`; `kinds` are the classes that could stand in its place."""
    types_of = typing.get_type_hints(cls)
    fields = {item.name: item for item in dataclasses.fields(cls)}
    problems += [_unknown(key, list(fields), where, kinds or {}) for key in plain if key not in fields]
    values = {
        name: _convert(types_of[name], plain[name], f"{where}{name}", problems, default=_default(item))
        for name, item in fields.items()
        if name in plain
    }
    if problems:
        return None
    try:
        return cls(**values)
    except ConfigError as error:
        problems.append(Problem(f"{where}{error.message}", error.hint))
        return None


def _unknown(key: str, names: Sequence[str], where: str, kinds: Mapping[str, Any]) -> Problem:
    close = difflib.get_close_matches(key, names, n=1)
    section = where.rpartition(" ")[2]
    hint = f"did you mean {section}{close[0]}?" if close else f"expected one of {', '.join(sorted(names))}"
    if having := [kind for kind, cls in kinds.items() if key in {item.name for item in dataclasses.fields(cls)}]:
        hint = f"it belongs to another kind: {' or '.join(f'{section}kind={kind}' for kind in having)}"
    return Problem(f"{where}{key} is not a setting", hint)


def _default(item: "dataclasses.Field[Any]") -> Any:
    return None if item.default is dataclasses.MISSING else item.default


def _convert(kind: Any, value: Any, where: str, problems: list[Problem], *, default: Any = None) -> Any:
    """`value` as the type `kind`; what cannot be converted is a problem."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or (origin is Mapping and isinstance(value, Mapping)):
        return value
    if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return _build(kind, value, f"{where}.", problems)
    if origin in (types.UnionType, typing.Union):
        return _convert_union(arguments, value, where, problems, default=default)
    if origin is Literal and value in arguments:
        return value
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_convert(arguments[0], item, where, problems) for item in value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    problems.append(_mismatch(kind, value, where, default))
    return None


def _convert_union(kinds: Sequence[Any], value: Any, where: str, problems: list[Problem], *, default: Any) -> Any:
    """A value that may be None, or a section whose `kind` says which of several classes it is."""
    classes = {
        name: part
        for part in kinds
        if dataclasses.is_dataclass(part)
        for name in typing.get_args(typing.get_type_hints(part)["kind"])
    }
    if not classes:
        (plain_kind,) = (part for part in kinds if part is not type(None))
        return None if value is None else _convert(plain_kind, value, where, problems, default=default)
    if not isinstance(value, Mapping):
        problems.append(
            Problem(f"{where}={value!r}: expected a section", f"name one of its settings, such as {where}.kind")
        )
    elif value.get("kind") not in classes:
        close = difflib.get_close_matches(str(value.get("kind")), list(classes), n=1)
        hint = f"did you mean {close[0]}?" if close else None
        problems.append(
            Problem(f"{where}.kind={value.get('kind')!r}: expected one of {', '.join(sorted(classes))}", hint)
        )
    else:
        return _build(classes[value["kind"]], value, f"{where}.", problems, classes)
    return None


def _mismatch(kind: Any, value: Any, where: str, default: Any) -> Problem:
    choices = typing.get_args(kind) if typing.get_origin(kind) is Literal else ()
    default = [*default] if isinstance(default, tuple) else default
    if choices:
        expected = f"one of {', '.join(map(str, choices))}"
    elif dataclasses.is_dataclass(kind) or typing.get_origin(kind) is Mapping:
        expected = "a section of settings"
    else:
        expected = _EXPECTED.get(kind, f"a list such as {default or ['TR', 'VN']}")
    close = difflib.get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    name = where.rpartition(" ")[2]
    if close:
        hint = f"did you mean {close[0]}?"
    elif default is not None and default != "" and default != []:
        hint = f"the default is {name}={str(default).lower() if isinstance(default, bool) else default}"
    else:
        hint = None
    return Problem(f"{where}={value!r}: expected {expected}", hint)
