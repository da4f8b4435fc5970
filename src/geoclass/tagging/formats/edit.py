"""Tag writing as a patch: which bytes of a file are replaced, and nothing else.

The format modules (`id3`, `vorbis`, `ogg`, `mp4`, `riff`, `asf`) turn a change of tags into a list of `Edit`s. All
bytes outside of the edits, the sound above all, are copied as they are, and the same edits read backwards undo the
change to the byte. A format module raises ValueError on what it cannot read; `tags.py` adds the file's name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

Values = Mapping[str, tuple[str, ...]]  # of each field, or of each key of the format; as a change, () removes it

MAX_TAG_BYTES = 64 * 2**20  # larger tags do not exist outside of damaged or hostile files
_CHUNK = 2**16  # bytes; from 2**17 on malloc maps fresh pages for each block, and the kernel clears them


@dataclass(frozen=True)
class Edit:
    """The bytes `old` at `offset` of the old file become `new`."""

    offset: int
    old: bytes
    new: bytes

    def trimmed(self) -> "Edit":
        """The same edit without the bytes that do not change at either end."""
        head = _common_prefix(self.old, self.new)
        old, new = self.old[head:], self.new[head:]
        tail = _common_prefix(old[::-1], new[::-1])
        return Edit(self.offset + head, old[: len(old) - tail], new[: len(new) - tail])


def compact(edits: Iterable[Edit]) -> list[Edit]:
    """In the order of the file, trimmed, without those that change nothing."""
    trimmed = sorted((edit.trimmed() for edit in edits), key=lambda edit: (edit.offset, len(edit.old)))
    kept = [edit for edit in trimmed if edit.old != edit.new]
    for before, after in pairwise(kept):
        if before.offset + len(before.old) > after.offset:
            raise ValueError("two edits overlap")
    return kept


def inverse(edits: Sequence[Edit]) -> list[Edit]:
    """The edits that turn the new file back into the old one."""
    backwards, shift = [], 0
    for edit in edits:
        backwards.append(Edit(edit.offset + shift, edit.new, edit.old))
        shift += len(edit.new) - len(edit.old)
    return backwards


def growth(edits: Iterable[Edit]) -> int:
    """By how many bytes the file grows."""
    return sum(len(edit.new) - len(edit.old) for edit in edits)


def copy_patched(source: BinaryIO, target: BinaryIO, edits: Sequence[Edit], *, size: int) -> None:
    """Write the new file to `target`; `size` is that of `source` in bytes."""
    for (start, stop), edit in _gaps(edits, size):
        source.seek(start)
        for block in _blocks(source, stop - start):
            target.write(block)
        if edit is not None:
            target.write(edit.new)


def is_patched(source: BinaryIO, target: BinaryIO, edits: Sequence[Edit], *, size: int) -> bool:
    """Whether `target` is, byte for byte, `source` with the edits, read again from both files."""
    target.seek(0)
    for (start, stop), edit in _gaps(edits, size):
        source.seek(start)
        for block in _blocks(source, stop - start):
            if target.read(len(block)) != block:
                return False
        if edit is not None and (source.read(len(edit.old)) != edit.old or target.read(len(edit.new)) != edit.new):
            return False
    return not target.read(1)


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Exactly `length` bytes from `offset`; ValueError when they are not there or absurdly many."""
    if length < 0 or length > MAX_TAG_BYTES:
        raise ValueError(f"a tag of {length / 2**20:.0f} MiB at byte {offset} is not plausible")
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise ValueError(f"the file ends inside a tag: expected {length} bytes at byte {offset}")
    return data


def _gaps(edits: Sequence[Edit], size: int) -> Iterator[tuple[tuple[int, int], Edit | None]]:
    """The unchanged ranges of the old file, each with the edit that follows it."""
    start = 0
    for edit in edits:
        yield (start, edit.offset), edit
        start = edit.offset + len(edit.old)
    yield (start, size), None


def _blocks(source: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0:
        block = source.read(min(_CHUNK, length))
        if not block:
            raise ValueError("the file became shorter while it was read")
        length -= len(block)
        yield block


def _common_prefix(left: bytes, right: bytes) -> int:
    """How many leading bytes agree, by bisection (bytes compare at memory speed)."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
