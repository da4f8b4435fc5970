"""Plans carried out, and taken back."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from geoclass.errors import TaggingError
from geoclass.parallel.threads import ordered_map
from geoclass.tagging.formats.edit import Edit
from geoclass.tagging.journal import Journal, Record, mark_undone, read_journal
from geoclass.tagging.plan import FilePlan
from geoclass.tagging.rewrite import Stamp, rewrite_file, stamp_of, sweep
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
    """Write what the plan says, as it is made: files are written while later ones are still being decoded.

    Args:
        plan: May be an iterator that computes.
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

        yield from ordered_map(write, _swept(plan), workers=_WRITERS, ahead=2 * _WRITERS)


def _swept(plan: Iterable[FilePlan]) -> Iterator[FilePlan]:
    """The plan, with what a killed run left in a folder removed before the first file there is written."""
    folders: set[Path] = set()
    for file in plan:
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
        found = read_tags(copy).values
    except TaggingError as error:
        raise TaggingError(f"{of}: the tags would not be readable afterwards; nothing was changed") from error
    wrong = [name for name, values in expected.items() if found.get(name, ()) != tuple(values)]
    if wrong:
        raise TaggingError(f"{of}: {', '.join(wrong)} would not read back as written; nothing was changed")


# ---- undo -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What `undo` did with one file."""

    path: Path
    status: str  # "restored" (to the byte), "unchanged" (it is as before), "edited" (see `kept`), or "failed"
    kept: tuple[str, ...] = ()  # fields that somebody edited since: left alone
    reason: str = ""


def undo(journal: Path) -> list[Undone]:
    """Put back what a run changed. See `iter_undo`."""
    return list(iter_undo(journal))


def iter_undo(journal: Path) -> Iterator[Undone]:
    """Put back what a run changed, the last change first.

    A file that is as the run left it becomes, byte for byte, what it was. In one that was edited since, the fields that
    still hold what the run wrote get their old values; the others are left alone and named in `kept`.

    Raises:
        StorageError: The journal cannot be read.
    """
    records = list(read_journal(journal))
    failed = False
    for folder in {record.path.parent for record in records}:
        sweep(folder)
    for record in reversed(records):
        try:
            result = _undo(record)
        except TaggingError as error:
            result = Undone(path=record.path, status="failed", reason=error.message)
        failed = failed or result.status == "failed"
        yield result
    if not failed:
        mark_undone(journal)


def _undo(record: Record) -> Undone:
    path = record.path
    stamp = stamp_of(path)
    edits = _exact(record, path) if stamp.size == record.new_size else None
    if edits is not None:
        _rewrite(path, stamp, lambda _file: edits)
        return Undone(path=path, status="restored")
    found = read_tags(path).values
    ours = {name for name, values in record.after.items() if found.get(name, ()) == tuple(values)}
    old = {name for name, values in record.before.items() if found.get(name, ()) == tuple(values)}
    kept = tuple(name for name in record.after if name not in ours | old)
    if ours - old:
        changes = {name: record.before[name] for name in record.after if name in ours - old}
        _rewrite(path, stamp, partial(tag_edits, path, changes=changes))
    elif not kept:
        return Undone(path=path, status="unchanged")
    return Undone(path=path, status="edited", kept=kept)


def _exact(record: Record, path: Path) -> list[Edit] | None:
    """The edits back to the old bytes; None when the file is not as the run left it."""
    edits = []
    try:
        with open(path, "rb") as file:
            for region in record.regions:
                file.seek(region.offset)
                new = file.read(region.length)
                if hashlib.sha256(new).hexdigest() != region.sha256:
                    return None
                edits.append(Edit(region.offset, new, region.old))
    except OSError as error:
        raise TaggingError(f"{path}: {error.strerror}") from error
    return edits


def _rewrite(path: Path, stamp: Stamp, make_edits: Callable[[BinaryIO], Sequence[Edit]]) -> None:
    rewrite_file(path, make_edits, stamp=stamp, check=lambda _copy: None, before_replace=lambda _edits: None)
