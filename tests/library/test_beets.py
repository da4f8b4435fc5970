"""The beets plugin in a real beets library: beets writes, and only what was open."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mediafile import MediaFile
from mutagen.flac import FLAC
from mutagen.id3 import ID3

from geoclass.training.run import TrainResult

pytest.importorskip("beets", reason="beets is not installed")


class Beets:
    """`beet` with a library and a configuration of its own."""

    def __init__(self, folder: Path, *, model: object, **options: str) -> None:
        self.folder = folder
        lines = [f"    {key}: {value}" for key, value in ({"model": model, "min_confidence": 0.0} | options).items()]
        self.config = folder / "config.yaml"
        self.config.write_text(
            f"directory: {folder / 'lib'}\nlibrary: {folder / 'lib.db'}\nplugins: geoclass\n"
            "import:\n    copy: no\n    autotag: no\ngeoclass:\n" + "\n".join(lines) + "\n"
        )

    def run(self, *arguments: object, code: int = 0) -> str:
        line = [sys.executable, "-m", "beets", "-c", str(self.config), *map(str, arguments)]
        environment = os.environ | {"BEETSDIR": str(self.folder), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def list(self, query: str = "") -> dict[str, tuple[str, str]]:
        lines = self.run("ls", "-f", "$title|$artist_country|$genres", *query.split()).splitlines()
        return {title: (country, genres) for title, country, genres in (line.split("|") for line in lines)}


@pytest.fixture
def songs(make_song, music: Path) -> list[Path]:
    """Three songs with real sound: one open, one that says both, one with a genre."""
    found = []
    sounds = sorted(music.rglob("*.mp3"))
    tags = (
        {"title": "open"},
        {"title": "said", "country": "ZA", "genre": "Kwaito"},
        {"title": "half", "genre": "Türkü"},
    )
    for index, values in enumerate(tags):
        path = make_song(f"a/{index}.mp3", artist="A", album="B", **values)
        header = ID3(path)
        path.write_bytes(sounds[index % len(sounds)].read_bytes())
        header.save(path)
        found.append(path)
    return found


def test_pretend_changes_nothing_then_beets_writes(songs: list[Path], small_run: TrainResult, tmp_path: Path) -> None:
    beets = Beets(tmp_path, model=small_run.run_dir)
    beets.run("import", "-q", tmp_path / "music")
    before = [path.read_bytes() for path in songs]
    out = beets.run("geoclass", "-p")
    assert "artist_country" in out
    assert [path.read_bytes() for path in songs] == before
    assert "open" in beets.list("artist_country::^$")

    beets.run("geoclass", "title:open")
    country, genres = beets.list("title:open")["open"]
    assert country in ("TR", "CN", "IN")
    assert genres == ""
    assert ID3(songs[0])["TXXX:ARTISTCOUNTRY"].text == [country]
    assert "TXXX:GEOCLASS_COUNTRY" in ID3(songs[0])
    assert songs[2].read_bytes() == before[2], "not in the query"

    beets.run("geoclass")
    assert beets.list("title:said")["said"] == ("ZA", "Kwaito"), "what a person wrote is taken over, not replaced"
    assert beets.list("title:half")["half"][1] == "Türkü"
    assert beets.run("geoclass") == "", "a second run finds nothing to do"


@pytest.mark.slow
def test_force_replaces_and_nowrite_leaves_files(songs, small_run: TrainResult, tmp_path: Path) -> None:
    beets = Beets(tmp_path, model=small_run.run_dir, fields="country")
    beets.run("import", "-q", tmp_path / "music")
    text = beets.config.read_text().replace("autotag: no", "autotag: no\n    write: no")
    beets.config.write_text(text)
    before = songs[1].read_bytes()
    beets.run("geoclass", "-f", "title:said")
    assert beets.list("title:said")["said"][0] in ("TR", "CN", "IN")
    assert songs[1].read_bytes() == before


def test_on_import_when_asked(songs, small_run: TrainResult, tmp_path: Path) -> None:
    beets = Beets(tmp_path, model=small_run.run_dir, auto="yes")
    beets.run("import", "-q", tmp_path / "music")
    assert beets.list("title:open")["open"][0] in ("TR", "CN", "IN")
    assert MediaFile(songs[1]).genres == ["Kwaito"]


@pytest.mark.slow
def test_flac_gets_its_own_dialect(make_song, small_run: TrainResult, music: Path, tmp_path: Path) -> None:
    path = make_song("a/x.flac", artist="A", title="flac")
    import soundfile

    samples, rate = soundfile.read(sorted(music.rglob("*.*"))[0])
    soundfile.write(path, samples, rate)
    beets = Beets(tmp_path, model=small_run.run_dir)
    beets.run("import", "-q", tmp_path / "music")
    beets.run("geoclass")
    assert FLAC(path)["ARTISTCOUNTRY"][0] in ("TR", "CN", "IN")


def test_without_a_model_the_title_speaks_too(make_song, tmp_path: Path) -> None:
    make_song("a/x.mp3", title="아리랑 (진도 아리랑)", artist="A")
    beets = Beets(tmp_path, model=[], min_confidence="''", fields="country")
    beets.run("import", "-q", tmp_path / "music")
    beets.run("geoclass")
    assert beets.list() == {"아리랑 (진도 아리랑)": ("KR", "")}


def test_a_model_that_is_not_there_is_said_in_a_line(songs, tmp_path: Path) -> None:
    beets = Beets(tmp_path, model=tmp_path / "none")
    beets.run("import", "-q", tmp_path / "music")
    out = beets.run("geoclass", code=1)
    assert "geoclass: no model" in out
    assert "Traceback" not in out
