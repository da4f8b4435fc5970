"""Figures without pyplot: the same drawing as a PNG on white, and as an SVG that follows the page into dark mode.

Figures draw with the colours below. In SVG each becomes a CSS variable, so that one file reads in light, dark and
print. Data colours are from Okabe and Ito (2008), chosen for colour-blind readers; ramps are cividis.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoclass.storage import atomic_path

INK, FAINT, LAND = "#1a1c1e", "#b8bcc0", "#e4e6e8"
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
YELLOW, SKY, GOLD = "#c9a900", "#4a9fd0", "#b87900"
PALETTE = (BLUE, ORANGE, GREEN, PINK, GOLD, SKY, YELLOW)
MARKERS = "os^DvP*X"
RAMP = "cividis"
_VARIABLES = {
    INK: "ink", FAINT: "faint", LAND: "land", BLUE: "blue", ORANGE: "orange", GREEN: "green", PINK: "pink",
    YELLOW: "yellow", SKY: "sky", GOLD: "gold",
}  # fmt: skip
_COLOUR = re.compile("|".join(_VARIABLES))
_ID = re.compile(r'(\bid="|url\(#|href="#)')
_SIZE = re.compile(r' (width|height)="([\d.]+)pt"')
_CSS_PIXELS_PER_POINT = 1.45  # larger than print's 4/3: screens are read from farther away
_STYLE: Any = {  # Any: matplotlib types each key
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "grid.alpha": 0.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "font.size": 9,
}


@dataclass(frozen=True)
class Drawing:
    """A figure as it is embedded in a page."""

    svg: str  # one <svg> element; its identifiers are unique on the page
    width_px: int  # beyond which it is not stretched


def style() -> Any:
    """A context in which figures are made and saved."""
    import matplotlib

    return matplotlib.rc_context(_STYLE)


def new_figure(width: float, height: float) -> Any:
    """An empty figure; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def outline(text: Any) -> None:
    """Put white around letters that lie on colours. For a PNG: in an SVG they would no longer be text."""
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def save_png(figure: Any, path: Path, *, dpi: int = 130) -> Path:
    """Write a figure on white."""
    with atomic_path(path) as temporary, style():
        figure.savefig(temporary, format="png", dpi=dpi, facecolor="white")
    return path


def to_svg(figure: Any, name: str) -> Drawing:
    """A figure for a page, on a transparent background; `name` is unique on the page."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None}, dpi=130)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"font(-family)?: ([^;\"']*px )?'DejaVu Sans'[^;\"]*", _font, svg)
    svg = _COLOUR.sub(lambda found: f"var(--{_VARIABLES[found[0]]})", svg)
    svg = _ID.sub(lambda found: f"{found[0]}{name}-", svg)
    sizes = {found[1]: float(found[2]) for found in _SIZE.finditer(svg, 0, svg.index(">"))}
    svg = _SIZE.sub("", svg, count=2)  # the page decides
    return Drawing(svg, round(sizes["width"] * _CSS_PIXELS_PER_POINT))


def _font(found: "re.Match[str]") -> str:
    size = found[2]
    return f"font: {size}system-ui, sans-serif" if size else "font-family: system-ui, sans-serif"
