"""`geoclass undo`: revert what a run of `tag` changed."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from geoclass.cli.console import SOME_FAILED, Debug, Quiet, print_error, session
from geoclass.errors import UsageError


def undo(
    journal: Annotated[Path | None, typer.Argument(help="The journal of a run; the last run's by default.")] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Revert what `tag` changed, byte for byte.

    In a file edited since, only fields that still hold what the run wrote are reverted.

    Example: geoclass undo
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.tagging.journal import last_journal
        from geoclass.tagging.lock import only_run
        from geoclass.tagging.undo import iter_undo

        with only_run():
            found = journal or last_journal()
            if found is None:
                raise UsageError("there is no run to undo", hint="name the journal of a run: geoclass undo JOURNAL")
            counts: Counter[str] = Counter()
            with output.progress("undoing") as advance:
                for file in iter_undo(found):
                    advance()
                    counts[file.status] += 1
                    if file.status == "failed":
                        print_error(file.reason)
                    elif file.kept:
                        output.warn(f"{file.path}: edited since the run; kept: {', '.join(file.kept)}")
        output.table("", ["status", "files"], [(status, counts[status]) for status in sorted(counts)])
        if counts["failed"]:
            raise typer.Exit(SOME_FAILED)
