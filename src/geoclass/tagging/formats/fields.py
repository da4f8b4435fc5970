"""What each field is called in each family of tags: one table of names, and the way from names to fields.

Sources: MusicBrainz Picard, "Appendix B: Tag Mapping"; the fields of beets' MediaFile; Kid3's frame list.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from geoclass.tagging.formats.edit import Values

MAX_VALUES = 20  # read of a field that is never written
MAX_CHARS = 500  # of each of its values
ITUNES = "----:com.apple.iTunes:"


@dataclass(frozen=True, kw_only=True)
class Tags:
    """The tags of a file, by field of FIELDS."""

    kind: str  # of the format, a key of `registry.FORMATS`
    id3_version: int | None = None  # 2, 3 or 4 of the ID3v2 tag that is there
    values: Values = field(default_factory=dict)  # by field, of the tag that we write to
    beside: Values = field(default_factory=dict)  # of other tags in the same file, such as ID3v1

    def get(self, name: str) -> tuple[str, ...]:
        """The values of a field, from whichever tag has it; () when none has."""
        return self.values.get(name) or self.beside.get(name) or ()


@dataclass(frozen=True, kw_only=True)
class Field:
    """What one field is called in each family; of several names, parted by "|", the first is written, all are read."""

    id3: str  # "TCON", "TXXX:description"
    vorbis: str
    ape: str = ""  # "": as in Vorbis comments
    mp4: str
    asf: str
    max_chars: int | None = MAX_CHARS  # read of one value; None: all, as the field may be written

    def names(self, family: str) -> list[str]:
        """The names in one family, best first."""
        names: str = getattr(self, family) or self.vorbis
        return names.split("|")


_OURS = {  # for which no format has a standard tag
    "country": "ARTISTCOUNTRY",
    "country_candidates": "GEOCLASS_COUNTRY",
    "genre_candidates": "GEOCLASS_GENRE",
    "region": "GEOCLASS_REGION",
    "evidence": "GEOCLASS_EVIDENCE",
    "model": "GEOCLASS_MODEL",
}
FIELDS: dict[str, Field] = {
    name: Field(id3=f"TXXX:{key}", vorbis=key, mp4=ITUNES + key, asf=key, max_chars=None) for name, key in _OURS.items()
} | {
    "genre": Field(id3="TCON", vorbis="GENRE", mp4="©gen", asf="WM/Genre", max_chars=None),
    "release_country": Field(
        id3="TXXX:MusicBrainz Album Release Country|TXXX:RELEASECOUNTRY",  # the second is Kid3's own row
        vorbis="RELEASECOUNTRY",
        mp4=f"{ITUNES}MusicBrainz Album Release Country",
        asf="MusicBrainz/Album Release Country",
        max_chars=None,
    ),
    # Never written: the artist's country as other programs name it.
    "artist_country": Field(
        id3="TXXX:ARTIST COUNTRY|TXXX:ARTIST_COUNTRY|TXXX:MusicBrainz Artist Country",
        vorbis="ARTIST COUNTRY|ARTIST_COUNTRY|MUSICBRAINZ_ARTISTCOUNTRY",
        mp4=f"{ITUNES}ARTIST COUNTRY|{ITUNES}ARTIST_COUNTRY|{ITUNES}MusicBrainz Artist Country",
        asf="ARTIST COUNTRY|ARTIST_COUNTRY|MusicBrainz/Artist Country",
    ),
    # Never written. They say which files belong together, and what the music may be.
    "title": Field(id3="TIT2", vorbis="TITLE", mp4="©nam", asf="Title"),
    "artist": Field(id3="TPE1", vorbis="ARTIST", mp4="©ART", asf="Author"),
    "album_artist": Field(id3="TPE2", vorbis="ALBUMARTIST|ALBUM ARTIST|ALBUM_ARTIST", mp4="aART", asf="WM/AlbumArtist"),
    "album": Field(id3="TALB", vorbis="ALBUM", mp4="©alb", asf="WM/AlbumTitle"),
    "date": Field(id3="TDRC|TYER", vorbis="DATE|YEAR", ape="Year|DATE", mp4="©day", asf="WM/Year"),
    "language": Field(id3="TLAN", vorbis="LANGUAGE", mp4=f"{ITUNES}LANGUAGE", asf="WM/Language"),
    "script": Field(id3="TXXX:SCRIPT", vorbis="SCRIPT", mp4=f"{ITUNES}SCRIPT", asf="WM/Script"),
    "isrc": Field(id3="TSRC", vorbis="ISRC", mp4=f"{ITUNES}ISRC", asf="WM/ISRC"),
    "grouping": Field(id3="TIT1|GRP1", vorbis="GROUPING", mp4="©grp", asf="WM/ContentGroupDescription"),
    "comment": Field(
        id3="COMM", vorbis="COMMENT|DESCRIPTION", mp4="©cmt", asf="Description|WM/Comments", max_chars=1_000
    ),
    "lyrics": Field(id3="USLT", vorbis="LYRICS|UNSYNCEDLYRICS", mp4="©lyr", asf="WM/Lyrics", max_chars=4_000),
    "musicbrainz_artist_id": Field(
        id3="TXXX:MusicBrainz Artist Id",
        vorbis="MUSICBRAINZ_ARTISTID",
        mp4=f"{ITUNES}MusicBrainz Artist Id",
        asf="MusicBrainz/Artist Id",
    ),
}


def read_names(family: str) -> Iterator[str]:
    """Every name of a family that is read, in lower case."""
    for _, keys, _ in _to_read(family):
        yield from keys


def in_family(changes: Values, family: str) -> dict[str, tuple[str, ...]]:
    """Values under the names that a family writes."""
    return {FIELDS[name].names(family)[0]: values for name, values in changes.items()}


def fields_of(native: Values, family: str) -> dict[str, tuple[str, ...]]:
    """The fields that a tag holds: without empty values, and without fields that have none."""
    found: dict[str, tuple[str, ...]] = {}
    for name, keys, max_chars in _to_read(family):
        for key in keys:
            if key in native and (values := _not_blank(native[key])):
                found[name] = values if max_chars is None else _bounded(values, max_chars)
                break
    return found


@cache
def _to_read(family: str) -> list[tuple[str, tuple[str, ...], int | None]]:
    """Of every field its name, its names in the family in lower case, best first, and how much of it is read."""
    return [(name, tuple(map(str.casefold, known.names(family))), known.max_chars) for name, known in FIELDS.items()]


def split_genres(fields: Values) -> dict[str, tuple[str, ...]]:
    """ID3 before v2.4 has no lists: what reads "Folk; Rock" is two genres."""
    parts = tuple(part.strip() for value in fields.get("genre", ()) for part in value.split(";"))
    return {**fields, "genre": _not_blank(parts)} if "genre" in fields else dict(fields)


def _not_blank(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if value.strip())


def _bounded(values: tuple[str, ...], max_chars: int) -> tuple[str, ...]:
    return tuple(value[:max_chars] for value in values[:MAX_VALUES])
