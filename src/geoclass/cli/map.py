"""`geoclass map`: a page about a collection."""

from pathlib import Path
from typing import Annotated

import typer

from geoclass.cli.console import SOME_FAILED, Debug, Quiet, SoundPaths, TagCache, session


def map_(
    paths: SoundPaths,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("library.html"),
    title: Annotated[str, typer.Option(help="Heading of the page; the names of the folders by default.")] = "",
    cache: TagCache = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a page about a collection: a world map, artists by country, genres, decades, missing tags.

    The page is a single file that needs no network. Values written by geoclass are shown, with their probabilities,
    apart from those written by people.

    Example: geoclass map ~/Music --out library.html
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.library.map import draw_map
        from geoclass.text import counted

        with output.progress("reading tags") as advance:
            found = draw_map(paths, out=out, title=title, use_cache=cache, progress=advance)
        known = found.total.files - found.without_country.files
        of_them = f": {counted(len(found.countries), 'country')}" if known else "; `geoclass tag` fills them in"
        output.say(f"{known:,} of {found.total.files:,} files have a country{of_them}")
        output.say(f"written: {out}")
        if found.unreadable:
            output.warn(f"{counted(len(found.unreadable), 'file')} could not be read; the page lists them")
            raise typer.Exit(SOME_FAILED)
