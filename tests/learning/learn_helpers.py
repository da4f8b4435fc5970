"""A library to learn from: synthesized songs in several formats, with tags."""

from collections.abc import Mapping
from pathlib import Path

import soundfile
from synthesize_music import SAMPLE_RATE, synthesize

from geoclass.tagging.formats.edit import copy_patched
from geoclass.tagging.tags import tag_edits

COUNTRIES = ("TR", "CN", "IN")
GENRES = {"TR": "Folk", "CN": "hip hop", "IN": "Classical"}
FORMATS = ("mp3", "flac", "ogg", "wav")


def write_song(path: Path, country: str, *, artist: int, track: int, seconds: float = 6.0) -> Path:
    """A song as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, synthesize(country, artist=artist, track=track, seconds=seconds), SAMPLE_RATE)
    return path


def set_tags(path: Path, changes: Mapping[str, tuple[str, ...]]) -> None:
    """Write fields into a file, as a person's tagger would: without our notes."""
    copy = path.with_name(f".copy{path.suffix}")
    with open(path, "rb") as file, open(copy, "wb") as target:
        copy_patched(file, target, tag_edits(path, file, changes), size=path.stat().st_size)
    copy.replace(path)


def write_library(folder: Path, *, artists: int = 5, tracks: int = 2, unlabelled: int = 1) -> list[Path]:
    """folder/ARTIST/song: the last `unlabelled` artists of each country have names and nothing else."""
    written = []
    for country in COUNTRIES:
        for artist in range(artists):
            for track in range(tracks):
                suffix = FORMATS[(artist + track) % len(FORMATS)]
                path = folder / f"{country.lower()} artist {artist}" / f"song {track}.{suffix}"
                write_song(path, country, artist=artist, track=track)
                tags = {"artist": (f"{country} artist {artist}",)}
                if artist < artists - unlabelled:
                    tags |= {"country": (country,), "genre": (GENRES[country],)}
                set_tags(path, tags)
                written.append(path)
    return written
