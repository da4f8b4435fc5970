"""Vorbis comments, as FLAC and Ogg carry them, comment by comment as raw bytes; and the FLAC container.

Sources: xiph.org/vorbis/doc/v-comment.html; RFC 9639 (FLAC), section 8.
"""

import struct
from typing import BinaryIO

from geoclass.tagging.formats.edit import MAX_TAG_BYTES, Edit, Values, compact, read_at
from geoclass.tagging.formats.id3 import tag_at

_VENDOR = b"geoclass"
_PADDING_BLOCK, _COMMENT_BLOCK, _LAST = 1, 4, 0x80


def rewrite(data: bytes, changes: Values) -> bytes:
    """The comment block with other values under the keys of `changes`; what follows the comments stays."""
    vendor, comments, rest = split(data)
    wanted = {key.casefold().encode() for key in changes}
    kept = [comment for comment in comments if comment.partition(b"=")[0].lower() not in wanted]
    kept += [f"{key}={value}".encode() for key, values in changes.items() for value in values]
    parts = [struct.pack("<I", len(vendor)), vendor, struct.pack("<I", len(kept))]
    for comment in kept:
        parts += [struct.pack("<I", len(comment)), comment]
    return b"".join([*parts, rest])


def split(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The vendor string, the raw comments ("KEY=value"), and what follows them."""
    vendor, position = _string(data, 0)
    (count,) = struct.unpack_from("<I", data, position)
    position += 4
    comments = []
    for _ in range(count):
        comment, position = _string(data, position)
        comments.append(comment)
    return vendor, comments, data[position:]


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<I", data, position)
    end = position + 4 + length
    if end > len(data):
        raise ValueError("a Vorbis comment is longer than the block that holds it")
    return data[position + 4 : end], end


def flac_edits(file: BinaryIO, changes: Values) -> list[Edit]:
    """For a FLAC file, with or without an ID3 tag in front. The padding block takes up the change of length."""
    begin = position = len(tag_at(file, 0)) + 4
    comment: tuple[int, bytes] | None = None  # offset, header and content
    padding: tuple[int, bytes] | None = None
    last = first_end = 0
    while not last:
        header = read_at(file, position, 4)
        last, kind, length = header[0] & _LAST, header[0] & 0x7F, int.from_bytes(header[1:], "big")
        if kind == _COMMENT_BLOCK and comment is None:
            comment = (position, header + read_at(file, position + 4, length))
        elif kind == _PADDING_BLOCK and padding is None:
            padding = (position, header + read_at(file, position + 4, length))
        position += 4 + length
        first_end = first_end or position
        if position > file.seek(0, 2) or position > MAX_TAG_BYTES:
            raise ValueError("the FLAC metadata is longer than the file")
    result = []
    if comment is None:
        comment = (first_end, b"")
        new_data = rewrite(struct.pack("<I", len(_VENDOR)) + _VENDOR + bytes(4), changes)
        kind = _COMMENT_BLOCK
        if first_end == position:  # the stream information stands alone, and is marked as the last block
            result.append(Edit(begin, bytes([_LAST]), b"\0"))
            kind |= _LAST
    else:
        new_data, kind = rewrite(comment[1][4:], changes), comment[1][0]
    old, new = comment[1], bytes([kind]) + _length24(new_data) + new_data
    result.append(Edit(comment[0], old, new))
    if padding is not None:
        room = len(padding[1]) - 4 - (len(new) - len(old))
        if room >= 0:
            result.append(Edit(padding[0], padding[1], padding[1][:1] + room.to_bytes(3, "big") + bytes(room)))
    return compact(result)


def _length24(data: bytes) -> bytes:
    if len(data) >= 1 << 24:
        raise ValueError("the comments would become larger than 16 MiB")
    return len(data).to_bytes(3, "big")
