"""`geoclass doctor`: does this machine have what geoclass needs?"""

import typer

from geoclass.cli.console import NOT_DONE, Debug, Quiet, print_error, session


def doctor(quiet: Quiet = False, debug: Debug = False) -> None:
    """Check versions, devices, decoders, models, folders and free space, one line each.

    A tiny sound of each format is made and read. Bug reports begin with what this prints. With --quiet, only problems
    are printed. The exit code is 0 when all is well, else 3.

    Example: geoclass doctor
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.doctor import examine

        wrong = 0
        for check in examine():
            if not check.is_fine:
                wrong += 1
                print_error(f"{check.name}: {check.says}", hint=check.hint)
            elif not quiet:
                output.result(f"ok     {check.name}: {check.says}")
        if wrong:
            raise typer.Exit(NOT_DONE)
        output.say("all is well")
