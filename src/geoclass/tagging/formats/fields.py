"""What each field is called in each family of tags: the one table of names, and the way from names to fields.

Sources: MusicBrainz Picard, "Appendix B: Tag Mapping"; the fields of beets' MediaFile; Kid3's frame list.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Values = Mapping[str, tuple[str, ...]]  # by field
Native = Mapping[str, tuple[str, ...]]  # by the family's own name, in lower case

MAX_VALUES = 20  # read of a field that is never written
ITUNES = "----:com.apple.iTunes:"


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What stands in a file's tags, by field of FIELDS."""

    kind: str  # of the format, a key of `registry.FORMATS`
    id3_version: int | None = None  # 2, 3 or 4 of the ID3v2 tag that is there
    values: Values = field(default_factory=dict)  # of the tag that we write to
    beside: Values = field(default_factory=dict)  # of other tags in the same file, such as ID3v1

    def get(self, name: str) -> tuple[str, ...]:
        """The values of a field, from whichever tag has it; () when none has."""
        return self.values.get(name) or self.beside.get(name) or ()


class Names(NamedTuple):
    """One field in each family of tags. The first name is the one that is written; all are read, in this order."""

    id3: tuple[str, ...]  # "TCON", "TXXX:description"
    vorbis: tuple[str, ...]
    ape: tuple[str, ...]
    mp4: tuple[str, ...]
    asf: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field, and how much of it is read where it is never written."""

    names: Names
    max_chars: int | None = None  # of one value, for fields that are read only; None: the field may be written


def _written(*, id3: str, vorbis: str, mp4: str, asf: str, also_id3: tuple[str, ...] = ()) -> Field:
    return Field(names=Names((id3, *also_id3), (vorbis,), (vorbis,), (mp4,), (asf,)))


def _ours(name: str) -> Field:
    """A field for which no format has a place of its own."""
    return _written(id3=f"TXXX:{name}", vorbis=name, mp4=ITUNES + name, asf=name)


def _read_only(*, id3: str, vorbis: str, mp4: str, asf: str, ape: str = "", max_chars: int = 500) -> Field:
    """Names are separated by "|"; APE's are those of Vorbis comments where none are given."""
    split = [tuple(names.split("|")) for names in (id3, vorbis, ape or vorbis, mp4, asf)]
    return Field(names=Names(*split), max_chars=max_chars)


FIELDS: dict[str, Field] = {
    "country": _ours("ARTISTCOUNTRY"),
    "genre": _written(id3="TCON", vorbis="GENRE", mp4="©gen", asf="WM/Genre"),
    "release_country": _written(
        id3="TXXX:MusicBrainz Album Release Country",
        also_id3=("TXXX:RELEASECOUNTRY",),  # Kid3's own row
        vorbis="RELEASECOUNTRY",
        mp4=f"{ITUNES}MusicBrainz Album Release Country",
        asf="MusicBrainz/Album Release Country",
    ),
    "country_candidates": _ours("GEOCLASS_COUNTRY"),
    "genre_candidates": _ours("GEOCLASS_GENRE"),
    "region": _ours("GEOCLASS_REGION"),
    "evidence": _ours("GEOCLASS_EVIDENCE"),
    "model": _ours("GEOCLASS_MODEL"),
    # Never written. They say which files belong together, and what the music may be.
    "title": _read_only(id3="TIT2", vorbis="TITLE", mp4="©nam", asf="Title"),
    "artist": _read_only(id3="TPE1", vorbis="ARTIST", mp4="©ART", asf="Author"),
    "album_artist": _read_only(
        id3="TPE2",
        vorbis="ALBUMARTIST|ALBUM ARTIST|ALBUM_ARTIST",
        ape="Album Artist|ALBUMARTIST|ALBUM_ARTIST",
        mp4="aART",
        asf="WM/AlbumArtist",
    ),
    "album": _read_only(id3="TALB", vorbis="ALBUM", mp4="©alb", asf="WM/AlbumTitle"),
    "date": _read_only(id3="TDRC|TYER", vorbis="DATE|YEAR", ape="Year|DATE", mp4="©day", asf="WM/Year"),
    "language": _read_only(id3="TLAN", vorbis="LANGUAGE", mp4=f"{ITUNES}LANGUAGE", asf="WM/Language"),
    "script": _read_only(id3="TXXX:SCRIPT", vorbis="SCRIPT", mp4=f"{ITUNES}SCRIPT", asf="WM/Script"),
    "isrc": _read_only(id3="TSRC", vorbis="ISRC", mp4=f"{ITUNES}ISRC", asf="WM/ISRC"),
    "grouping": _read_only(id3="TIT1|GRP1", vorbis="GROUPING", mp4="©grp", asf="WM/ContentGroupDescription"),
    "comment": _read_only(
        id3="COMM", vorbis="COMMENT|DESCRIPTION", mp4="©cmt", asf="Description|WM/Comments", max_chars=1_000
    ),
    "lyrics": _read_only(id3="USLT", vorbis="LYRICS|UNSYNCEDLYRICS", mp4="©lyr", asf="WM/Lyrics", max_chars=4_000),
    "musicbrainz_artist_id": _read_only(
        id3="TXXX:MusicBrainz Artist Id",
        vorbis="MUSICBRAINZ_ARTISTID",
        mp4=f"{ITUNES}MusicBrainz Artist Id",
        asf="MusicBrainz/Artist Id",
    ),
}


def read_names(family: str) -> Iterator[str]:
    """Every name of a family that is read, in lower case."""
    for known in FIELDS.values():
        yield from (name.casefold() for name in getattr(known.names, family))


def in_family(changes: Values, family: str) -> dict[str, tuple[str, ...]]:
    """Values under the names that a family writes."""
    return {getattr(FIELDS[name].names, family)[0]: values for name, values in changes.items()}


def fields_of(native: Native, family: str) -> dict[str, tuple[str, ...]]:
    """The fields that a tag holds: without empty values, and without fields that have none."""
    found: dict[str, tuple[str, ...]] = {}
    for name, known in FIELDS.items():
        named = (native.get(key.casefold(), ()) for key in getattr(known.names, family))
        values = next(filter(None, map(_not_blank, named)), ())
        if values:
            found[name] = values if known.max_chars is None else _bounded(values, known.max_chars)
    return found


def split_genres(fields: Values) -> dict[str, tuple[str, ...]]:
    """ID3 before v2.4 has no lists: what reads "Folk; Rock" is two genres."""
    parts = tuple(part.strip() for value in fields.get("genre", ()) for part in value.split(";"))
    return {**fields, "genre": _not_blank(parts)} if "genre" in fields else dict(fields)


def _not_blank(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if value.strip())


def _bounded(values: tuple[str, ...], max_chars: int) -> tuple[str, ...]:
    return tuple(value[:max_chars] for value in values[:MAX_VALUES])
