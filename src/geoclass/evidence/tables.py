"""The small tables that ship with the witnesses, read once."""

import csv
import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def load_json(name: str) -> dict[str, Any]:
    """A table of `evidence/data` as JSON."""
    content: dict[str, Any] = json.loads(_text(name))
    return content


@cache
def load_rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a CSV of `evidence/data`."""
    return tuple(csv.DictReader(_text(name).splitlines()))


@cache
def load_lines(name: str) -> tuple[str, ...]:
    """The lines of a text of `evidence/data`, without comments ("#") and blank ones."""
    return tuple(line for line in _text(name).splitlines() if line.strip() and not line.startswith("#"))


def _text(name: str) -> str:
    # pytest and zipped installations alike: never by the path of this file.
    return resources.files("geoclass.evidence").joinpath("data", name).read_text(encoding="utf-8")
