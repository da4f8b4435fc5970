"""Tag writing as a patch: which bytes of a file are replaced, and nothing else.

The format modules (`id3`, `vorbis`, `ogg`, `mp4`, `riff`, `asf`) turn a change of tags into a list of `Edit`s. All
bytes outside of the edits, the sound above all, are copied as they are, and the same edits read backwards undo the
change to the byte. A format module raises ValueError on what it cannot read; `tags.py` adds the file's name.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import pairwise
from typing import BinaryIO

Values = Mapping[str, tuple[str, ...]]  # of each field, or of each key of the format; as a change, () removes it

MAX_TAG_BYTES = 64 * 2**20  # larger tags do not exist outside of damaged or hostile files
_CHUNK = 2**16  # bytes; from 2**17 on malloc maps fresh pages for each block, and the kernel clears them
_COMPARED = 2**18  # bytes of either file, into the same memory again: other threads run at each call


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
        done = _copy_in_kernel(source, target, start, stop - start) if stop - start > _CHUNK else 0
        source.seek(start + done)
        for block in _blocks(source, stop - start - done):
            target.write(block)
        if edit is not None:
            target.write(edit.new)


def is_patched(source: BufferedIOBase, target: BufferedIOBase, edits: Sequence[Edit], *, size: int) -> bool:
    """Whether `target` is, byte for byte, `source` with the edits, read again from both files."""
    target.seek(0)
    room = bytearray(_COMPARED), bytearray(_COMPARED)
    for (start, stop), edit in _gaps(edits, size):
        source.seek(start)
        if not _is_same(source, target, stop - start, room=room):
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


def _copy_in_kernel(source: BinaryIO, target: BinaryIO, start: int, length: int) -> int:
    """Append bytes of `source` without fetching them; how many the system managed, as 0 where it has no such call.

    What fails here fails again, and is reported, when the rest is read and written.
    """
    done = 0
    try:
        target.flush()
        end = target.tell()
        while done < length:
            n_bytes = os.copy_file_range(source.fileno(), target.fileno(), length - done, start + done, end + done)
            if not n_bytes:
                break
            done += n_bytes
    except (AttributeError, OSError):  # not Linux; no real file, another file system, one that cannot, …
        pass
    if done:
        target.seek(end + done)
    return done


def _is_same(left: BufferedIOBase, right: BufferedIOBase, length: int, *, room: tuple[bytearray, bytearray]) -> bool:
    """Whether the next `length` bytes of two files are there and equal; `room` is overwritten."""
    while length > 0:
        if length < len(room[0]):
            room = bytearray(length), bytearray(length)
        n_bytes = len(room[0])
        if left.readinto(room[0]) != n_bytes or right.readinto(room[1]) != n_bytes or room[0] != room[1]:
            return False
        length -= n_bytes
    return True


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
