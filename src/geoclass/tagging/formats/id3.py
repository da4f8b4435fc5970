"""ID3v2.2, 2.3 and 2.4 tags, frame by frame: what is not ours keeps its bytes, its flags and its order.

mutagen reads ID3 well but writes the whole tag again: it drops frame flags, merges and sorts frames, translates between
versions and rewrites the ID3v1 block. Hence this module. Sources: the informal standards at id3.org, "ID3 tag version
2.4.0 - Main Structure" and its predecessors 2.3.0 and 2.2.0.
"""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from geoclass.tagging.formats.edit import Edit, Values, compact, read_at

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10  # header flags
_PADDING = 1_024  # bytes left free behind a tag that had to grow
_SEPARATOR = "; "  # between values before v2.4, which has no lists
_FRAME_ID = re.compile(rb"[A-Z0-9]{3,4}")
_V22 = {"TXXX": b"TXX", "TCON": b"TCO"}


def edits(file: BinaryIO, changes: Values, *, new_version: int, replacement: bytes | None = None) -> list[Edit]:
    """For a file that begins with the tag, or with sound: MP3, and AAC in ADTS.

    Args:
        file: Open for reading.
        changes: "TXXX:description" or "TCON" -> values.
        new_version: 3 or 4, of a tag that is not there yet.
        replacement: Start from this tag instead of the one found (a conversion between versions).
    """
    old = tag_at(file, 0)
    return splice(0, old, rewrite(old if replacement is None else replacement, changes, new_version=new_version))


def tag_at(file: BinaryIO, offset: int) -> bytes:
    """The whole tag, header, padding and footer included; b"" when there is none."""
    file.seek(offset)
    header = file.read(10)
    if len(header) < 10 or not header.startswith(b"ID3") or max(header[6:10]) > 0x7F:
        return b""
    footer = 10 if header[3] == 4 and header[5] & _FOOTER else 0
    return read_at(file, offset, 10 + _from_synchsafe(header[6:10]) + footer)


def splice(offset: int, old: bytes, new: bytes) -> list[Edit]:
    """The edits between two tags: the header's size and the rest apart, so that pictures in between stay out."""
    return compact([Edit(offset, old[:10], new[:10]), Edit(offset + len(old[:10]), old[10:], new[10:])])


def rewrite(tag: bytes, changes: Values, *, new_version: int) -> bytes:
    """The tag with other values under the keys of `changes`; as long as before if its padding allows.

    The extended header (a checksum, restrictions) and the footer are dropped: they describe the old bytes.
    """
    if not tag:
        tag = struct.pack(">3sBBB4s", b"ID3", new_version, 0, 0, bytes(4))
    version, flags = tag[3], tag[5]
    if version not in (2, 3, 4):
        raise ValueError(f"ID3v2.{version} is not a version of ID3 that is known")
    if version == 2 and flags & _EXTENDED:
        raise ValueError("the ID3v2.2 tag is compressed, which no program reads")
    body, unsynchronised = tag[10:], bool(flags & _UNSYNCHRONISED) and version < 4
    if version == 4 and flags & _FOOTER:
        body = body[:-10]
    if unsynchronised:
        body = body.replace(b"\xff\x00", b"\xff")
    if flags & _EXTENDED:
        body = body[_extended_header_length(body, version) :]
    frames, rest, wide = _split(body, version)
    wanted = {key.casefold() for key in changes}
    kept = [frame for frame in frames if _key(frame, version) not in wanted]
    added = [_frame(key, values, version, wide=wide) for key, values in changes.items() if values]
    content, padding = b"".join(kept + added), b""
    if rest.strip(b"\0"):
        content += rest  # damaged frames stay, behind ours: readers stumble over them as before
    if unsynchronised:
        content = re.sub(rb"\xff(?=[\xe0-\xff\x00]|\Z)", b"\xff\x00", content)
    room = len(tag) - 10 - len(content)
    padding = bytes(room if room >= 0 else _PADDING)
    size = _to_synchsafe(len(content) + len(padding))
    return tag[:5] + bytes([flags & ~(_EXTENDED | _FOOTER)]) + size + content + padding


