"""Undoing a run: byte for byte, or field by field in files edited since."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from geoclass.errors import TaggingError
from geoclass.tagging.formats.edit import Edit
from geoclass.tagging.journal import mark_undone, read_journal
from geoclass.tagging.record import Record
from geoclass.tagging.rewrite import Stamp, rewrite_file, stamp_of, sweep
from geoclass.tagging.tags import read_tags, tag_edits


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What `undo` did with one file."""

    path: Path
    status: str  # "restored" (to the byte), "unchanged" (it is as before), "edited" (see `kept`), or "failed"
    kept: tuple[str, ...] = ()  # fields edited since, which are not reverted
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
