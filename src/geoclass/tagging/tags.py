"""The tags of a file as fields: the one table of keys, reading through mutagen, and the edits that change them.

mutagen knows every dialect, so it reads, and reads again what was written. It does not write: see `id3` for why.
"""

import io
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from geoclass.errors import TaggingError
from geoclass.tagging.formats import asf, id3, mp4, ogg, riff, vorbis
from geoclass.tagging.formats.edit import Edit


class Keys(NamedTuple):
    """What one field is called in each family of formats."""

    id3: str
    vorbis: str
    mp4: str
    asf: str


def _free(name: str, *, description: str | None = None, asf: str | None = None) -> Keys:
    """A field for which no format has a place of its own."""
    description = description or name
    return Keys(f"TXXX:{description}", name, f"----:com.apple.iTunes:{description}", asf or description)


KEYS: dict[str, Keys] = {
    "country": _free("ARTISTCOUNTRY"),
    "genre": Keys("TCON", "GENRE", "©gen", "WM/Genre"),
    "release_country": _free(
        "RELEASECOUNTRY", description="MusicBrainz Album Release Country", asf="MusicBrainz/Album Release Country"
    ),
    "country_candidates": _free("GEOCLASS_COUNTRY"),
    "genre_candidates": _free("GEOCLASS_GENRE"),
    "region": _free("GEOCLASS_REGION"),
    "model": _free("GEOCLASS_MODEL"),
    # Read only: they say which files belong together.
    "artist": Keys("TPE1", "ARTIST", "©ART", "Author"),
    "album_artist": Keys("TPE2", "ALBUMARTIST", "aART", "WM/AlbumArtist"),
    "album": Keys("TALB", "ALBUM", "©alb", "WM/AlbumTitle"),
}
_ALIASES = {"release_country": ("TXXX:RELEASECOUNTRY",)}  # Kid3's own row

Values = Mapping[str, tuple[str, ...]]  # by field


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What stands in a file's tags, for the fields of KEYS."""

    kind: str  # mp3, flac, ogg, mp4, wav, aiff or asf
    id3_version: int | None = None  # 2, 3 or 4 of the ID3v2 tag that is there
    values: Values = field(default_factory=dict)  # of the tag that we write to
    beside: Values = field(default_factory=dict)  # of an ID3v1 or APE tag at the end of the same file

    def get(self, name: str) -> tuple[str, ...]:
        """The values of a field, from whichever tag has it; () when none has."""
        return self.values.get(name) or self.beside.get(name) or ()


def read_tags(path: Path) -> Tags:
    """Read a file's tags, without its sound.

    Raises:
        TaggingError: Unreadable, of a format that carries no tags, or with tags that cannot be parsed.
    """
    try:
        with open(path, "rb") as file:
            kind = _kind(file, path)
            return _READERS[kind](file, kind)
    except TaggingError:
        raise
    except OSError as error:
        raise TaggingError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # mutagen lets struct, index, key, unicode and memory errors out of damaged tags
        raise TaggingError(f"{path}: the tags cannot be read ({str(error) or type(error).__name__})") from error


def tag_edits(path: Path, file: BinaryIO, changes: Values, *, id3_version: int | None = None) -> list[Edit]:
    """The edits that set the fields of `changes`; an empty value removes the field.

    Args:
        path: For messages, and for the suffix.
        file: The same file, open for reading.
        changes: By field.
        id3_version: 3 or 4: converts a tag of the other version. None: keep what is there, 4 for a new one.

    Raises:
        TaggingError: The file's structure cannot be followed; nothing was changed.
    """
    try:
        kind = _kind(file, path)
        if kind in ("mp3", "wav", "aiff"):
            native = {KEYS[name].id3: values for name, values in changes.items()}
            tag = id3.tag_at(file, 0) if kind == "mp3" else riff.tag_of(file)
            convert = id3_version is not None and bool(tag) and tag[3] != id3_version
            replacement = _converted(tag, id3_version or 4) if convert else None
            edits = id3.edits if kind == "mp3" else riff.edits
            return edits(file, native, new_version=id3_version or 4, replacement=replacement)
        if kind == "mp4":
            return mp4.edits(file, {KEYS[name].mp4: values for name, values in changes.items()})
        if kind == "asf":
            return asf.edits(file, {KEYS[name].asf: values for name, values in changes.items()})
        native = {KEYS[name].vorbis: values for name, values in changes.items()}
        return vorbis.flac_edits(file, native) if kind == "flac" else ogg.edits(file, native)
    except TaggingError:
        raise
    except OSError as error:
        raise TaggingError(f"{path}: {error.strerror or error}") from error
    except (ValueError, struct.error, IndexError, RecursionError) as error:
        raise TaggingError(f"{path}: the tags cannot be changed safely ({error})") from error
    except Exception as error:  # mutagen, on a tag that is to be converted
        raise TaggingError(f"{path}: the tag cannot be converted ({error})") from error


def _kind(file: BinaryIO, path: Path) -> str:
    """The container, by its first bytes; only MP3 without a tag needs the suffix."""
    file.seek(0)
    head = file.read(64)
    if not head:
        raise TaggingError(f"{path}: the file is empty")
    if head.startswith(b"ID3"):
        file.seek(len(id3.tag_at(file, 0)))
        return "flac" if file.read(4) == b"fLaC" else "mp3"
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(b"OggS"):
        return "ogg"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head.startswith(asf.HEADER):
        return "asf"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if path.suffix.lower() in (".mp3", ".mp2", ".aac"):
        return "mp3"
    raise TaggingError(f"{path}: not a format whose tags geoclass can write")


