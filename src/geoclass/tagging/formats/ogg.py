"""Ogg Vorbis, Opus, Speex and FLAC: the comment packet, laid out again in the pages that held it.

The pages keep their number wherever the packet fits, so that no page of sound is touched; where it does not, the later
pages get new numbers and checksums. Sources: RFC 3533 (Ogg), RFC 7845 (Opus), the Vorbis I specification.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from geoclass.tagging.formats import vorbis
from geoclass.tagging.formats.edit import MAX_TAG_BYTES, Edit, Values, compact, read_at

_HEADER = struct.Struct("<4sBBqIIIB")  # capture, version, flags, granule, serial, sequence, checksum, segments
_CONTINUED, _BEGINS = 1, 2  # flags
_MAX_SEGMENTS = 255  # a page; each holds up to 255 bytes
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class _Codec(NamedTuple):
    name: str
    comments: bytes  # how the comment packet begins
    n_headers: int  # packets between the first and the sound that end with a page


# By how a stream begins.
_CODECS = {
    b"\x01vorbis": _Codec("vorbis", b"\x03vorbis", 2),
    b"OpusHead": _Codec("opus", b"OpusTags", 1),
    b"Speex   ": _Codec("speex", b"", 1),
    b"\x7fFLAC": _Codec("flac", b"", 1),
}


@dataclass(frozen=True)
class _Page:
    offset: int
    flags: int
    granule: int
    serial: int
    sequence: int
    lacing: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        def header(checksum: int) -> bytes:
            fields = (self.flags, self.granule, self.serial, self.sequence, checksum, len(self.lacing))
            return _HEADER.pack(b"OggS", 0, *fields) + self.lacing

        return header(_checksum(header(0) + self.body)) + self.body

    @property
    def length(self) -> int:
        return _HEADER.size + len(self.lacing) + len(self.body)


def edits(file: BinaryIO, changes: Values) -> list[Edit]:
    """For the first stream of sound in an Ogg file."""
    pages = _pages(file)
    first, codec = _find_stream(pages)
    held = _header_pages(pages, first.serial, codec.n_headers)
    packets = _packets(held)
    packets[0] = _rewrite(packets[0], codec, changes)
    laid = _lay(packets, held)
    old = b"".join(read_at(file, page.offset, page.length) for page in held)
    result = [Edit(held[0].offset, old, b"".join(page.raw for page in laid))]
    added = len(laid) - len(held)
    if added:
        for page in _pages(file, held[-1].offset + held[-1].length):
            if page.serial == first.serial:
                moved = _Page(**(vars(page) | {"sequence": page.sequence + added}))
                result.append(Edit(page.offset + 18, read_at(file, page.offset + 18, 8), moved.raw[18:26]))
    return compact(result)


def codec_of(file: BinaryIO) -> str:
    """What the first stream of sound is: "vorbis", "opus", "speex" or "flac"."""
    return _find_stream(_pages(file))[1].name


def _find_stream(pages: Iterator[_Page]) -> tuple[_Page, _Codec]:
    """The page that begins the first stream of sound. The first pages of all streams come before any other page."""
    for page in pages:
        if not page.flags & _BEGINS:
            break
        for magic, codec in _CODECS.items():
            if page.body.startswith(magic):
                return page, codec
    raise ValueError("no Ogg stream that is Vorbis, Opus, Speex or FLAC")


def _pages(file: BinaryIO, offset: int = 0) -> Iterator[_Page]:
    while True:
        file.seek(offset)
        header = file.read(_HEADER.size)
        if not header:
            return
        if len(header) < _HEADER.size or not header.startswith(b"OggS\0"):
            raise ValueError(f"no Ogg page at byte {offset}")
        _, _, flags, granule, serial, sequence, _, n_segments = _HEADER.unpack(header)
        lacing = file.read(n_segments)
        body = file.read(sum(lacing))
        if len(body) != sum(lacing) or len(lacing) != n_segments:
            raise ValueError(f"the Ogg page at byte {offset} is cut off")
        page = _Page(offset, flags, granule, serial, sequence, lacing, body)
        yield page
        offset += page.length


def _header_pages(pages: Iterator[_Page], serial: int, n_headers: int) -> list[_Page]:
    """The pages of the stream's header packets after the first: they begin a page and end one."""
    held: list[_Page] = []
    n_packets = n_bytes = 0
    for page in pages:
        if page.serial != serial:
            if held:
                raise ValueError("the comments are interleaved with another Ogg stream")
            continue
        if page.granule not in (0, -1):
            raise ValueError("the comments share an Ogg page with sound")
        held.append(page)
        n_packets += sum(value < 255 for value in page.lacing)
        n_bytes += page.length
        if n_bytes > MAX_TAG_BYTES:
            raise ValueError("the comments are larger than is plausible")
        if n_packets >= n_headers and page.lacing[-1] < 255:
            return held
    raise ValueError("the Ogg file ends within its comments")


def _packets(pages: list[_Page]) -> list[bytes]:
    packets, parts = [], []
    for page in pages:
        position = 0
        for value in page.lacing:
            parts.append(page.body[position : position + value])
            position += value
            if value < 255:
                packets.append(b"".join(parts))
                parts = []
    return packets


def _rewrite(packet: bytes, codec: _Codec, changes: Values) -> bytes:
    if not packet.startswith(codec.comments) or (codec.name == "flac" and packet[0] & 0x7F != 4):
        raise ValueError("the second Ogg packet holds no comments")
    if codec.name != "flac":
        return codec.comments + vorbis.rewrite(packet[len(codec.comments) :], changes)
    # Ogg FLAC keeps the header of the metadata block: kind, then the length in 24 bits.
    data = vorbis.rewrite(packet[4:], changes)
    return packet[:1] + len(data).to_bytes(3, "big") + data


def _lay(packets: list[bytes], held: list[_Page]) -> list[_Page]:
    """Cut the packets into as many pages as before; more where they do not fit, fewer for few segments."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    body = b"".join(packets)
    counts = [len(page.lacing) for page in held[:-1]]
    if not 0 < len(lacing) - sum(counts) <= _MAX_SEGMENTS:
        n_pages = min(max(len(held), -(-len(lacing) // _MAX_SEGMENTS)), len(lacing))
        counts = [len(lacing) * (index + 1) // n_pages - len(lacing) * index // n_pages for index in range(n_pages - 1)]
    counts.append(len(lacing) - sum(counts))
    pages: list[_Page] = []
    segment = position = 0
    for index, count in enumerate(counts):
        part = lacing[segment : segment + count]
        flags = _CONTINUED if segment and lacing[segment - 1] == 255 else 0
        granule = 0 if min(part) < 255 else -1  # -1: no packet ends on the page
        chunk = body[position : position + sum(part)]
        pages.append(_Page(0, flags, granule, held[0].serial, held[0].sequence + index, part, chunk))
        segment, position = segment + count, position + sum(part)
    return pages


def _checksum(page: bytes) -> int:
    """CRC-32 with the polynomial of zlib, but most significant bit first, from zero and not inverted (RFC 3533)."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
