"""The formats, one entry each: how a file is recognised, how its tags are read, and which edits change them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from geoclass.tagging.formats import apev2, asf, dsf, id3, mp4, ogg, reading, riff, vorbis
from geoclass.tagging.formats.edit import Edit, Values
from geoclass.tagging.formats.fields import Tags, fields_of, in_family, split_genres

_HEAD_BYTES = 64  # enough to recognise every format
_ID3V1_BYTES = 128


@dataclass(frozen=True, kw_only=True)
class Id3Format:
    """A tag in ID3v2, wherever the container keeps it."""

    kind: str
    detect: Callable[[bytes], bool]  # by how a file begins, after an ID3v2 tag if there is one
    tag_of: Callable[[BinaryIO], bytes]
    patch: Callable[..., list[Edit]]
    ends_with_blocks: bool = False  # ID3v1 and APE may follow the sound

    def read(self, file: BinaryIO) -> Tags:
        """The fields that are there; those of the blocks at the end beside."""
        tag = self.tag_of(file)
        version = tag[3] if tag else None
        values = fields_of(reading.read_id3(tag), "id3")
        if version in (2, 3):
            values = split_genres(values)
        beside = {**_id3v1(file), **fields_of(reading.read_ape(file), "ape")} if self.ends_with_blocks else {}
        return Tags(kind=self.kind, id3_version=version, values=values, beside=beside)

    def edits(self, file: BinaryIO, changes: Values, *, id3_version: int | None = None) -> list[Edit]:
        """The edits that set the fields of `changes`; an empty value removes the field.

        `id3_version`: 3 or 4 converts a tag of another version; None keeps what is there, 4 for a new one.
        """
        tag = self.tag_of(file)
        convert = id3_version is not None and bool(tag) and tag[3] != id3_version
        replacement = reading.converted_id3(tag, id3_version or 4) if convert else None
        return self.patch(file, in_family(changes, "id3"), new_version=id3_version or 4, replacement=replacement)


@dataclass(frozen=True, kw_only=True)
class NamedFormat:
    """Any other family of tags: names with values, and the two functions that know the container."""

    kind: str
    family: str  # of the names
    detect: Callable[[bytes], bool]
    parse: Callable[[BinaryIO], Values]
    patch: Callable[[BinaryIO, Values], list[Edit]]

    def read(self, file: BinaryIO) -> Tags:
        """The fields that are there; those of ID3 tags around an APE file beside."""
        values = fields_of(self.parse(file), self.family)
        return Tags(kind=self.kind, values=values, beside=_id3_around(file) if self.family == "ape" else {})

    def edits(self, file: BinaryIO, changes: Values, *, id3_version: int | None = None) -> list[Edit]:
        """The edits that set the fields of `changes`; an empty value removes the field."""
        return self.patch(file, in_family(changes, self.family))


Format = Id3Format | NamedFormat


def _begins(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic)


def _is_form(outer: bytes, *inner: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(outer) and head[8:12] in inner


def _read_ogg(file: BinaryIO) -> Values:
    return reading.read_vorbis(file, container=f"ogg {ogg.codec_of(file)}")


_front = partial(id3.tag_at, offset=0)
_ape = partial(NamedFormat, family="ape", parse=reading.read_ape, patch=apev2.edits)

_ALL: tuple[Format, ...] = (
    NamedFormat(
        kind="flac",
        family="vorbis",
        detect=_begins(b"fLaC"),
        parse=partial(reading.read_vorbis, container="flac"),
        patch=vorbis.flac_edits,
    ),
    NamedFormat(kind="ogg", family="vorbis", detect=_begins(b"OggS"), parse=_read_ogg, patch=ogg.edits),
    NamedFormat(
        kind="mp4",
        family="mp4",
        detect=lambda head: head[4:8] in (b"ftyp", b"moov"),
        parse=reading.read_mp4,
        patch=mp4.edits,
    ),
    NamedFormat(kind="asf", family="asf", detect=_begins(asf.HEADER), parse=reading.read_asf, patch=asf.edits),
    Id3Format(kind="wav", detect=_is_form(b"RIFF", b"WAVE"), tag_of=riff.tag_of, patch=riff.edits),
    Id3Format(kind="aiff", detect=_is_form(b"FORM", b"AIFF", b"AIFC"), tag_of=riff.tag_of, patch=riff.edits),
    Id3Format(kind="dsf", detect=_begins(b"DSD "), tag_of=dsf.tag_of, patch=dsf.edits),
    Id3Format(kind="tta", detect=_begins(b"TTA1", b"TTA2"), tag_of=_front, patch=id3.edits, ends_with_blocks=True),
    _ape(kind="wavpack", detect=_begins(b"wvpk")),
    _ape(kind="monkeys-audio", detect=_begins(b"MAC ")),
    _ape(kind="musepack", detect=_begins(b"MP+", b"MPCK")),
    _ape(kind="optimfrog", detect=_begins(b"OFR ")),
    _ape(kind="tak", detect=_begins(b"tBaK")),
    # Known by its tag or its suffix: the eleven bits with which its frames begin prove nothing.
    Id3Format(kind="mp3", detect=lambda _head: False, tag_of=_front, patch=id3.edits, ends_with_blocks=True),
)
FORMATS: dict[str, Format] = {known.kind: known for known in _ALL}

_BEHIND_ID3 = ("flac", "tta", "wavpack", "monkeys-audio", "musepack", "tak")  # what may follow an ID3v2 tag
_BY_SUFFIX = {".mp3": "mp3", ".mp2": "mp3", ".aac": "mp3", ".mpc": "musepack"}  # Musepack before version 7

# What is looked for in folders.
SUFFIXES = frozenset(
    {".mp3", ".aac", ".flac", ".ogg", ".oga", ".opus", ".spx", ".m4a", ".m4b", ".mp4", ".wma", ".wav", ".aif", ".aiff"}
    | {".aifc", ".dsf", ".tta", ".wv", ".ape", ".mpc", ".ofr", ".ofs", ".tak"}
)


def detect_format(file: BinaryIO, suffix: str) -> Format | None:
    """The format of a file by its content; only what has no signature is known by its suffix, such as ".mp3"."""
    front = len(id3.tag_at(file, 0))
    file.seek(front)
    head = file.read(_HEAD_BYTES)
    candidates = [FORMATS[kind] for kind in (_BEHIND_ID3 if front else FORMATS)]
    found = next((known for known in candidates if known.detect(head)), None)
    return found or FORMATS.get("mp3" if front else _BY_SUFFIX.get(suffix.lower(), ""))


def _id3_around(file: BinaryIO) -> dict[str, tuple[str, ...]]:
    """The fields of an ID3v1 block, and of an ID3v2 tag in front."""
    return {**_id3v1(file), **fields_of(reading.read_id3(id3.tag_at(file, 0)), "id3")}


def _id3v1(file: BinaryIO) -> dict[str, tuple[str, ...]]:
    file.seek(max(0, file.seek(0, 2) - _ID3V1_BYTES))
    return fields_of(reading.read_id3v1(file.read(_ID3V1_BYTES)), "id3")