# ---- reading ----------------------------------------------------------------------------------------------------


def _read_id3(file: BinaryIO, kind: str) -> Tags:
    from mutagen import id3 as library

    tag = id3.tag_at(file, 0) if kind == "mp3" else riff.tag_of(file)
    version = tag[3] if tag else None
    values = _of_id3(_parse_id3(tag)) if tag else {}
    beside: dict[str, tuple[str, ...]] = {}
    if kind == "mp3":
        size = file.seek(0, 2)
        file.seek(max(0, size - 128))
        tail = file.read(128)
        if tail[:3] == b"TAG" and (frames := library.ParseID3v1(tail)):
            known = {frame.HashKey: frame for frame in frames.values()}
            beside |= {name: tuple(known[keys.id3].text) for name, keys in KEYS.items() if keys.id3 in known}
            if "TCON" in known:
                beside["genre"] = tuple(known["TCON"].genres)
        beside |= _read_ape(file, size)
    if version in (2, 3):  # no lists before v2.4: what reads "Folk; Rock" is two genres
        values = {name: _split(found) if name == "genre" else found for name, found in values.items()}
    return Tags(kind=kind, id3_version=version, values=values, beside=_clean(beside))


def _parse_id3(tag: bytes) -> Any:
    from mutagen import id3 as library

    names = ("TXXX", "TCON", "TPE1", "TPE2", "TALB", "TXX", "TCO", "TP1", "TP2", "TAL")
    frames = library.Frames | library.Frames_2_2
    known = {name: frames[name] for name in names}
    return library.ID3(io.BytesIO(tag), known_frames=known, load_v1=False)


def _of_id3(tags: Any) -> Values:
    user = {f"TXXX:{frame.desc}".casefold(): frame for frame in tags.getall("TXXX")}
    values: dict[str, tuple[str, ...]] = {}
    for name, keys in KEYS.items():
        for key in (keys.id3, *_ALIASES.get(name, ())):
            frame = user.get(key.casefold()) if key.startswith("TXXX:") else tags.get(key)
            if frame is not None:
                values.setdefault(name, tuple(frame.genres if name == "genre" else frame.text))
    return _clean(values)


def _read_ape(file: BinaryIO, size: int) -> Values:
    from mutagen.apev2 import APEv2

    file.seek(max(0, size - 160))
    if b"APETAGEX" not in file.read(160):
        return {}
    file.seek(0)
    tags = APEv2(file)
    return {name: tuple(str(tags[keys.vorbis]).split("\0")) for name, keys in KEYS.items() if keys.vorbis in tags}


def _read_vorbis(file: BinaryIO, kind: str) -> Tags:
    file.seek(0)
    head = file.read(64)
    file.seek(0)
    if kind == "flac":
        from mutagen.flac import FLAC as Container
    elif b"OpusHead" in head:
        from mutagen.oggopus import OggOpus as Container
    elif b"\x7fFLAC" in head:
        from mutagen.oggflac import OggFLAC as Container
    else:
        from mutagen.oggvorbis import OggVorbis as Container
    tags = Container(file).tags
    values = {name: tuple(tags.get(keys.vorbis, ())) for name, keys in KEYS.items()} if tags is not None else {}
    return Tags(kind=kind, values=_clean(values))


def _read_mp4(file: BinaryIO, kind: str) -> Tags:
    from mutagen.mp4 import MP4

    file.seek(0)
    tags = MP4(file).tags or {}
    by_key = {key.casefold(): found for key, found in tags.items()}
    values = {}
    for name, keys in KEYS.items():
        found = by_key.get(keys.mp4.casefold(), ())
        values[name] = tuple(value.decode("utf-8") if isinstance(value, bytes) else str(value) for value in found)
    return Tags(kind=kind, values=_clean(values))


def _read_asf(file: BinaryIO, kind: str) -> Tags:
    from mutagen.asf import ASF

    file.seek(0)
    by_key: dict[str, list[str]] = {}
    for key, value in ASF(file).tags:
        by_key.setdefault(key.casefold(), []).append(str(value))
    values = {name: tuple(by_key.get(keys.asf.casefold(), ())) for name, keys in KEYS.items()}
    return Tags(kind=kind, values=_clean(values))


_READERS = {
    "mp3": _read_id3,
    "wav": _read_id3,
    "aiff": _read_id3,
    "flac": _read_vorbis,
    "ogg": _read_vorbis,
    "mp4": _read_mp4,
    "asf": _read_asf,
}


def _clean(values: Values) -> dict[str, tuple[str, ...]]:
    """Without empty values, and without fields that have none."""
    stripped = {name: tuple(value for value in found if value.strip()) for name, found in values.items()}
    return {name: found for name, found in stripped.items() if found}


def _split(values: Iterable[str]) -> tuple[str, ...]:
    def parts() -> Iterator[str]:
        for value in values:
            yield from (part.strip() for part in value.split(";") if part.strip())

    return tuple(parts())


def _converted(tag: bytes, version: int) -> bytes:
    """The same tag in the other version of ID3v2, written by mutagen: somebody asked for every frame to change."""
    from mutagen import id3 as library

    tags = library.ID3(io.BytesIO(tag), v2_version=version, load_v1=False)
    out = io.BytesIO()
    tags.save(out, v1=0, v2_version=version, v23_sep="; ")
    return out.getvalue()
