"""WMA: the descriptors of the ASF header, one by one as raw bytes.

Source: Microsoft, Advanced Systems Format Specification 1.20.03, sections 2.2, 3.1 to 3.3 and 3.11.
"""

import struct
import uuid
from typing import BinaryIO

from geoclass.tagging.formats.edit import Edit, Values, compact, growth, read_at

HEADER = uuid.UUID("75B22630-668E-11CF-A6D9-00AA0062CE6C").bytes_le
_FILE_PROPERTIES = uuid.UUID("8CABDCA1-A947-11CF-8EE4-00C00C205365").bytes_le
_DESCRIPTORS = uuid.UUID("D2D0A440-E307-11D2-97F0-00A0C95EA850").bytes_le
_TEXT = 0  # the type of a descriptor that holds UTF-16


def edits(file: BinaryIO, changes: Values) -> list[Edit]:
    """Keys: the names of descriptors, "WM/Genre"."""
    header = read_at(file, 0, 30)
    size, n_objects = struct.unpack_from("<QI", header, 16)
    data = read_at(file, 0, size)
    result: list[Edit] = []
    properties, position = None, 30
    for _ in range(n_objects):
        guid, length = struct.unpack_from("<16sQ", data, position)
        if length < 24 or position + length > size:
            raise ValueError(f"an object of the ASF header at byte {position} has an impossible size")
        if guid == _FILE_PROPERTIES:
            properties = position
        elif guid == _DESCRIPTORS and not result:
            old = data[position : position + length]
            result.append(Edit(position, old, _object(_DESCRIPTORS, _rewrite(old[24:], changes))))
        position += length
    if not result:
        new = _object(_DESCRIPTORS, _rewrite(b"\0\0", changes))
        result.append(Edit(position, b"", new))
        result.append(Edit(24, struct.pack("<I", n_objects), struct.pack("<I", n_objects + 1)))
    delta = growth(result)
    result.append(Edit(16, struct.pack("<Q", size), struct.pack("<Q", size + delta)))
    if properties is not None:  # also names the length of the whole file
        (total,) = struct.unpack_from("<Q", data, properties + 40)
        result.append(Edit(properties + 40, struct.pack("<Q", total), struct.pack("<Q", total + delta)))
    return compact(result)


def _rewrite(content: bytes, changes: Values) -> bytes:
    (count,) = struct.unpack_from("<H", content)
    wanted = {key.casefold() for key in changes}
    kept, position = [], 2
    for _ in range(count):
        (name_length,) = struct.unpack_from("<H", content, position)
        name = content[position + 2 : position + 2 + name_length].decode("utf-16-le", "replace").rstrip("\0")
        (value_length,) = struct.unpack_from("<H", content, position + 4 + name_length)
        end = position + 6 + name_length + value_length
        if end > len(content):
            raise ValueError("a descriptor of the ASF header is longer than the object that holds it")
        if name.casefold() not in wanted:
            kept.append(content[position:end])
        position = end
    kept += [_descriptor(key, value) for key, values in changes.items() for value in values]
    return struct.pack("<H", len(kept)) + b"".join(kept) + content[position:]


def _descriptor(name: str, value: str) -> bytes:
    raw_name, raw_value = ((text + "\0").encode("utf-16-le") for text in (name, value))
    if len(raw_value) > 0xFFFF:
        raise ValueError(f"{name} would become longer than 64 KiB")
    return struct.pack("<H", len(raw_name)) + raw_name + struct.pack("<HH", _TEXT, len(raw_value)) + raw_value


def _object(guid: bytes, content: bytes) -> bytes:
    return guid + struct.pack("<Q", 24 + len(content)) + content
