"""The page of `geoclass learn --report`: the scores of a learned model, and labels to check."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from geoclass.evidence.library import CLUE
from geoclass.evidence.opinion import CLUES
from geoclass.learning.verdict import FieldVerdict, Range
from geoclass.learning.witnesses import MIN_ARTISTS, Counsel
from geoclass.reporting.render import Column, Table, write_page_file
from geoclass.storage import write_json

if TYPE_CHECKING:
    from geoclass.learning.learn import Learned

FORMAT = "geoclass/learned"
_MOST = 500  # rows of a table
_AS_USUAL = 0.95  # of the usual weight; what is trusted less is named


def write_page(learned: "Learned", folder: Path) -> Path:
    """Write index.html and learned.json into a folder; returns the page.

    Raises:
        StorageError: The folder cannot be written to.
    """
    write_json(folder / "learned.json", _numbers(learned), format=FORMAT)
    failures = sorted(learned.failures.items())[:_MOST]
    return write_page_file(
        folder / "index.html",
        "library/learned.html",
        title=f"Model {learned.bundle.name}: training report" if learned.bundle else "Training report",
        files=f"{learned.files:,}",
        heard=f"{learned.heard:,}",
        fields=[_field(verdict, learned) for verdict in learned.fields.values()],
        not_learned=sorted(learned.not_learned.items()),
        witnesses=witnesses(learned.witnesses) if learned.witnesses else [],
        failures=Table([Column("file", "path"), Column("reason")], failures),
    )


def summary(verdict: FieldVerdict) -> str:
    """One sentence: coverage and precision."""
    judged = f"{verdict.files:,} files by {verdict.artists:,} artists"
    if verdict.right is None:
        return f"written: none of {judged}; no prediction is probable enough"
    return (
        f"written: {verdict.written:.0%}{between(verdict.written_range)} of {judged}; "
        f"{verdict.right:.0%}{between(verdict.right_range)} of it correct"
    )


def witnesses(counsel: Counsel) -> list[str]:
    """Sentences: how well the witnesses predict the country in the library, and which are weighted less."""
    if counsel.artists < MIN_ARTISTS:
        return [
            f"The default weights are kept: to estimate others, {MIN_ARTISTS} artists with a country are needed, found "
            f"{counsel.artists}."
        ]
    said = [
        f"Title, tags and sound together: {counsel.written:.0%} of {counsel.files:,} files would get a country, for "
        f"artists not used in fitting; {_right(counsel.right)}."
    ]
    if counsel.evidence is None:
        return [*said, "The default weights are kept: no others did better."]
    said.append(f"With the default weights: {counsel.before[0]:.0%}; {_right(counsel.before[1])}.")
    less = {clue: power for clue, power in counsel.evidence.trust.items() if power < _AS_USUAL and clue != CLUE}
    for clue, power in sorted(less.items(), key=lambda pair: pair[1]):
        name = CLUES[clue]
        said.append(f"{name[:1].upper()}{name[1:]}: {power:.1f} times the default weight (misleading in this library).")
    return said


def _right(share: float | None) -> str:
    return "nothing is written" if share is None else f"{share:.0%} of them correct"


def between(found: Range) -> str:
    """ " (85 % to 97 %)"; "" where there is no interval."""
    return "" if found is None else f" ({found[0]:.0%} to {found[1]:.0%})"


def _field(verdict: FieldVerdict, learned: "Learned") -> dict[str, Any]:
    written, unlabelled = learned.would_write[verdict.task]
    text = f"{summary(verdict)}."
    if unlabelled:
        text += f" Of {unlabelled:,} files without a {verdict.task}, {written:,} would get one from sound alone."
    numbers = [Column("files", "number", 0), Column("artists", "number", 0)]
    labels = [(one.label, one.files, one.artists, one.recall, one.precision) for one in verdict.labels]
    left_out = [(one.label, one.files, one.artists) for one in learned.left_out[verdict.task][:_MOST]]
    suspicions = [(one.path, ", ".join(one.label), one.heard, one.probability) for one in verdict.suspicions[:_MOST]]
    return {
        "task": verdict.task,
        "title": verdict.task.capitalize(),
        "summary": text[:1].upper() + text[1:],
        "labels": Table(
            [Column("label"), *numbers, Column("recall", "number share", 2), Column("precision", "number", 2)],
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
        "model": learned.bundle.identity if learned.bundle else None,
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
        "witnesses": None if learned.witnesses is None else _counsel(learned.witnesses),
    }  # fmt: skip


def _counsel(counsel: Counsel) -> dict[str, Any]:
    return {
        "artists": counsel.artists,
        "files": counsel.files,
        "written": counsel.written,
        "right": counsel.right,
        "usual_weights": {"written": counsel.before[0], "right": counsel.before[1]},
        "trust": dict(counsel.evidence.trust) if counsel.evidence else {},
    }
