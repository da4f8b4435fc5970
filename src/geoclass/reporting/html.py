"""The pieces of a page in one file: nothing in it is fetched, by a content policy that forbids it."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from geoclass.plotting import save_png, to_svg
from geoclass.storage import write_text

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_CLASSES = {"number": "number", "share": "number share"}


@dataclass(frozen=True)
class Section:
    """A titled part of a page; `name` is its anchor."""

    name: str
    title: str
    body: str


def write_document(path: Path, *, title: str, head: str, sections: Sequence[Section], foot: str) -> Path:
    """Write a page. `head` and `foot` are HTML; `title` is text."""
    links = "".join(f'<li><a href="#{part.name}">{escape(part.title)}</a></li>' for part in sections)
    nav = f'<nav aria-label="sections"><ul>{links}</ul></nav>' if links else ""
    parts = "".join(
        f'<section id="{part.name}" aria-labelledby="{part.name}-title">'
        f'<h2 id="{part.name}-title">{escape(part.title)}</h2>{part.body}</section>\n'
        for part in sections
    )
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{_asset("page.css")}</style>
</head>
<body>
<a class="skip" href="#content">to the content</a>
<header>{head}{nav}</header>
<main id="content">
{parts}</main>
<footer>{foot}</footer>
<script>
{_asset("page.js")}</script>
</body>
</html>
"""
    write_text(path, text)
    return path


def escape(text: object) -> str:
    """Text for HTML; bytes of file names that are no UTF-8 are shown escaped."""
    return html.escape(str(text).encode("utf-8", "backslashreplace").decode(), quote=True)


def tiles(entries: Sequence[tuple[str, str, str]]) -> str:
    """(name, value, small print) as large numbers."""
    parts = (f"<div><dt>{escape(n)}</dt><dd>{escape(v)}<small>{escape(s)}</small></dd></div>" for n, v, s in entries)
    return f'<dl class="tiles">{"".join(parts)}</dl>'


def figure_part(
    figure: Any, folder: Path, *, name: str, description: str, caption: str = "", wide: bool = False
) -> str:
    """Save a figure as `<name>.png` in the folder and return it as HTML."""
    save_png(figure, folder / f"{name}.png")
    svg = to_svg(figure, name, description=description)
    text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    kind = ' class="wide"' if wide else ""
    return f'<figure{kind} tabindex="0">{svg}{text}</figure>'


@dataclass(frozen=True)
class Column:
    """One column of a table: `kind` is "text", "number", "share" (with a bar) or "path"."""

    title: str
    kind: str = "text"
    digits: int = 3


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, label: str, sortable: bool = False, caption: str = ""
) -> str:
    """A table that scrolls sideways where it is too wide; numbers sort as numbers; None is an empty cell."""
    heads = "".join(_head(column, sortable=sortable) for column in columns)
    lines = "".join(
        "<tr>" + "".join(_cell(column, value) for column, value in zip(columns, row, strict=True)) + "</tr>\n"
        for row in rows
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0"><table>{above}'
        f"<thead><tr>{heads}</tr></thead><tbody>\n{lines}</tbody></table></div>"
    )


def _head(column: Column, *, sortable: bool) -> str:
    kind = f' class="{_CLASSES[column.kind]}"' if column.kind in _CLASSES else ""
    inside = f'<button type="button">{escape(column.title)}</button>' if sortable else escape(column.title)
    return f'<th scope="col"{kind}>{inside}</th>'


def _cell(column: Column, value: Any) -> str:
    if column.kind == "path":
        return f'<td class="path">{escape(value)}</td>'
    if column.kind == "text":
        return f"<td>{escape(value)}</td>"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return '<td class="number" data-value=""></td>'
    text = f"{value:,d}" if isinstance(value, int) else f"{value:,.{column.digits}f}"
    bar = f'<span class="barbox" aria-hidden="true"><span class="bar" style="width:{4.2 * value:.2f}em"></span></span>'
    return (
        f'<td class="{_CLASSES[column.kind]}" data-value="{value!r}">{text}{bar if column.kind == "share" else ""}</td>'
    )


def _asset(name: str) -> str:
    return resources.files("geoclass.reporting").joinpath(name).read_text(encoding="utf-8")
