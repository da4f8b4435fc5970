"""The page of `geoclass map`: what the template is filled with."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from geoclass.geo.countries import country_name
from geoclass.library.survey import EDGES, BySource, Survey
from geoclass.reporting.render import write_page_file
from geoclass.reporting.world_svg import HEIGHT, WIDTH, world_shapes

MARK = b'<meta name="generator" content="geoclass map'
_MOST_GENRES = 30
_MOST_ERRORS = 100

Amounts = dict[str, list[int] | list[float]]  # files, artists, hours -> of everyone, of people, of geoclass


def write_map_page(path: Path, *, title: str, survey: Survey, tree: dict[str, Any]) -> None:
    """Write the page.

    Args:
        path: Where to.
        title: Its heading.
        survey: The numbers.
        tree: What `song_tree` returns.
    """
    amounts = {code: _amounts(found) for code, found in survey.countries.items()}
    listed = sorted(amounts, key=lambda code: (-amounts[code]["files"][0], code))
    names = {code: country_name(code) for code in listed}
    genres = sorted(survey.genres.items(), key=lambda entry: (-entry[1].everyone.files, entry[0]))
    write_page_file(
        path,
        "library/map.html",
        title=title,
        survey=survey,
        shapes=world_shapes(),
        width=WIDTH,
        height=HEIGHT,
        amounts=amounts,
        listed=listed,
        names=names,
        genres=genres[:_MOST_GENRES],
        other_genres=genres[_MOST_GENRES:],
        errors=survey.unreadable[:_MOST_ERRORS],
        groups=list(pairwise(EDGES)),
        data=_json({"amounts": amounts, "names": names, **tree}),
    )


def _amounts(found: BySource) -> Amounts:
    sides = (found.everyone, found.people, found.geoclass)
    return {
        "files": [side.files for side in sides],
        "artists": [len(side.artists) for side in sides],
        "hours": [round(side.hours, 2) for side in sides],
    }


def _json(content: dict[str, Any]) -> str:
    """JSON that cannot end the <script> around it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
