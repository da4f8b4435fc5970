"""A small collection whose tags other programs could have written: MP3 and FLAC, tagged by mutagen."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TALB, TCON, TDRC, TIT2, TPE1, TXXX

MakeSong = Callable[..., Path]


@pytest.fixture(scope="session")
def two_seconds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two seconds of noise, by suffix."""
    folder = tmp_path_factory.mktemp("sounds")
    samples = np.random.default_rng(0).normal(0, 0.05, 2 * 22_050).astype(np.float32)
    for suffix in (".mp3", ".flac"):
        soundfile.write(folder / f"a{suffix}", samples, 22_050)
    return {suffix: (folder / f"a{suffix}").read_bytes() for suffix in (".mp3", ".flac")}


@pytest.fixture
def make_song(tmp_path: Path, two_seconds: dict[str, bytes]) -> MakeSong:
    """make_song("a/b.mp3", artist=…, album=…, title=…, date=…, genre=…, country=…, sure=0.95) -> its path."""

    def make(name: str, *, sure: float | None = None, genre_sure: float | None = None, **tags: str) -> Path:
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(two_seconds[path.suffix])
        if sure is not None:
            tags["geoclass_country"] = f"{tags['country']} {sure:.2f}; ZA 0.01"
        if genre_sure is not None:
            tags["geoclass_genre"] = f"{tags['genre']} {genre_sure:.2f}; Polka 0.01"
        if "country" in tags:
            tags["artistcountry"] = tags.pop("country")
        if path.suffix == ".flac":
            file = FLAC(os.fsencode(path))
            for key, value in tags.items():
                file[key] = value
            file.save()
            return path
        frames = {"artist": TPE1, "album": TALB, "title": TIT2, "date": TDRC, "genre": TCON}
        id3 = ID3()
        for key, value in tags.items():
            id3.add(frames[key](text=value) if key in frames else TXXX(desc=key.upper(), text=value))
        id3.save(os.fsencode(path))
        return path

    return make
