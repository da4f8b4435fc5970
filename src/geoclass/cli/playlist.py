"""`geoclass playlist`: songs of some countries, regions or genres."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from geoclass.cli.console import Debug, Quiet, SoundPaths, TagCache, session

_Names = list[str] | None


def playlist(
    paths: SoundPaths,
    out: Annotated[Path, typer.Option(help="The playlist to write (.m3u8).", show_default=False)],
    country: Annotated[_Names, typer.Option(help="Codes or names, separated by commas: TR,Greece.")] = None,
    region: Annotated[_Names, typer.Option(help='UN regions or subregions: "Western Asia".')] = None,
    genre: Annotated[_Names, typer.Option(help="Genres, separated by commas, in any spelling.")] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Minimum probability of values written by geoclass; values written by people always count.",
        ),
    ] = 0.0,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Random order instead of by artist.")] = False,
    seed: Annotated[int | None, typer.Option(help="Seed of the random order.", show_default=False)] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="Maximum length.", show_default=False)] = None,
    absolute: Annotated[bool, typer.Option("--absolute", help="Absolute paths instead of relative ones.")] = False,
    cache: TagCache = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a playlist of the songs whose tags name a country, region or genre.

    Example: geoclass playlist ~/Music --country TR,GR --genre Folk --hours 2 --out turkish.m3u8
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.library.playlist import MARK, choose, parse_choice, write_playlist
        from geoclass.library.songs import read_collection
        from geoclass.storage import refuse_foreign
        from geoclass.text import counted

        choice = parse_choice(
            countries=_split(country), regions=_split(region), genres=_split(genre), min_confidence=min_confidence
        )
        refuse_foreign(out, mark=MARK)
        with output.progress("reading tags") as advance:
            songs = read_collection(paths, use_cache=cache, progress=advance)
        chosen = choose(songs, choice, shuffle=shuffle, seed=seed, hours=hours)
        write_playlist(out, chosen, absolute=absolute)
        length_h = sum(song.duration_s or 0 for song in chosen) / 3600
        output.say(f"written: {out}, {counted(len(chosen), 'song')}, {length_h:.1f} hours")


def _split(names: Sequence[str] | None) -> list[str]:
    return [part.strip() for name in names or () for part in name.split(",") if part.strip()]
