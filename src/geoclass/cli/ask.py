"""`geoclass learn --ask N`: the most informative files, shown to the owner in the terminal to be labelled."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from geoclass.cli.console import Output
from geoclass.errors import DatasetError

if TYPE_CHECKING:
    from geoclass.learning.learn import Learned
    from geoclass.learning.library import Library
    from geoclass.tagging.corrections import Corrections


def ask_owner(library: "Library", n: int, *, fields: Sequence[str], output: Output) -> "Learned | None":
    """Ask for the labels of n files and store them as corrections; returns the model before that, if there is one."""
    from geoclass.learning.learn import choose_questions, learn_library
    from geoclass.tagging.corrections import Corrections

    corrections = Corrections.load()
    before = None
    try:
        before = learn_library(library, fields=fields, name=None, corrections=corrections)
    except DatasetError as error:
        output.say(f"no model yet: {error.message}")
    asked = choose_questions(library, n, fields=fields, corrections=corrections)
    if not asked:
        output.say("every file already has a label")
    for number, question in enumerate(asked, start=1):
        song = library.songs[question.song]
        by = f"{song.artist}: " if song.artist else ""
        output.say(
            f"\n{number} of {len(asked)}: {by}{song.name}  ({song.path}; represents {question.stands_for} files)"
        )
        for field in question.fields:
            if not _ask_field(field, song.path, song.artist, corrections, output):
                return before
    return before


def _ask_field(field: str, path: str, artist: str, corrections: "Corrections", output: Output) -> bool:
    """Ask for one field of one file; False when the owner wants no more questions."""
    from geoclass.cli.prompts import parse_value
    from geoclass.tagging.tags import Tags

    while True:
        text = typer.prompt(f"{field} (empty: skip, q: no more questions)", default="", show_default=False).strip()
        if text.casefold() == "q":
            return False
        values = parse_value(field, text)
        if values is None:
            output.say(f"{text!r} is not a country; type a name or a two-letter code, such as Türkiye or TR")
            continue
        if values:
            names = {"artist": (artist,)} if artist else {}
            corrections.add(field, Path(path).resolve(), Tags(kind="", values=names), values)
            corrections.save()
        return True


def say_gain(before: "Learned | None", after: "Learned", output: Output) -> None:
    """Print what the new labels changed."""
    for task, verdict in after.fields.items():
        old = before.fields.get(task) if before is not None else None
        was = "nothing" if old is None else f"{old.written:.0%}"
        unlabelled = after.would_write[task]
        had = before.would_write[task][0] if before is not None and task in before.would_write else 0
        output.say(
            f"{task}: share of labelled files written: {was} before, {verdict.written:.0%} now; unlabelled files "
            f"written: {had:,} before, {unlabelled[0]:,} now"
        )
