"""Files to tag, in a folder of their own, beside a user folder of their own."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tagging_helpers import SUFFIXES, FakeClassifier, encode


@pytest.fixture(scope="session")
def sounds() -> dict[str, bytes]:
    """One second of sound by suffix."""
    return {suffix: encode(suffix) for suffix in SUFFIXES}


@pytest.fixture
def make(tmp_path: Path, sounds: Mapping[str, bytes]):
    """make("a.mp3") writes a file of that format and gives its path."""

    def write(name: str, *, tag: bytes = b"") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tag + sounds[path.suffix[1:]])
        return path

    return write


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user folder of the test's own."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("GEOCLASS_HOME", str(folder))
    return folder


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
