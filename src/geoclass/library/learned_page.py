"""The page of `geoclass learn --report`: what a learned model can do, and which labels to check."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from geoclass.library.verdict import FieldVerdict, Range
from geoclass.reporting.render import Column, Table, write_page_file
from geoclass.storage import write_json

if TYPE_CHECKING:
    from geoclass.library.learn import Learned

FORMAT = "geoclass/learned"
_MOST = 500  # rows of a table


def write_page(learned: "Learned", folder: Path) -> Path:
    """Write index.html and learned.json into a folder; gives back the page.

    Raises:
        StorageError: The folder cannot be written to.
    """
    write_json(folder / "learned.json", _numbers(learned), format=FORMAT)
    failures = sorted(learned.failures.items())[:_MOST]
    return write_page_file(
        folder / "index.html",
        "library/learned.html",
        title=f"What {learned.bundle.name} has learned",
        files=f"{learned.files:,}",
        heard=f"{learned.heard:,}",
        fields=[_field(verdict, learned) for verdict in learned.fields.values()],
        not_learned=sorted(learned.not_learned.items()),
        failures=Table([Column("file", "path"), Column("reason")], failures),
    )


def summary(verdict: FieldVerdict) -> str:
    """One sentence: how much would be written, and how much of it right."""
    right = "nothing" if verdict.right is None else f"{verdict.right:.0%}{between(verdict.right_range)} of it right"
    return (
        f"written: {verdict.written:.0%}{between(verdict.written_range)} of {verdict.files:,} files by "
        f"{verdict.artists:,} artists; {right}"
    )


def between(found: Range) -> str:
    """ " (85 % to 97 %)"; "" where there is no interval."""
    return "" if found is None else f" ({found[0]:.0%} to {found[1]:.0%})"


def _field(verdict: FieldVerdict, learned: "Learned") -> dict[str, Any]:
    written, unlabelled = learned.would_write[verdict.task]
    text = f"{summary(verdict)}."
    if unlabelled:
        text += f" Of {unlabelled:,} files without a {verdict.task}, {written:,} would get one by sound alone."
    numbers = [Column("files", "number", 0), Column("artists", "number", 0)]
    labels = [(one.label, one.files, one.artists, one.recall, one.precision) for one in verdict.labels]
    left_out = [(one.label, one.files, one.artists) for one in learned.left_out[verdict.task][:_MOST]]
    suspicions = [(one.path, ", ".join(one.label), one.heard, one.probability) for one in verdict.suspicions[:_MOST]]
    return {
        "task": verdict.task,
        "title": verdict.task.capitalize(),
        "summary": text[:1].upper() + text[1:],
        "labels": Table(
            [Column("label"), *numbers, Column("found", "number share", 2), Column("right when written", "number", 2)],
            labels,
        ),
        "left_out": Table([Column("label"), *numbers], left_out),
        "suspicions": Table(
            [Column("file", "path"), Column("label"), Column("sounds like"), Column("probability", "number", 2)],
            suspicions,
        ),
    }


def _numbers(learned: "Learned") -> dict[str, Any]:
    return {
        "model": learned.bundle.identity,
        "files": learned.files,
        "heard": learned.heard,
        "failed": len(learned.failures),
        "fields": {
            task: {
                "kind": verdict.kind,
                "files": verdict.files,
                "artists": verdict.artists,
                "accuracy": verdict.accuracy,
                "written": verdict.written,
                "written_range": verdict.written_range,
                "right": verdict.right,
                "right_range": verdict.right_range,
                "unlabelled": learned.would_write[task][1],
                "would_write": learned.would_write[task][0],
                "labels": {
                    one.label: {
                        "files": one.files, "artists": one.artists, "recall": one.recall, "precision": one.precision
                    }
                    for one in verdict.labels
                },
            }
            for task, verdict in learned.fields.items()
        },
        "not_learned": dict(learned.not_learned),
    }  # fmt: skip
