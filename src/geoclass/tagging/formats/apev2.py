"""APEv2 tags at the end of a file, item by item as raw bytes: WavPack, Monkey's Audio, Musepack and others.

An ID3v1 and a Lyrics3v2 block may follow. Source: wiki.hydrogenaud.io, "APEv2 specification" and "APE Tags Header".
"""

import struct
from typing import BinaryIO

from geoclass.tagging.formats.edit import Edit, Values, compact, read_at

_MAGIC = b"APETAGEX"
_ENDS = struct.Struct("<8sIIII8s")  # magic, version, size (items and footer), number of items, flags, reserved
_HAS_HEADER, _IS_HEADER = 1 << 31, 1 << 29
_VERSION = 2_000
_ID3V1_BYTES = 128
_LYRICS3 = b"LYRICS200"


def edits(file: BinaryIO, changes: Values) -> list[Edit]:
    """Keys: the names of items, which compare without case; a list is one item. A file without a tag gets one."""
    end = end_of_tag(file)
    footer = read_at(file, end - _ENDS.size, _ENDS.size) if end >= _ENDS.size else b""
    added = [_item(key, values) for key, values in changes.items() if values]
    if not footer.startswith(_MAGIC):
        return compact([Edit(end, b"", _tag(added))]) if added else []
    _, version, size, count, flags, reserved = _ENDS.unpack(footer)
    start = end - size
    if size < _ENDS.size or start < 0:
        raise ValueError("the APE tag has an impossible size")
    wanted = {key.casefold() for key in changes}
    items = _items(read_at(file, start, size - _ENDS.size), count)
    result, position = [], start
    for item in items:
        if _key(item) in wanted:
            result.append(Edit(position, item, b""))
        position += len(item)
    size += sum(map(len, added)) - sum(len(edit.old) for edit in result)
    count = len(items) - len(result) + len(added)
    # What follows the items (where their number is too small) still follows them.
    result.append(Edit(position, b"", b"".join(added)))
    result.append(Edit(end - _ENDS.size, footer, _ENDS.pack(_MAGIC, version, size, count, flags, reserved)))
    header = read_at(file, start - _ENDS.size, _ENDS.size) if flags & _HAS_HEADER and start >= _ENDS.size else b""
    if header.startswith(_MAGIC):
        fields = _ENDS.unpack(header)
        result.append(Edit(start - _ENDS.size, header, _ENDS.pack(*fields[:2], size, count, *fields[4:])))
    return compact(result)


def end_of_tag(file: BinaryIO) -> int:
    """Where the tag ends, or would: the end of the file, or where its ID3v1 and Lyrics3v2 blocks begin."""
    size = file.seek(0, 2)
    if size >= _ENDS.size and read_at(file, size - _ENDS.size, len(_MAGIC)) == _MAGIC:
        return size
    if size < _ID3V1_BYTES or read_at(file, size - _ID3V1_BYTES, 3) != b"TAG":
        return size
    end = size - _ID3V1_BYTES
    if end >= 15 and read_at(file, end - 9, 9) == _LYRICS3:
        length = read_at(file, end - 15, 6)
        if not length.isdigit() or int(length) > end - 15:
            raise ValueError("the Lyrics3 block has an impossible size")
        end -= 15 + int(length)
    return end


def _items(data: bytes, count: int) -> list[bytes]:
    """The raw items; fewer than `count` where the tag ends before (some programs count wrong)."""
    items: list[bytes] = []
    position = 0
    while len(items) < count and position < len(data):
        (length,) = struct.unpack_from("<I", data, position)
        key_end = data.index(b"\0", position + 8)
        end = key_end + 1 + length
        if end > len(data):
            raise ValueError("an item of the APE tag is longer than the tag")
        items.append(data[position:end])
        position = end
    return items


def _key(item: bytes) -> str:
    return item[8 : item.index(b"\0", 8)].decode("latin-1").casefold()


def _item(key: str, values: tuple[str, ...]) -> bytes:
    value = "\0".join(values).encode()
    return struct.pack("<II", len(value), 0) + key.encode("ascii") + b"\0" + value


def _tag(items: list[bytes]) -> bytes:
    body = b"".join(items)
    size = len(body) + _ENDS.size
    header, footer = (
        _ENDS.pack(_MAGIC, _VERSION, size, len(items), _HAS_HEADER | flag, bytes(8)) for flag in (_IS_HEADER, 0)
    )
    return header + body + footer
