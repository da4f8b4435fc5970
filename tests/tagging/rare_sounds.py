"""Sound files of the formats for which no encoder is at hand, laid out by hand from their specifications."""

import struct

import numpy as np

DSD_RATE = 2_822_400  # Hz
_SPEEX_FRAME_BYTES = 20  # narrowband at 8 kbit/s: 160 bits per 20 ms


def dsf(samples: np.ndarray, rate: int) -> bytes:
    """(n_samples,) float32 at `rate` Hz as one-bit sound, by first-order sigma-delta modulation."""
    held = np.repeat(samples, DSD_RATE // rate)
    # A first-order modulator puts out a one whenever the running sum of its input passes a whole number.
    bits = np.diff(np.floor(np.cumsum((held.astype(np.float64) + 1) / 2)), prepend=0).astype(np.uint8)
    bits = bits[: len(bits) // 32_768 * 32_768]  # whole blocks of 4,096 bytes
    data = np.packbits(bits, bitorder="little").tobytes()
    form = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 1, 1, DSD_RATE, 1, len(bits), 4_096, 0)
    body = form + struct.pack("<4sQ", b"data", 12 + len(data)) + data
    return struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(body), 0) + body


def speex(seconds: float, *, serial: int = 7, streams_before: tuple[bytes, ...] = ()) -> bytes:
    """Random frames of the 8 kbit/s mode in Ogg, which sound like noise."""
    header = struct.pack("<8s20siiiiiiiiiiiii", b"Speex   ", b"1.2", 1, 80, 8_000, 0, 4, 1, -1, 160, 0, 1, 0, 0, 0)
    comments = struct.pack("<I", 4) + b"test" + bytes(4)
    generator = np.random.default_rng(0)
    pages = [
        *streams_before,
        ogg_page(header, serial=serial, sequence=0, flags=2),
        ogg_page(comments, serial=serial, sequence=1),
    ]
    for index in range(round(seconds * 50)):
        frame = bytearray(generator.bytes(_SPEEX_FRAME_BYTES))
        frame[0] = 0b00011_000 | frame[0] & 0b111  # narrowband, mode 3
        pages.append(ogg_page(bytes(frame), serial=serial, sequence=2 + index, granule=160 * (index + 1)))
    return b"".join(pages)


def ogg_page(packet: bytes, *, serial: int, sequence: int, flags: int = 0, granule: int = 0) -> bytes:
    """One packet of less than 255 * 255 bytes on one page."""
    lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    fields = (b"OggS", 0, flags, granule, serial, sequence)
    body = bytes([len(lacing)]) + lacing + packet
    blank = struct.pack("<4sBBqII", *fields) + bytes(4) + body
    return struct.pack("<4sBBqIII", *fields, crc(blank)) + body


def crc(data: bytes) -> int:
    """Bit by bit, as RFC 3533 defines it."""
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C11DB7 if register & 0x80000000 else 0)) & 0xFFFFFFFF
    return register


def skeleton(magic: bytes) -> bytes:
    """What carries an APE tag but is not sound: a signature, and bytes behind it."""
    return magic + bytes(range(256)) * 8
