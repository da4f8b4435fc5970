"""The facts about a file, as plain text: everything that a witness may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from geoclass.inference.prediction import FieldPrediction


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One file. Texts are as the tags hold them: any length, any characters; () and "" where there is nothing."""

    title: str = ""  # of the tag, else what the file's name says beside the artist
    artist: str = ""
    album_artist: str = ""
    album: str = ""
    genres: tuple[str, ...] = ()
    grouping: str = ""
    comment: str = ""
    lyrics: str = ""
    languages: tuple[str, ...] = ()  # of the lyrics, by tag: codes or English names
    isrc: str = ""
    release_country: str = ""
    artist_mbids: tuple[str, ...] = ()  # MusicBrainz identifiers
    folders: tuple[str, ...] = ()  # names of the folders that the file lies in, the innermost last
    sung: Mapping[str, float] = field(default_factory=dict)  # probability of each language that may be sung
    heard: FieldPrediction | None = None  # what the model says of the sound; None before it was asked
