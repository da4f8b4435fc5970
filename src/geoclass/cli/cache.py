"""`geoclass cache`: the cache of audio features, which saves decoding files again."""

import typer

from geoclass.cli.console import Debug, Quiet, session

cache = typer.Typer(
    help="Show or clear the cache of audio features.", invoke_without_command=True, rich_markup_mode=None
)


@cache.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        info(quiet=False, debug=False)


@cache.command()
def info(quiet: Quiet = False, debug: Debug = False) -> None:
    """Show the location and size of the cache.

    Example: geoclass cache info
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.inference.heard import HeardCache

        with HeardCache() as heard:
            found = heard.info()
        output.result(f"folder:   {found.path.parent}")
        output.result(f"sounds:   {found.sounds:,} ({found.entries:,} sets of features)")
        output.result(f"size:     {found.n_bytes / 1e6:,.1f} MB of at most {found.max_bytes / 1e6:,.0f} MB")


@cache.command()
def clear(quiet: Quiet = False, debug: Debug = False) -> None:
    """Delete the cached features; the next run decodes its files again.

    Example: geoclass cache clear
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.inference.heard import HeardCache

        with HeardCache() as heard:
            count = heard.clear()
        output.say(f"{count:,} sets of features removed")
