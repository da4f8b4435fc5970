"""The identity of a file's sound: a hash of the encoded audio without its tags.

Tagging, renaming or moving a file does not change it; one changed byte of audio does.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import xxhash

from geoclass.errors import AudioError

_BLOCK = 1 << 18  # bytes read at a time
_OGG_PAGE = struct.Struct("<4sBBqIIIB")  # capture, version, flags, granule, serial, sequence, checksum, segments
_OGG_HEADERS = {
    b"\x01vorbis": 3,
    b"OpusHead": 2,
    b"\x7fFLAC": None,
    b"Speex   ": 2,
}  # header packets; None: to the flag
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_OBJECT = 24  # bytes: a GUID and a size
_CHUNKS = {b"RIFF": ("<", {b"fmt ", b"data"}), b"RF64": ("<", {b"fmt ", b"data"}), b"FORM": (">", {b"COMM", b"SSND"})}
Parts = Iterator[tuple[int, int]]  # (start, stop) in bytes


def sound_id(path: str | Path) -> bytes:
    """XXH3 (128 bits) of the encoded audio of a file; reads the whole file, at some gigabytes per second.

    Of known containers the audio counts (MP4's `mdat`, the pages of Ogg after the headers, the chunks of WAV and AIFF,
    the data object of ASF, the frames of FLAC); of others, everything but ID3, APE and Lyrics3 tags at either end.

    Raises:
        AudioError: The file cannot be read, or is empty.
    """
    path = Path(path)
    digest = xxhash.xxh3_128()
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            if not size:
                raise AudioError(f"{path}: the file is empty")
            for start, stop in _sound(file, size):
                _feed(digest, file, start, stop)
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror or error}") from error
    return digest.digest()


def _feed(digest: xxhash.xxh3_128, file: BinaryIO, start: int, stop: int) -> None:
    file.seek(start)
    while start < stop and (block := file.read(min(_BLOCK, stop - start))):
        digest.update(block)
        start += len(block)


def _sound(file: BinaryIO, size: int) -> list[tuple[int, int]]:
    """The byte ranges that are sound; the whole file between its tags when its structure cannot be followed."""
    start, stop = _between_tags(file, size)
    head = _read(file, start, 36)
    try:
        if head.startswith(b"fLaC"):
            return list(_flac(file, start, stop))
        if head.startswith(b"OggS"):
            return list(_ogg(file, start, stop))
        if head[:4] in _CHUNKS:
            return list(_chunks(file, start, stop)) or [(start, stop)]
        if head[4:8] == b"ftyp":
            return list(_mp4(file, start, stop)) or [(start, stop)]
        if head.startswith(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")):
            return list(_asf(file, start, stop)) or [(start, stop)]
        if head.startswith(b"DSD "):
            tag = int.from_bytes(head[20:28], "little")
            return [(start + 28, min(stop, tag) if tag else stop)]
    except (struct.error, IndexError, ValueError):
        pass  # damaged: all bytes count
    return [(start, stop)]


def _read(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


# ---- tags around the sound --------------------------------------------------------------------------------------


def _between_tags(file: BinaryIO, size: int) -> tuple[int, int]:
    start, stop = 0, size
    while (head := _read(file, start, 10))[:3] == b"ID3" and len(head) == 10:
        footer = 10 if head[5] & 0x10 else 0
        length = 10 + footer + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        if start + length >= size:
            return start, size
        start += length
    while (length := _tag_before(file, start, stop)) > 0:
        stop -= length
    return start, stop


def _tag_before(file: BinaryIO, start: int, stop: int) -> int:
    """Length of the ID3v1, APE, Lyrics3 or appended ID3v2 tag that ends at `stop`; 0 when none does."""
    tail = _read(file, max(start, stop - 128), min(128, stop - start))
    if len(tail) == 128 and tail[:3] == b"TAG":
        return 128
    end = tail[-32:]
    length = 0
    if end[:8] == b"APETAGEX":
        version, content, _, flags = struct.unpack("<4I", end[8:24])
        length = content + (32 if flags & 0x80000000 and version >= 2000 else 0)
    elif tail.endswith(b"LYRICS200") and tail[-15:-9].isdigit():
        length = int(tail[-15:-9]) + 15
    elif end[-10:-7] == b"3DI":
        length = 20 + sum(byte << shift for byte, shift in zip(end[-4:], (21, 14, 7, 0), strict=True))
    return length if 0 < length < stop - start else 0


# ---- containers ------------------------------------------------------------------------------------------------


def _flac(file: BinaryIO, start: int, stop: int) -> Parts:
    """STREAMINFO, then what follows the metadata blocks."""
    position, last = start + 4, False
    while not last:
        head = _read(file, position, 4)
        last, length = bool(head[0] & 0x80), int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == 0:
            yield position + 4, position + 4 + length
        position += 4 + length
    if position >= stop:
        raise ValueError("no frames")
    yield position, stop


def _ogg(file: BinaryIO, start: int, stop: int) -> Parts:
    """The bodies of all pages after the header packets: numbers and checksums of pages change with the tags."""
    n_headers, packets, position = -1, 0, start
    while position < stop:
        raw = _read(file, position, _OGG_PAGE.size + 255)
        capture, *_, n_segments = _OGG_PAGE.unpack_from(raw)
        if capture != b"OggS":
            if n_headers < 0 or packets < n_headers:
                raise ValueError("not a page")
            yield position, stop  # damaged from here on, or followed by something else
            return
        lacing = raw[_OGG_PAGE.size : _OGG_PAGE.size + n_segments]
        body = position + _OGG_PAGE.size + n_segments
        after = body + sum(lacing)
        if n_headers < 0:
            n_headers = _n_header_packets(_read(file, body, 64))
            yield body, after
        elif packets >= n_headers:
            yield body, min(after, stop)
        packets += sum(length < 255 for length in lacing)
        position = after
    if packets <= n_headers:
        raise ValueError("no sound")


def _n_header_packets(first: bytes) -> int:
    for magic, count in _OGG_HEADERS.items():
        if first.startswith(magic):
            count = 1 + int.from_bytes(first[7:9], "big") if count is None else count
            if count > 1:
                return count
    raise ValueError("an unknown codec")


def _chunks(file: BinaryIO, start: int, stop: int) -> Parts:
    order, wanted = _CHUNKS[_read(file, start, 4)]
    position = start + 12
    while position + 8 <= stop:
        name, length = struct.unpack(f"{order}4sI", _read(file, position, 8))
        end = min(stop, position + 8 + length)  # streams and RF64 say 0xFFFFFFFF: to the end
        if name in wanted:
            yield position + 8, end
        position = end + (length & 1)


def _mp4(file: BinaryIO, start: int, stop: int) -> Parts:
    position = start
    while position + 8 <= stop:
        length, name = struct.unpack(">I4s", _read(file, position, 8))
        head = 8
        if length == 1:
            length, head = int.from_bytes(_read(file, position + 8, 8), "big"), 16
        end = stop if length == 0 else min(stop, position + length)
        if end < position + head:
            raise ValueError("an atom without length")
        if name == b"mdat":
            yield position + head, end
        position = end


def _asf(file: BinaryIO, start: int, stop: int) -> Parts:
    position = start
    while position + _ASF_OBJECT <= stop:
        head = _read(file, position, _ASF_OBJECT)
        length = int.from_bytes(head[16:], "little")
        if length < _ASF_OBJECT:
            raise ValueError("an object without length")
        if head[:16] == _ASF_DATA:
            # After the file's id, which some taggers regenerate: 24 bytes of GUID and size, 16 of the id.
            yield position + _ASF_OBJECT + 16, min(stop, position + length)
        position += length
