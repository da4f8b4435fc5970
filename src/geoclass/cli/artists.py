"""`geoclass artists`: a local table of artists and their countries."""

from pathlib import Path
from typing import Annotated

import typer

from geoclass.cli.console import Debug, Quiet, session

artists = typer.Typer(
    help="Import and query a local table of artists' countries.", no_args_is_help=True, rich_markup_mode=None
)


@artists.command("import")
def import_(
    dump: Annotated[
        Path, typer.Argument(help="MusicBrainz' JSON dump artist.tar.xz, or the JSON lines in it.", metavar="DUMP")
    ],
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Read MusicBrainz' dump of artists (CC0) into the table that `tag` looks artists up in.

    Get artist.tar.xz from https://metabrainz.org/datasets/download. The old table is replaced once the import is
    complete.

    Example: geoclass artists import artist.tar.xz
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.evidence.artist_table import default_path
        from geoclass.evidence.musicbrainz_dump import import_dump

        with output.progress("importing", unit="bytes") as advance:
            done = import_dump(dump, progress=advance)
        known = f"{done.artists:,} artists, {done.with_country:,} with a country"
        output.say(f"{known}, in {default_path()}")
        if done.unreadable:
            output.warn(f"{done.unreadable:,} lines are not valid JSON and were skipped")


@artists.command()
def show(
    name: Annotated[str, typer.Argument(help="An artist's name in any spelling, or a MusicBrainz identifier.")],
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show an artist's entries in the table.

    Example: geoclass artists show "Ahmet Kaya"
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.errors import UsageError
        from geoclass.evidence.artist_table import ArtistTable
        from geoclass.geo.countries import country_name

        table = ArtistTable.open_default()
        if table is None:
            raise UsageError("there is no table of artists yet", hint="geoclass artists import artist.tar.xz")
        by_mbid = table.by_mbid(name)
        found = (by_mbid,) if by_mbid else table.by_name(name)
        if not found:
            raise UsageError(f"the table of {len(table):,} artists has no {name!r}")
        rows = [
            (
                artist.name,
                f"{artist.country} {country_name(artist.country)}" if artist.country else "unknown",
                artist.note,
                artist.mbid,
            )
            for artist in found
        ]
        if quiet:
            for row in rows:
                output.result("\t".join(row))
        output.table("", ["artist", "country", "note", "MusicBrainz identifier"], rows)
        if len({artist.country for artist in found}) > 1:
            output.say("a name shared by artists of several countries never decides on its own")
