"""What the commands share: printing, progress, and the mapping from errors to exit codes.

Results go to stdout; progress, warnings and errors to stderr. rich is imported when something is printed.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from geoclass.errors import GeoclassError
from geoclass.progress import Progress
from geoclass.text import printable

DONE, SOME_FAILED, WRONG_USAGE, NOT_DONE, INTERRUPTED = 0, 1, 2, 3, 130

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results and errors only.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Decoding threads; one per core by default.")]
LanguageModel = Annotated[
    str | None,
    typer.Option(
        "--language-model",
        help="Whisper model (folder or hub id) that identifies the sung language, a further witness.",
    ),
]
SoundPaths = Annotated[list[Path], typer.Argument(help="Sound files, and folders of them.", show_default=False)]
TagCache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Read only the tags of files that are new or have changed.")
]


_MAIN_SPEAKS_S = 60.0  # how long other processes let the main one say what has failed
_WIDE = 100  # columns: on a terminal as wide as this, a table may wrap its cells


class Output:
    """Prints for a command. `quiet` silences all but results (`result`) and errors."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def say(self, text: str = "", *, bold: bool = False) -> None:
        """A line for people, on stdout; brackets in it, as in names of files, are no markup."""
        if not self.quiet:
            _console().print(_escape(text), style="bold" if bold else None, highlight=False, soft_wrap=True)

    def result(self, text: str) -> None:
        """A line for programs: plain, never wrapped, never silenced."""
        sys.stdout.write(text + "\n")

    def warn(self, text: str) -> None:
        """A line on stderr."""
        if not self.quiet:
            _console(stderr=True).print(f"[yellow]warning:[/yellow] {_escape(text)}", highlight=False, soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table on stdout; columns of numbers are right-aligned.

        Where the terminal is too narrow for it, each row becomes a few lines, and no path is broken.
        """
        if self.quiet:
            return
        from rich.measure import Measurement
        from rich.table import Table

        table = Table(header_style="bold", box=None)
        for index, name in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
            table.add_column(name, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_escape(_shown(cell)) for cell in row))
        console = _console()
        natural = Measurement.get(console, console.options.update(width=10_000), table).maximum
        if console.width < min(natural, _WIDE):
            self._blocks(title, columns, rows, width=console.width)
        else:
            if title:
                self.say(title, bold=True)
            console.print(table)

    def _blocks(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int) -> None:
        from textwrap import TextWrapper

        wrapper = TextWrapper(
            width, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
        self.say(title, bold=True)
        for first, *others in rows:
            self.say(_shown(first))
            for name, cell in zip(columns[1:], others, strict=True):
                line = f"{name}: {_shown(cell)}" if name else _shown(cell)
                self.say(wrapper.fill(line))

    @contextmanager
    def progress(self, description: str, *, total: int | None = None, unit: str = "files") -> Iterator[Progress]:
        """Show a bar with rate and time left on stderr if that is a terminal. Yields `advance`."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda n=1, *, total=None, note=None: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Bar(*columns, console=_console(stderr=True), transient=True) as bar:
            task = bar.add_task(description, total=total, rate="", note="")

            def advance(n: int = 1, *, total: int | None = None, note: str | None = None) -> None:
                speed = bar.tasks[0].speed
                fields: dict[str, Any] = {"rate": f"{speed:.1f} {unit}/s" if speed else ""}
                if note is not None:
                    fields["note"] = note
                if total is not None:
                    fields["total"] = total
                bar.update(task, advance=n, **fields)

            yield advance


@contextmanager
def session(*, quiet: bool, debug: bool) -> Iterator[Output]:
    """Run a command's body: errors become `error:` and `hint:` lines and an exit code."""
    if not debug:
        _silence_native_code()
    try:
        yield Output(quiet=quiet or not is_main_process())
        sys.stdout.flush()
    except GeoclassError as error:
        if debug:
            raise
        _let_main_process_speak()
        print_error(error.message, hint=error.hint)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        if is_main_process():
            print_error(
                "interrupted", hint="finished work is kept; run the command again to continue (train: with --resume)"
            )
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the flush at exit stays quiet
        raise typer.Exit(DONE) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if debug:
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        _let_main_process_speak()
        print_error(f"{type(error).__name__}: {reason}{where}", hint="run again with --debug to see where")
        raise typer.Exit(NOT_DONE) from None


def _silence_native_code() -> None:
    """Keep stderr for ourselves: MP3 decoding writes notes on damaged frames straight to descriptor 2."""
    try:
        if sys.stderr.fileno() != 2:
            return  # already done, or a test has put something else there
        own = os.dup(2)
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        sys.stderr = os.fdopen(own, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    except (OSError, ValueError, AttributeError):  # no stderr at all
        return


def is_main_process() -> bool:
    """Whether this process prints for all that torchrun has started."""
    return os.environ.get("RANK", "0") == "0"


def _let_main_process_speak() -> None:
    """torchrun kills all processes as soon as one fails: the main one, if it is slower, before it has said why.

    Who is not killed while it waits has failed alone, and speaks for itself.
    """
    if not is_main_process():
        time.sleep(_MAIN_SPEAKS_S)


def print_error(message: str, *, hint: str | None = None) -> None:
    """`error: …` and `hint: …` on stderr."""
    for label, text in (("error", message), ("hint", hint)):
        if text:
            encoding = sys.stderr.encoding or "utf-8"
            sys.stderr.write(f"{label}: {_lines(text)}\n".encode(encoding, "backslashreplace").decode(encoding))


def _console(*, stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr)


def _shown(cell: object) -> str:
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(_lines(text))


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))
