"""The documentation: what it says to type is typed here, what is generated is current, what is described is written."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from corpus_trees import fma_row, write_fma
from mutagen.id3 import ID3, TCON, TPE1, TXXX
from typer.main import get_command
from typer.testing import CliRunner

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.cli.app import app
from geoclass.config.frontends import TableConfig
from geoclass.models.registry import create_model

ROOT = Path(__file__).parents[2]
GENERATED = {"commands.md"}
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted(ROOT.glob("docs/*.md")) if path.name not in GENERATED)]
PROGRAMS = ("geoclass", "python", "python3", "torchrun", "dask", "pip", "pipx", "uv", "beet")
COUNTRIES = {"US": "Brooklyn, NY", "GB": "London, UK", "CA": "Montreal, Canada"}
SMALL = {
    "train": ["--epochs", "1", "--device", "cpu", "--set", "model.channels=[8,8,8]"],
    "evaluate": ["--bootstrap", "20"],
}


@dataclass(frozen=True)
class Block:
    """Commands that stand together on a page, and why they are not run ("" when they are)."""

    page: str
    lines: tuple[str, ...]
    excuse: str


def blocks(page: str) -> Iterator[Block]:
    excuse, found, fenced = "", [], False
    for line in [*(ROOT / page).read_text(encoding="utf-8").splitlines(), "end"]:
        if line.startswith("```"):
            fenced = not fenced
        is_code = fenced or line.startswith("    ")
        if is_code and line.split()[:1] and line.split()[0] in PROGRAMS:
            found.append(line.strip())
        elif not is_code and line.strip():
            if found:
                yield Block(page, tuple(found), excuse)
                excuse, found = "", []
            comment = re.fullmatch(r"<!-- not run: (.+) -->", line.strip())
            excuse = comment[1] if comment else ""


ALL = [block for page in PAGES for block in blocks(page)]


@pytest.fixture(scope="module")
def home(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with ~/Music, partly tagged, and ~/fma; its working folder is where the commands are typed."""
    root = tmp_path_factory.mktemp("home")
    shutil.copytree(music, root / "Music")
    songs = sorted((root / "Music").rglob("*.mp3"))
    for number, song in enumerate(songs[::2]):
        tags = ID3()
        tags.add(TPE1(text=song.parent.name))
        tags.add(TCON(text="Folk"))
        tags.add(TXXX(desc="ARTISTCOUNTRY", text=("TR", "US", "GB")[number % 3]))
        tags.save(song)
    shutil.copy(songs[0], root / "Music" / "TR" / "song.mp3")
    rows = [
        fma_row(
            10 * artist + track, artist_location=place, artist_latitude="", artist_longitude="", set_split="training"
        )
        for artist, place in enumerate([place for place in COUNTRIES.values() for _ in range(5)], start=1)
        for track in range(2)
    ]
    fma = write_fma(root / "fma", rows)
    for number, path in enumerate(sorted((fma / "fma_small").rglob("*.mp3"))):
        shutil.copy(songs[number], path)
    work = root / "work"
    work.mkdir()
    shutil.copy(songs[0], work / "song.mp3")
    (work / "features.csv").write_text("track,c1,c2\na,1,2\nb,3,4\n")
    front_end = TableConfig(columns=("c1", "c2"))
    torch.manual_seed(0)
    Bundle(
        name="table-run", release="1", model=create_model("fcnn", n_classes=2, front_end=front_end),
        front_end_config=front_end, segment_seconds=0.0, mean=np.zeros(2, np.float32), std=np.ones(2, np.float32),
        heads=(Head(task="country", kind="single", labels=("TR", "GR")),),
    ).save(work / "table-run")  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.setenv("HOME", str(root))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield root


