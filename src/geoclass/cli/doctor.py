"""`geoclass doctor`: check that this machine has what geoclass needs."""

import typer

from geoclass.cli.console import NOT_DONE, Debug, Quiet, print_error, session


def doctor(quiet: Quiet = False, debug: Debug = False) -> None:
    """Check versions, devices, decoders, models, folders and free space, one line each.

    A short sound is encoded and decoded in each format. Include the output in bug reports. With --quiet, only problems
    are printed. The exit code is 0 if there are no problems, else 3.

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
        output.say("no problems found")
