"""`geoclass tag --review`: each file shown, then accepted, skipped or corrected."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from geoclass.cli.console import Output
from geoclass.cli.prompts import parse_value
from geoclass.parallel.threads import closing_source

if TYPE_CHECKING:
    from geoclass.tagging.corrections import Corrections
    from geoclass.tagging.file_plan import FilePlan

_QUESTION = "[a]ccept, [s]kip, [c]orrect, accept a[l]l from here on, [q]uit"
_CHOICES = {"a", "s", "c", "l", "q"}


def review_plan(plan: Iterator["FilePlan"], *, remembered: "Corrections", output: Output) -> Iterator["FilePlan"]:
    """The files of a plan as reviewed by a person; ends early on "quit".

    Corrections are saved at once, and apply to the artist's other files in the same run.
    """
    accept_all = False
    with closing_source(plan) as files:
        for file in files:
            if accept_all or file.status not in ("planned", "abstained"):
                yield file
                continue
            _show(file, output)
            choice = _ask()
            if choice == "q":
                return
            accept_all = choice == "l"
            if choice == "s":
                yield replace(file, status="unchanged", reason="skipped", changes={})
            elif choice == "c":
                yield _correct(file, remembered, output)
            else:
                yield file


def _show(file: "FilePlan", output: Output) -> None:
    rows = []
    for name, plan in file.fields.items():
        there = ", ".join(file.before.get(name, ()))
        proposed = ", ".join(file.changes.get(name, ())) or "-"
        rows.append((name, there or "-", proposed, "; ".join(f"{label} {p:.2f}" for label, p in plan.candidates[:3])))
    title = f"\n{file.path}" + (f"  ({file.reason})" if file.reason else "")
    output.table(title, ["field", "current", "proposed", "candidates"], rows)


def _ask() -> str:
    while True:
        answer: str = typer.prompt(_QUESTION, default="a", show_default=True).strip().lower()[:1]
        if answer in _CHOICES:
            return answer


def _correct(file: "FilePlan", remembered: "Corrections", output: Output) -> "FilePlan":
    """Ask for each field; an empty answer keeps the proposal."""
    from geoclass.tagging.tags import Tags

    tags = Tags(kind="", values=file.before)
    changes, fields = dict(file.changes), dict(file.fields)
    for name, plan in file.fields.items():
        values: tuple[str, ...] | None = None
        while values is None:
            text = typer.prompt(f"{name} (empty: as proposed)", default="", show_default=False).strip()
            values = parse_value(name, text)
            if values is None:
                output.say(f"{text!r} is not a country; type a name or a two-letter code, such as Türkiye or TR")
        if values:
            changes[name] = values
            fields[name] = replace(plan, value=values, probability=None)
            remembered.add(name, file.target, tags, values)
            remembered.save()
    changes = {name: values for name, values in changes.items() if file.before.get(name, ()) != values}
    return replace(file, status="planned" if changes else "unchanged", fields=fields, changes=changes)
