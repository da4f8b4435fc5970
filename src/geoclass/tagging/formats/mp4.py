"""MP4 and M4A: the list of items in moov.udta.meta.ilst, item by item as raw atoms.

Free space inside `meta` or behind `moov` takes up the change of length; only where there is none does the sound move,
and then the tables of chunk offsets move with it. Sources: ISO/IEC 14496-12; Apple, QuickTime File Format, "Metadata".
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from geoclass.tagging.formats.edit import Edit, Values, compact, read_at

_FREEFORM = "----"
_UTF8 = 1  # the type of a data atom that holds text
_ROOM = 1_024  # bytes of free space to add where the file must grow
_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")  # the way to the chunk offsets
_META = b"\0\0\0\0" + struct.pack(">I4s", 33, b"hdlr") + bytes(8) + b"mdirappl" + bytes(9)


class _Atom(NamedTuple):
    name: bytes
    offset: int  # of its header
    header: int  # bytes
    size: int  # header included

    @property
    def end(self) -> int:
        return self.offset + self.size


@dataclass(frozen=True)
class _Free:
    """Space that may shrink: `raw` is a free atom."""

    raw: bytes

    def resized(self, delta: int) -> bytes | None:
        size = len(self.raw) - delta
        return struct.pack(">I4s", size, b"free") + bytes(size - 8) if size >= 8 else (b"" if size == 0 else None)


def edits(file: BinaryIO, changes: Values) -> list[Edit]:
    """Keys: "\N{COPYRIGHT SIGN}gen" and the like, or "----:mean:name" for free-form items."""
    size = file.seek(0, 2)
    top = list(_top_level(file, size))
    found = [atom for atom in top if atom.name == b"moov"]
    if len(found) != 1:
        raise ValueError(f"{len(found)} moov atoms instead of one")
    moov = found[0]
    old = read_at(file, moov.offset, moov.size)
    new = _edit_moov(old, changes)
    after = next((atom for atom in top if atom.offset == moov.end), None)
    delta = len(new) - len(old)
    if delta and after and after.name in (b"free", b"skip"):
        free = read_at(file, after.offset, after.size)
        resized = _Free(free).resized(delta)
        if resized is not None:
            return compact([Edit(moov.offset, old, new), Edit(after.offset, free, resized)])
    if delta and any(atom.offset > moov.offset for atom in top if atom.name in (b"mdat", b"moof")):
        if any(atom.name == b"moof" for atom in top):
            raise ValueError("a fragmented MP4 without free space: its tags cannot grow")
        new = _shift_offsets(new, moov.end, delta)
    return compact([Edit(moov.offset, old, new)])


def _top_level(file: BinaryIO, size: int) -> Iterator[_Atom]:
    position = 0
    while position + 8 <= size:
        header = read_at(file, position, 8)
        length, header_length = int.from_bytes(header[:4], "big"), 8
        if length == 1:
            length, header_length = int.from_bytes(read_at(file, position + 8, 8), "big"), 16
        elif length == 0:
            length = size - position
        if length < header_length or position + length > size:
            raise ValueError(f"the atom {header[4:]!r} at byte {position} has an impossible size")
        yield _Atom(header[4:], position, header_length, length)
        position += length


def _children(data: bytes, start: int, stop: int) -> list[_Atom]:
    """The atoms in data[start:stop]; a few odd bytes behind the last are allowed (QuickTime ends udta with zeros)."""
    atoms, position = [], start
    while position + 8 <= stop:
        length, name = struct.unpack_from(">I4s", data, position)
        header = 8
        if length == 1 and position + 16 <= stop:
            (length,) = struct.unpack_from(">Q", data, position + 8)
            header = 16
        if length < header or position + length > stop:
            if length == 0 and not data[position:stop].strip(b"\0"):
                break
            raise ValueError(f"the atom {name!r} has an impossible size")
        atoms.append(_Atom(name, position, header, length))
        position += length
    return atoms


def _header_length(atom: bytes) -> int:
    """Of a whole atom: 16 bytes where the size takes 64 bits."""
    return 16 if atom[:4] == b"\0\0\0\1" else 8


def _children_start(atom: bytes) -> int:
    """Where the children of a whole atom begin: `meta` has a version in front in MP4, none in QuickTime."""
    start = _header_length(atom)
    return start + 4 if atom[4:8] == b"meta" and atom[start + 4 : start + 8] != b"hdlr" else start


def _edit_moov(moov: bytes, changes: Values) -> bytes:
    """`moov` with another ilst; as long as before if `meta` has free space."""
    return _descend(moov, [b"udta", b"meta"], changes)


def _descend(atom: bytes, path: list[bytes], changes: Values) -> bytes:
    """Replace the child that `path` names, adding it when it is not there."""
    start = _children_start(atom)
    if not path:
        return _edit_meta(atom, start, changes)
    for child in _children(atom, start, len(atom)):
        if child.name == path[0] and (child.name != b"meta" or _is_itunes(atom[child.offset : child.end])):
            new = _descend(atom[child.offset : child.end], path[1:], changes)
            return _like(atom, atom[_header_length(atom) : child.offset] + new + atom[child.end :])
    content = _META if path[0] == b"meta" else b""
    new = _descend(_atom(path[0], content), path[1:], changes)
    end = len(atom)
    if atom[4:8] == b"udta" and atom.endswith(bytes(4)) and _ends_with_zeros(atom, start):
        end -= 4  # the zeros that end a QuickTime list stay at its end
    return _like(atom, atom[_header_length(atom) : end] + new + atom[end:])


def _is_itunes(meta: bytes) -> bool:
    start = _children_start(meta)
    names = [child.name for child in _children(meta, start, len(meta))]
    return b"ilst" in names or b"mdir" in meta[start : start + 24]


def _ends_with_zeros(atom: bytes, start: int) -> bool:
    atoms = _children(atom, start, len(atom))
    return len(atom) - (atoms[-1].end if atoms else start) == 4


def _edit_meta(meta: bytes, start: int, changes: Values) -> bytes:
    content = _header_length(meta)
    children = _children(meta, start, len(meta))
    lists = [child for child in children if child.name == b"ilst"]
    ilst = lists[0] if lists else None
    old = meta[ilst.offset : ilst.end] if ilst else _atom(b"ilst", b"")
    new = _edit_list(old, changes)
    delta = len(new) - (ilst.size if ilst else 0)
    if ilst is None:
        return _like(meta, meta[content:] + new + _atom(b"free", bytes(_ROOM)))
    free = next((child for child in children if child.name == b"free" and child.offset == ilst.end), None)
    if free is not None:
        resized = _Free(meta[free.offset : free.end]).resized(delta)
        if resized is not None:
            return _like(meta, meta[content : ilst.offset] + new + resized + meta[free.end :])
    room = _atom(b"free", bytes(_ROOM)) if delta > 0 else b""
    return _like(meta, meta[content : ilst.offset] + new + room + meta[ilst.end :])


def _edit_list(ilst: bytes, changes: Values) -> bytes:
    wanted = {key.casefold() for key in changes}
    items = [ilst[child.offset : child.end] for child in _children(ilst, _header_length(ilst), len(ilst))]
    kept = [item for item in items if not wanted & _keys(item)]
    added = [_item(key, values) for key, values in changes.items() if values]
    return _like(ilst, b"".join(kept + added))


def _keys(item: bytes) -> set[str]:
    """The keys of an item, in lower case. The numbered genre `gnre` is the same field as ©gen."""
    name = item[4:8].decode("latin-1")
    if name == "gnre":
        return {"gnre", "©gen"}
    if name == _FREEFORM:
        for child in _children(item, 8, len(item)):
            if child.name in (b"mean", b"name"):
                name += ":" + item[child.offset + 12 : child.end].decode("utf-8", "replace")
    return {name.casefold()}


def _item(key: str, values: tuple[str, ...]) -> bytes:
    name, *free_form = key.split(":", 2)
    head = [_atom(part, bytes(4) + text.encode()) for part, text in zip((b"mean", b"name"), free_form, strict=False)]
    data = [_atom(b"data", struct.pack(">II", _UTF8, 0) + value.encode()) for value in values]
    return _atom(name.encode("latin-1"), b"".join(head + data))


def _shift_offsets(atom: bytes, boundary: int, delta: int) -> bytes:
    """`moov`, or an atom on the way down, with the chunk offsets from `boundary` on raised by `delta` bytes."""
    name = atom[4:8]
    if name in _PARENTS:
        start = _header_length(atom)
        children = _children(atom, start, len(atom))
        end = children[-1].end if children else start
        moved = [_shift_offsets(atom[child.offset : child.end], boundary, delta) for child in children]
        return _like(atom, b"".join(moved) + atom[end:])
    if name in (b"stco", b"co64"):
        start = _header_length(atom) + 8  # behind version and flags, and the number of offsets
        (count,) = struct.unpack_from(">I", atom, start - 4)
        if count > len(atom) // 4:
            raise ValueError("a table of chunk offsets is longer than its atom")
        table = struct.Struct(f">{count}{'I' if name == b'stco' else 'Q'}")
        offsets = [offset + delta if offset >= boundary else offset for offset in table.unpack_from(atom, start)]
        return atom[:start] + table.pack(*offsets) + atom[start + table.size :]
    return atom


def _like(atom: bytes, content: bytes) -> bytes:
    """An atom of the same name and kind of header with other content."""
    if _header_length(atom) == 16:
        return struct.pack(">I4sQ", 1, atom[4:8], 16 + len(content)) + content
    return _atom(atom[4:8], content)


def _atom(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content
