"""Make docs/tag.svg, the picture on the first screen of the README: a real run of `geoclass tag --dry-run`.

    python tools/make_tag_picture.py

The sound is synthesized, so that everyone can make the picture; titles are those of traditional songs. What is
shown is what the command printed.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from mutagen.id3 import ID3, TCON, TIT2, TXXX
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "tag.svg"
COMMAND = ("tag", "--dry-run", "Music")
COLUMNS = 118
sys.path.insert(0, str(ROOT / "examples"))

# File, and what its tags say; the country is what a person wrote.
SONGS = {
    "arirang.mp3": {"title": "아리랑 (진도 아리랑)", "genre": "Folk"},
    "uskudara.mp3": {"title": "Üsküdar'a gider iken aldı da bir yağmur", "genre": "Folk"},
    "sakura.mp3": {"title": "さくらさくら", "genre": "Folk"},
    "kalinka.mp3": {"title": "Калинка, калинка, калинка моя"},
    "greensleeves.mp3": {"title": "Greensleeves", "genre": "Folk"},
    "samiotissa.mp3": {"title": "Σαμιώτισσα, πότε θα πας στη Σάμο", "country": "GR"},
    "track 07.mp3": {},
}


def make_music(folder: Path) -> None:
    """The songs: MP3 with tags."""
    import soundfile
    from synthesize_music import SAMPLE_RATE, SCALES, synthesize

    folder.mkdir()
    for number, (name, says) in enumerate(SONGS.items()):
        scale = sorted(SCALES)[number % len(SCALES)]
        soundfile.write(folder / name, synthesize(scale, artist=number, track=0, seconds=12), SAMPLE_RATE)
        tags = ID3()
        for key, frame in (("title", TIT2), ("genre", TCON)):
            if key in says:
                tags.add(frame(text=says[key]))
        if "country" in says:
            tags.add(TXXX(desc="ARTISTCOUNTRY", text=says["country"]))
        tags.save(folder / name)


def printed(folder: Path) -> str:
    """What the command prints in the folder, on a terminal without colours."""
    line = [sys.executable, "-m", "geoclass", *COMMAND]
    own = os.environ | {"COLUMNS": str(COLUMNS), "NO_COLOR": "1", "GEOCLASS_HOME": str(folder / "home")}
    return subprocess.run(line, cwd=folder, env=own, capture_output=True, text=True, check=True).stdout


def picture(text: str) -> str:
    """A terminal that shows the text, as SVG that fetches nothing."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), (" ".join(("geoclass", *COMMAND)), "bold")))
    console.print(Text(text.rstrip() + "\n"))
    svg = console.export_svg(title="geoclass", unique_id="tag")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: Fira Code, monospace", "font-family: ui-monospace, Menlo, Consolas, monospace", svg)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_music(Path(folder) / "Music")
        text = printed(Path(folder))
    print(text)
    TARGET.write_text(picture(text), encoding="utf-8")


if __name__ == "__main__":
    main()