def _split(body: bytes, version: int) -> tuple[list[bytes], bytes, bool]:
    """The raw frames, what follows them, and whether v2.4 sizes are plain integers (an old bug of iTunes)."""
    frames, rest = _walk(body, version, wide=False)
    if version == 4 and rest.strip(b"\0"):
        wide_frames, wide_rest = _walk(body, version, wide=True)
        if not wide_rest.strip(b"\0") or len(wide_rest) < len(rest):
            return wide_frames, wide_rest, True
    return frames, rest, False


def _walk(body: bytes, version: int, *, wide: bool) -> tuple[list[bytes], bytes]:
    id_length, header_length = (3, 6) if version == 2 else (4, 10)
    frames, position = [], 0
    while position + header_length <= len(body):
        if not _FRAME_ID.fullmatch(body, position, position + id_length):
            break
        raw_size = body[position + id_length : position + 2 * id_length]
        if version == 4 and not wide:
            if max(raw_size) > 0x7F:
                break
            size = _from_synchsafe(raw_size)
        else:
            size = int.from_bytes(raw_size, "big")
        end = position + header_length + size
        if end > len(body):
            break
        frames.append(body[position:end])
        position = end
    return frames, body[position:]


def _key(frame: bytes, version: int) -> str:
    """ "txxx:description" or the frame's id, in lower case; "" for frames that are compressed or encrypted."""
    id_length, header_length = (3, 6) if version == 2 else (4, 10)
    name = frame[:id_length].decode("ascii")
    if version > 2 and frame[9]:
        return ""
    name = {"TXX": "TXXX", "TCO": "TCON"}.get(name, name) if version == 2 else name
    if name == "TXXX" and len(frame) > header_length:
        name += ":" + next(_texts(frame[header_length:]))
    return name.casefold()


def _texts(payload: bytes) -> Iterator[str]:
    """The strings of a text frame, of which the first byte names the encoding."""
    encoding = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(payload[0], "latin-1")
    text = payload[1:].decode(encoding, "replace")
    yield from text.split("\0")


def _frame(key: str, values: tuple[str, ...], version: int, *, wide: bool) -> bytes:
    name, _, description = key.partition(":")
    text = ("\0" if version == 4 else _SEPARATOR).join(values)
    if description:
        text = f"{description}\0{text}"
    if text.isascii():
        payload = b"\0" + text.encode("ascii")
    elif version == 4:
        payload = b"\3" + text.encode()
    else:  # a byte order mark opens each string
        payload = b"\1" + "\0".join("\ufeff" + part for part in text.split("\0")).encode("utf-16-le")
    if version == 2:
        return _V22[name] + len(payload).to_bytes(3, "big") + payload
    size = _to_synchsafe(len(payload)) if version == 4 and not wide else len(payload).to_bytes(4, "big")
    return name.encode() + size + b"\0\0" + payload


def _extended_header_length(body: bytes, version: int) -> int:
    if len(body) < 4:
        raise ValueError("the ID3 tag ends within its extended header")
    # v2.4 counts the four bytes of the size itself, v2.3 does not.
    length = _from_synchsafe(body[:4]) if version == 4 else 4 + int.from_bytes(body[:4], "big")
    if not 4 <= length <= len(body):
        raise ValueError("the extended header of the ID3 tag has an impossible size")
    return length


def _from_synchsafe(raw: bytes) -> int:
    size = 0
    for byte in raw:
        size = size << 7 | byte & 0x7F
    return size


def _to_synchsafe(size: int) -> bytes:
    if size >= 1 << 28:
        raise ValueError("the ID3 tag would become larger than 256 MiB")
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
