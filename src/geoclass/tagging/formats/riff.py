"""The ID3 chunk of WAV and AIFF files. All other chunks stay as they are.

Sources: Microsoft/IBM Multimedia Programming Interface 1.0 (RIFF); Apple, Audio Interchange File Format 1.3.
"""

from typing import BinaryIO, Literal

from geoclass.tagging.formats import id3
from geoclass.tagging.formats.edit import Edit, Values, compact, read_at

Order = Literal["little", "big"]
_ID3_CHUNKS = (b"ID3 ", b"id3 ")


def edits(file: BinaryIO, changes: Values, *, new_version: int, replacement: bytes | None = None) -> list[Edit]:
    """As `id3.edits`, for a chunk of a RIFF or FORM file; a file without the chunk gets one at its end."""
    size = file.seek(0, 2)
    order, total, found = _find(file, size)
    new_total = total
    if found is None:
        tag = id3.rewrite(replacement or b"", changes, new_version=new_version)
        chunk = bytes((8 + total) & 1) + _chunk(b"ID3 " if order == "big" else b"id3 ", tag, order)
        result = [Edit(8 + total, b"", chunk)]
        new_total += len(chunk)
    else:
        offset, old = found
        tag = id3.rewrite(old[8:] if replacement is None else replacement, changes, new_version=new_version)
        new = _chunk(old[:4], tag, order)
        stored = old + read_at(file, offset + len(old), min(len(old) & 1, size - offset - len(old)))
        # The chunk's header, the tag's header and the rest apart: see id3.splice.
        result = [Edit(offset, stored[:8], new[:8]), *id3.splice(offset + 8, stored[8:], new[8:])]
        new_total += len(new) - len(stored)
    if new_total >= 1 << 32:
        raise ValueError("the file would become larger than its format allows (4 GiB)")
    result.append(Edit(4, _u32(total, order), _u32(new_total, order)))
    return compact(result)


def tag_of(file: BinaryIO) -> bytes:
    """The ID3 tag inside; b"" when there is none."""
    found = _find(file, file.seek(0, 2))[2]
    return found[1][8:] if found else b""


def _find(file: BinaryIO, size: int) -> tuple[Order, int, tuple[int, bytes] | None]:
    """The byte order, the length that the file's header names, and the ID3 chunk with its offset (padding excluded)."""
    head = read_at(file, 0, 12)
    order: Order = "little" if head.startswith(b"RIFF") else "big"
    total = int.from_bytes(head[4:8], order)
    if 8 + total > size:
        raise ValueError(f"the header says {8 + total} bytes, but the file has {size}")
    position = 12
    while position + 8 <= 8 + total:
        header = read_at(file, position, 8)
        length = int.from_bytes(header[4:], order)
        if position + 8 + length > 8 + total:
            raise ValueError(f"the chunk {header[:4]!r} at byte {position} is longer than the file")
        if header[:4] in _ID3_CHUNKS:
            return order, total, (position, header + read_at(file, position + 8, length))
        position += 8 + length + (length & 1)
    return order, total, None


def _chunk(name: bytes, content: bytes, order: Order) -> bytes:
    return name + _u32(len(content), order) + content + bytes(len(content) & 1)


def _u32(value: int, order: Order) -> bytes:
    return value.to_bytes(4, order)