def typed(line: str, *, allowed: tuple[int, ...] = (0,)) -> str:
    """Type a line of the documentation, made small; what it prints on stdout."""
    words = [os.path.expanduser(word) for word in shlex.split(line, comments=True)]
    named = {"MODEL": "run", "DATASET": "fma-country", "DIR": "fma-country", "A": "run", "B": "run-b", "C": "run-c"}
    words = [named.get(word, word) for word in words]
    if words[0] != "geoclass":
        assert words[0] == "python", line
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=True, timeout=600)
        return done.stdout
    words = ["cpu" if word == "cuda" else word for word in words[1:]]
    extra = SMALL.get(words[0], []) if "--library" not in words else []
    if words[0] == "train" and "--model" not in words:
        extra = [*extra, "--model", "attention-cnn"]
    result = CliRunner().invoke(app, [*words, *extra])
    assert result.exit_code in allowed, f"{line}: {result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def trained(home: Path) -> Path:
    """What the pages call `run` and `fma-country`, and two more runs to compare it with."""
    typed("geoclass build-dataset fma-country --fma-root ~/fma --countries US,GB,CA")
    typed("geoclass train fma-country --model attention-cnn --run-dir run")
    shutil.copytree("run", "run-b")
    shutil.copytree("run", "run-c")
    return home


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_has_a_reason(page: str) -> None:
    for block in blocks(page):
        others = [line for line in block.lines if not line.startswith(("geoclass ", "python -c"))]
        assert not others or block.excuse, f"{page}: {others}"
        assert not block.excuse or len(block.excuse.split()) > 2


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({block.page for block in ALL if not block.excuse}))
def test_commands_do_what_they_are_told(
    page: str, trained: Path, monkeypatch: pytest.MonkeyPatch, geoclass_home
) -> None:
    if page in ("README.md", "docs/researchers.md"):  # these build and train for themselves
        for folder in ("run", "fma-country"):
            shutil.rmtree(folder)
    Path("embeddings.npy").unlink(missing_ok=True)  # is never replaced
    for block in ALL:
        if block.page == page and not block.excuse:
            for line in block.lines:
                typed(line, allowed=(0, 2) if line.startswith("geoclass undo") else (0,))


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_text_exist(page: str) -> None:
    commands = get_command(app).commands
    for line in re.findall(r"`geoclass ([a-z][^`]*)`", (ROOT / page).read_text(encoding="utf-8").replace("\n", " ")):
        name, *words = shlex.split(line)
        command = commands[name]
        if words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= known, f"{page}: geoclass {line}"


@pytest.mark.parametrize("tool", ["write_command_docs.py", "write_settings_docs.py"])
def test_generated_pages_are_current(tool: str) -> None:
    line = [sys.executable, ROOT / "tools" / tool, "--check"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_setting_has_a_word_of_explanation() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from write_settings_docs import SECTIONS, fields_of
    finally:
        sys.path.pop(0)
    from geoclass.config import settings

    for kind, _ in SECTIONS.values():
        for name, _, _, comment in fields_of(settings, kind.__name__):
            assert comment, f"{kind.__name__}.{name}"


def test_the_site_builds_and_has_every_page(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    pytest.importorskip("mkdocstrings", reason="the extra docs is not installed")
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    for page in ROOT.glob("docs/*.md"):
        assert (tmp_path / "site" / page.stem / "index.html").exists() or page.stem == "index"
    assert "load_audio" in (tmp_path / "site" / "python" / "index.html").read_text(encoding="utf-8")


def validator(name: str):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.slow
def test_what_is_written_follows_the_schemas(trained: Path) -> None:
    (trained / "Music" / "bad.mp3").write_bytes(b"no sound")
    tagged = typed("geoclass tag --dry-run --json ~/Music", allowed=(1,))
    lines = [json.loads(line) for line in tagged.splitlines()]
    assert {line["status"] for line in lines} >= {"failed"}
    for line in lines:
        validator("tag").validate(line)
    predicted = typed("geoclass predict --json ~/Music", allowed=(1,))
    for line in predicted.splitlines():
        validator("predict").validate(json.loads(line))
    (trained / "Music" / "bad.mp3").unlink()
    typed("geoclass evaluate run --dataset fma-country --report report-schema/")
    validator("metrics").validate(json.loads(Path("report-schema/metrics.json").read_text(encoding="utf-8")))


@pytest.mark.slow
def test_the_picture_of_the_readme_is_a_real_run(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import make_tag_picture as tool
    finally:
        sys.path.pop(0)
    tool.make_music(tmp_path / "Music")
    text = tool.printed(tmp_path)
    lines = {name: next(line for line in text.splitlines() if line.endswith(name)) for name in tool.SONGS}
    assert "KR" in lines["arirang.mp3"]
    assert "GR kept" in lines["samiotissa.mp3"]
    assert "unsure" in lines["track 07.mp3"]
    svg = tool.picture(text)
    assert "@font-face" not in svg
    shown = re.sub(r"<[^>]+>|&#160;|\s", "", (ROOT / "docs" / "tag.svg").read_text(encoding="utf-8"))
    for name in tool.SONGS:
        assert re.sub(r"\s", "", name) in shown
