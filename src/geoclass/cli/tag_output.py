"""What `geoclass tag` prints: a line per file, or a JSON object per file, and the totals."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from geoclass.cli.console import Output, print_error
from geoclass.text import json_line, printable

if TYPE_CHECKING:
    from geoclass.tagging.file_plan import FieldPlan, FilePlan

_OUTCOMES = ("written", "planned", "written before", "kept", "unsure")
_STATUS_WIDTH, _FIELD_WIDTHS = 10, {"country": 52, "genre": 26}


def follow(
    plan: Iterator["FilePlan"], output: Output, *, n_files: int, as_json: bool, models: Mapping[str, str]
) -> Counter[str]:
    """Print each file as it is done, then the totals.

    Args:
        plan: The files, as they are planned or written.
        output: Where to print.
        n_files: Number of files, counting links to the same file.
        as_json: JSON on stdout and nothing else.
        models: Name of the model that predicts each field.
    """
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    outcomes: Counter[tuple[str, str]] = Counter()
    dissenting: list[FilePlan] = []
    headed = False
    with output.progress("tagging", total=n_files) as advance:
        for file in plan:
            advance()
            counts[file.status] += 1
            outcomes.update((name, _counted_as(file, name)) for name in file.fields if file.status != "failed")
            if file.dissent:
                dissenting.append(file)
            if as_json:
                output.result(_json(file, models))
            elif file.status == "failed":
                reasons[_reason(file)] += 1
                print_error(f"{printable(str(file.path))}: {_reason(file)}", hint=file.hint)
            elif file.status != "unchanged" and not output.quiet:
                if not headed:
                    output.result(_row("file", {name: name for name in file.fields}, "path"))
                    headed = True
                texts = {name: _text(file, name) for name in file.fields}
                note = f"  ({file.reason})" if file.reason else ""
                output.result(printable(_row(file.status, texts, f"{file.path}{note}")))
    if not as_json:
        _totals(output, counts, outcomes, reasons, dissenting, n_linked=n_files - counts.total())
    return counts


def outcome_of(file: "FilePlan", name: str) -> str:
    """The outcome of a field: written, planned, kept or unsure."""
    outcome = file.fields[name].outcome
    return "written" if outcome == "planned" and file.status == "written" else outcome


def _counted_as(file: "FilePlan", name: str) -> str:
    """The outcome, where what an earlier run wrote is not counted as written by this one."""
    return "written before" if file.fields[name].outcome == "written" else outcome_of(file, name)


def _totals(
    output: Output,
    counts: Counter[str],
    outcomes: Counter[tuple[str, str]],
    reasons: Counter[str],
    dissenting: list["FilePlan"],
    *,
    n_linked: int,
) -> None:
    if dissenting:
        disagreements = [(str(file.path), file.dissent) for file in dissenting]
        output.table("\nfiles that disagree with the vote", ["file", "prediction for the file"], disagreements)
    rows = [(status, counts[status]) for status in sorted(counts)]
    if n_linked:
        rows.append(("links to files above", n_linked))
    output.table("", ["status", "files"], rows)
    fields = sorted({name for name, _ in outcomes})
    kinds = [kind for kind in _OUTCOMES if any(outcomes[name, kind] for name in fields)]
    if fields:
        output.table("", ["field", *kinds], [(name, *(outcomes[name, kind] for kind in kinds)) for name in fields])
    if reasons:
        output.table("", ["reason for failure", "files"], reasons.most_common())


def _row(status: str, fields: Mapping[str, str], path: str) -> str:
    cells = [f"{text:<{_FIELD_WIDTHS[name]}}" for name, text in fields.items()]
    return "  ".join([f"{status:<{_STATUS_WIDTH}}", *cells, path])


def _text(file: "FilePlan", name: str) -> str:
    """ "TR 0.97 written: language of the title, sound"; "GR kept"; "unsure, TR 0.62"."""
    plan = file.fields[name]
    outcome = outcome_of(file, name)
    if outcome == "unsure":
        best = f", {plan.candidates[0][0]} {plan.candidates[0][1]:.2f}" if plan.candidates else ""
        return f"unsure{best}"
    sure = "" if plan.probability is None else f" {plan.probability:.2f}"
    reasons = ", ".join(_reasons(plan)) if outcome != "kept" and name == "country" else ""
    return f"{', '.join(plan.value)}{sure} {outcome}" + (f": {reasons}" if reasons else "")


def _reasons(plan: "FieldPlan") -> list[str]:
    from geoclass.evidence.opinion import CLUES

    return list(dict.fromkeys(CLUES[of.clue] for of in plan.evidence if of.speaks_for))


def _reason(file: "FilePlan") -> str:
    """The reason without the path, which is printed beside it."""
    return file.reason.removeprefix(f"{file.target}: ").removeprefix(f"{file.path}: ")


def _json(file: "FilePlan", models: Mapping[str, str]) -> str:
    fields = {name: _field(file, name, models.get(name)) for name in file.fields}
    return json_line({"path": str(file.path), "status": file.status, "error": _reason(file) or None, "fields": fields})


def _field(file: "FilePlan", name: str, model: str | None) -> dict[str, Any]:
    plan = file.fields[name]
    outcome = outcome_of(file, name)
    values: list[str] = list(plan.value) if outcome != "unsure" else []
    document: dict[str, Any] = {"value": values or None}
    if name == "country":
        document = {"value": values[0] if values else None, "name": _country_name(values[0] if values else None)}
    return document | {
        "outcome": outcome,
        "probability": None if plan.probability is None else round(plan.probability, 4),
        "candidates": [[label, round(probability, 4)] for label, probability in plan.candidates],
        "evidence": [] if outcome == "kept" else [reason.as_json() for reason in plan.evidence],
        "model": model,
    }


def _country_name(code: str | None) -> str | None:
    from geoclass.errors import GeoError
    from geoclass.geo.countries import country_name

    try:
        return country_name(code) if code else None
    except GeoError:  # a person wrote something other than a code
        return None
