"""DSF, which holds DSD sound: an ID3 tag at the end of the file, to which its first chunk points.

Source: Sony, DSF File Format Specification 1.01, section 3.
"""

import struct
from typing import BinaryIO

from geoclass.tagging.formats import id3
from geoclass.tagging.formats.edit import Edit, Values, compact, growth, read_at

_CHUNK = struct.Struct("<4sQQQ")  # "DSD ", its own size, that of the file, where the tag begins (0: there is none)


def edits(file: BinaryIO, changes: Values, *, new_version: int, replacement: bytes | None = None) -> list[Edit]:
    """As `id3.edits`; a file without a tag gets one at its end."""
    total, pointer = _chunk(file)
    old = tag_of(file)
    new = id3.rewrite(old if replacement is None else replacement, changes, new_version=new_version)
    result = id3.splice(pointer or total, old, new)
    header = read_at(file, 0, _CHUNK.size)
    new_header = _CHUNK.pack(b"DSD ", _CHUNK.size, total + growth(result), pointer or total)
    return compact([Edit(0, header, new_header), *result])


def tag_of(file: BinaryIO) -> bytes:
    """The ID3 tag; b"" when there is none."""
    total, pointer = _chunk(file)
    if not pointer:
        return b""
    tag = id3.tag_at(file, pointer)
    if not tag or pointer + len(tag) > total:
        raise ValueError(f"the header names byte {pointer} as the place of a tag, but there is none")
    return tag


def _chunk(file: BinaryIO) -> tuple[int, int]:
    """The size of the file, and where its tag begins."""
    size = file.seek(0, 2)
    _, length, total, pointer = _CHUNK.unpack(read_at(file, 0, _CHUNK.size))
    if length != _CHUNK.size or total != size or pointer > size:
        raise ValueError(f"the header says {total} bytes, but the file has {size}")
    return total, pointer
