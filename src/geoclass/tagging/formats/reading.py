"""Tags read through mutagen, which knows every dialect: the names of each family, in lower case, with their values.

The only module that imports mutagen. It reads, and reads again what was written; it does not write: see `id3` for why.
Every function takes an open file, or the bytes of a tag, and lets mutagen's exceptions pass.
"""

import io
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any, BinaryIO

from geoclass.tagging.formats.edit import Values
from geoclass.tagging.formats.fields import read_names

_V22_FRAMES = ("TXX", "TCO", "TP1", "TP2", "TAL", "TT1", "TT2", "TLA", "TRC", "TYE", "ULT", "COM")
_TECHNICAL = "itun"  # begins the descriptions of comments that hold numbers for iTunes


def read_id3(tag: bytes) -> Values:
    """An ID3v2 tag; {} for b""."""
    from mutagen import id3 as library

    if not tag:
        return {}
    tags = library.ID3(io.BytesIO(tag), known_frames=_wanted_frames(), load_v1=False)
    found: dict[str, tuple[str, ...]] = {}
    for frame in sorted(tags.values(), key=_plain_first):
        name = frame.FrameID.casefold()
        if name == "txxx":
            found[f"txxx:{frame.desc.casefold()}"] = tuple(frame.text)
        elif name == "tcon":
            found[name] = tuple(frame.genres)
        elif name == "uslt" or (name == "comm" and not frame.desc.casefold().startswith(_TECHNICAL)):
            texts = (frame.text,) if isinstance(frame.text, str) else tuple(frame.text)
            found[name] = found.get(name, ()) + texts
        elif name != "comm":
            found[name] = tuple(map(str, frame.text))
    return found


@cache
def _wanted_frames() -> dict[str, Any]:
    """mutagen's classes of the frames that are read, by id; it passes over the others."""
    from mutagen import id3 as library

    frames = library.Frames | library.Frames_2_2
    wanted = {name.partition(":")[0].upper() for name in read_names("id3")}
    return {name: frames[name] for name in (*wanted, *_V22_FRAMES)}


def _plain_first(frame: Any) -> bool:
    """Comments and lyrics without a description stand before those that have one."""
    return bool(getattr(frame, "desc", ""))


def read_id3v1(block: bytes) -> Values:
    """The last 128 bytes of a file; {} when they are no ID3v1 tag."""
    from mutagen import id3 as library

    frames = library.ParseID3v1(block) if block[:3] == b"TAG" else None
    if not frames:
        return {}
    found = {frame.FrameID.casefold(): tuple(map(str, frame.text)) for frame in frames.values()}
    if "TCON" in frames:
        found["tcon"] = tuple(frames["TCON"].genres)
    return found


def read_ape(file: BinaryIO) -> Values:
    """The APE tag at the end of a file; {} when there is none."""
    from mutagen.apev2 import APENoHeaderError, APETextValue, APEv2

    file.seek(0)
    try:
        tags = APEv2(file)
    except APENoHeaderError:
        return {}
    wanted = set(read_names("ape"))
    items = {key.casefold(): value for key, value in tags.items()}
    return {
        key: tuple(str(value).split("\0"))
        for key, value in items.items()
        if key in wanted and isinstance(value, APETextValue)
    }


def read_vorbis(file: BinaryIO, container: str) -> Values:
    """The comments of a FLAC or Ogg file; `container`: "flac", or "ogg " with "vorbis", "opus", "speex" or "flac"."""
    from mutagen import flac, oggflac, oggopus, oggspeex, oggvorbis

    classes = {
        "flac": flac.FLAC,
        "ogg vorbis": oggvorbis.OggVorbis,
        "ogg opus": oggopus.OggOpus,
        "ogg speex": oggspeex.OggSpeex,
        "ogg flac": oggflac.OggFLAC,
    }
    file.seek(0)
    tags = classes[container](file).tags
    return _gathered(tags, read_names("vorbis")) if tags is not None else {}


def read_mp4(file: BinaryIO) -> Values:
    """The items of an MP4 file. Text that is not UTF-8 has replacement characters."""
    from mutagen.mp4 import MP4

    file.seek(0)
    tags = MP4(file).tags or {}
    wanted = set(read_names("mp4"))
    return {key.casefold(): tuple(map(_decoded, found)) for key, found in tags.items() if key.casefold() in wanted}


def _decoded(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_asf(file: BinaryIO) -> Values:
    """The descriptors of a WMA file, its content description included."""
    from mutagen.asf import ASF

    file.seek(0)
    return _gathered(ASF(file).tags, read_names("asf"))


def duration_s(file: BinaryIO, kind: str) -> float | None:
    """How long a file plays by its headers, in seconds; None when they do not say.

    Args:
        file: The file.
        kind: A key of `registry.FORMATS`.
    """
    import mutagen
    from mutagen import flac, mp3, mp4

    file.seek(0)
    if kind == "mp3":
        with suppress(mp3.HeaderNotFoundError):  # ADTS
            return float(mp3.MPEGInfo(file).length)
    by_kind: dict[str, Any] = {"flac": flac.FLAC, "mp4": mp4.MP4}  # of the others, mutagen finds out
    known = by_kind.get(kind, mutagen.File)(file)
    length = getattr(known.info, "length", None) if known is not None else None
    return float(length) if length else None


def converted_id3(tag: bytes, version: int) -> bytes:
    """The same tag in the other version of ID3v2, written by mutagen, on the user's request."""
    from mutagen import id3 as library

    tags = library.ID3(io.BytesIO(tag), v2_version=version, load_v1=False)
    out = io.BytesIO()
    tags.save(out, v1=0, v2_version=version, v23_sep="; ")
    return out.getvalue()


def _gathered(pairs: Iterable[tuple[str, Any]], names: Iterable[str]) -> Values:
    """(name, value) pairs by name, for the names that are wanted."""
    wanted = set(names)
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        if key.casefold() in wanted:
            found.setdefault(key.casefold(), []).append(str(value))
    return {key: tuple(values) for key, values in found.items()}
