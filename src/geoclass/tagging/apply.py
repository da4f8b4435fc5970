"""Carries out plans."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from geoclass.errors import TaggingError
from geoclass.parallel.threads import closing_source, ordered_map
from geoclass.tagging.file_plan import FilePlan
from geoclass.tagging.formats.edit import Edit
from geoclass.tagging.journal import Journal
from geoclass.tagging.plan import Plan
from geoclass.tagging.record import Record
from geoclass.tagging.rewrite import rewrite_file, sweep
from geoclass.tagging.tags import read_tags, tag_edits

_WRITERS = 2  # threads: one waits for the disk while the other copies


def apply_plan(
    plan: Iterable[FilePlan], *, journal: Path, id3_version: int | None = None, touch: bool = False
) -> list[FilePlan]:
    """Write what the plan says; what each file became, in the plan's order. See `iter_apply`."""
    return list(iter_apply(plan, journal=journal, id3_version=id3_version, touch=touch))


def iter_apply(
    plan: Iterable[FilePlan], *, journal: Path, id3_version: int | None = None, touch: bool = False
) -> Iterator[FilePlan]:
    """Carry out a plan as it is made: files are written while later ones are still being decoded.

    Args:
        plan: May be an iterator that computes; it is closed when the run ends, however it ends.
        journal: Where to note what was there before; must not exist.
        id3_version: 3 or 4, of the ID3 tags that are written; None keeps what a file has.
        touch: Give changed files a new modification time.

    Yields:
        The plan of each file with status "written" or "failed" where it was "planned", in order.

    Raises:
        StorageError: The journal cannot be written; the run ends, and nothing goes unrecorded.
    """
    with Journal(journal) as open_journal:

        def write(file: FilePlan) -> FilePlan:
            if file.status != "planned":
                return file
            try:
                return _write(file, open_journal, id3_version=id3_version, touch=touch)
            except TaggingError as error:
                return replace(file, status="failed", reason=error.message, hint=error.hint)

        try:
            yield from ordered_map(write, _swept(plan), workers=_WRITERS, ahead=2 * _WRITERS)
        finally:
            if isinstance(plan, Plan):  # a `Plan` could be continued, but nobody waits for the rest of a run that ended
                plan.close()


def _swept(plan: Iterable[FilePlan]) -> Iterator[FilePlan]:
    """The plan, with what a killed run left in a folder removed before the first file there is written."""
    folders: set[Path] = set()
    with closing_source(plan) as files:
        for file in files:
            if file.target.parent not in folders:
                folders.add(file.target.parent)
                sweep(file.target.parent)
            yield file


def _write(file: FilePlan, journal: Journal, *, id3_version: int | None, touch: bool) -> FilePlan:
    if file.stamp is None:
        raise TaggingError(f"{file.path}: planned without a stamp")

    def note(edits: Sequence[Edit]) -> None:
        before = {name: file.before.get(name, ()) for name in file.changes}
        size = file.stamp.size if file.stamp else 0
        journal.add(Record.of(file.target, edits, size=size, before=before, after=file.changes))

    changed = rewrite_file(
        file.target,
        partial(tag_edits, file.target, changes=file.changes, id3_version=id3_version),
        stamp=file.stamp,
        check=partial(_check, of=file.target, expected=file.changes),
        before_replace=note,
        touch=touch,
    )
    return replace(file, status="written" if changed else "unchanged")


def _check(copy: Path, *, of: Path, expected: Mapping[str, tuple[str, ...]]) -> None:
    """mutagen must read in the copy what was to be written.

    Raises:
        TaggingError: It reads something else, or nothing.
    """
    try:
        found = read_tags(copy, suffix=of.suffix).values
    except TaggingError as error:
        raise TaggingError(f"{of}: the tags would not be readable afterwards; nothing was changed") from error
    wrong = [name for name, values in expected.items() if found.get(name, ()) != tuple(values)]
    if wrong:
        raise TaggingError(f"{of}: {', '.join(wrong)} could not be read back as written; nothing was changed")
