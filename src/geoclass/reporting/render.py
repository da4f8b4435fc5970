"""Pages from Jinja2 templates: one file each, in which everything is inline and nothing is fetched.

Markup is in `templates/` only, where every value is escaped; Python passes numbers, texts and figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from geoclass import __version__
from geoclass.plotting import Drawing, save_png, to_svg
from geoclass.storage import write_text
from geoclass.text import counted


@dataclass(frozen=True)
class Section:
    """A titled part of a page."""

    name: str  # its anchor
    title: str
    template: str  # file in `templates/`


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    kind: str = "text"  # "text", "path", "number" or "number share" (with a bar)
    digits: int = 3

    @property
    def is_number(self) -> bool:
        """Whether the column is right-aligned and sorts by value."""
        return self.kind.startswith("number")


@dataclass(frozen=True)
class Table:
    """What the `table` macro shows."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]  # str in text columns; int, float or None in columns of numbers


@dataclass(frozen=True)
class Figure:
    """What the `figure` macro shows."""

    svg: Markup
    width_px: int


def write_page_file(path: Path, template: str, **content: Any) -> Path:
    """Fill a template and write it to `path`.

    Args:
        path: Of the page.
        template: File in `templates/`.
        content: What the template names; a name that is missing is an error.
    """
    write_text(path, _environment().get_template(template).render(version=__version__, **content))
    return path


def draw(figure: Any, folder: Path, *, name: str) -> Figure:
    """Save a figure as `<name>.png` in the folder, and return it for a page on which `name` is unique."""
    save_png(figure, folder / f"{name}.png")
    drawing: Drawing = to_svg(figure, name)
    return Figure(Markup(drawing.svg), drawing.width_px)  # from matplotlib, which escapes its texts


def number(value: float | None, digits: int = 3) -> str:
    """1234.5 -> "1,234.500"; whole numbers without decimals; "" for what is not defined."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:,d}" if isinstance(value, int) else f"{value:,.{digits}f}"


def sort_key(value: float | None) -> str:
    """A number as the page's script reads it; "" for what is not defined."""
    return "" if value is None or not math.isfinite(value) else repr(value)


def percent(value: float) -> str:
    """0.256 -> "26 %" with a space that does not break, as ISO 80000-1 has it."""
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("geoclass.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "sort_key": sort_key, "percent": percent, "counted": counted, "zip": zip}
    return environment


def _printable(value: Any) -> Any:
    """File names that are not UTF-8 are shown escaped; an encoder would refuse them."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
