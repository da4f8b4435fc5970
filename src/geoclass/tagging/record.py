"""A journal's record of one file: the bytes replaced, and the fields before and after."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoclass.tagging.formats.edit import Edit, growth, inverse


@dataclass(frozen=True, kw_only=True)
class Region:
    """A range of the new file, and the bytes that stood there before."""

    offset: int  # in the new file
    length: int  # of the new bytes
    sha256: str  # of the new bytes
    old: bytes


@dataclass(frozen=True, kw_only=True)
class Record:
    """One file that was about to change."""

    path: Path  # absolute, links resolved
    old_size: int  # bytes
    new_size: int
    regions: tuple[Region, ...]
    before: Mapping[str, tuple[str, ...]]  # the changed fields; () where there was none
    after: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        path: Path,
        edits: Sequence[Edit],
        *,
        size: int,
        before: Mapping[str, tuple[str, ...]],
        after: Mapping[str, tuple[str, ...]],
    ) -> "Record":
        """The record of applying `edits` to a file of `size` bytes."""
        regions = tuple(
            Region(offset=edit.offset, length=len(edit.old), sha256=_sha256(edit.old), old=edit.new)
            for edit in inverse(edits)
        )
        return cls(path=path, old_size=size, new_size=size + growth(edits), regions=regions, before=before, after=after)


def to_line(document: Mapping[str, Any]) -> bytes:
    """A line of a journal."""
    # ASCII only: names that are not UTF-8 survive as escaped surrogates.
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"


def encode(record: Record) -> bytes:
    """The line of a record."""
    regions = [
        [region.offset, region.length, region.sha256, base64.b64encode(zlib.compress(region.old, 1)).decode("ascii")]
        for region in record.regions
    ]
    document = vars(record) | {"path": str(record.path), "regions": regions}
    return to_line(document)


def decode(document: Mapping[str, Any]) -> Record:
    """The record of a parsed line; ValueError, KeyError, TypeError or zlib.error when it is none."""
    regions = tuple(
        Region(offset=offset, length=length, sha256=sha256, old=zlib.decompress(base64.b64decode(old)))
        for offset, length, sha256, old in document["regions"]
    )
    before, after = ({name: tuple(values) for name, values in document[side].items()} for side in ("before", "after"))
    return Record(
        path=Path(document["path"]),
        old_size=document["old_size"],
        new_size=document["new_size"],
        regions=regions,
        before=before,
        after=after,
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
