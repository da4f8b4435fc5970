"""Files that are not what they seem, decoded and tagged for real: each is told apart, none stops the others."""

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tagging_helpers import SUFFIXES, FakeClassifier, encode

from geoclass.audio.decode import load_excerpt
from geoclass.errors import AudioError
from geoclass.inference.prediction import Failure, Prediction
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.undo import undo

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(2_000)


class DecodingClassifier(FakeClassifier):
    """Decodes for real, then says what the fake one says."""

    def predict_many(self, paths: Iterable[Path]) -> Iterator[Prediction | Failure]:
        for path in paths:
            try:
                load_excerpt(path, sample_rate=22_050, duration_s=30.0)
            except AudioError as error:
                yield Failure(path=path, reason=error.message)
            else:
                yield self.default(path)


def check(paths: list[Path], journal: Path) -> dict[str, str]:
    """Tag and undo; the status by name. What is not reported as written has not changed, the rest comes back."""
    old = {path: path.read_bytes() for path in paths if path.is_file() and path.stat().st_size < 2**30}
    results = apply_plan(plan_tags(DecodingClassifier(), paths=paths), journal=journal)
    assert [result.path for result in results] == paths
    for result in results:
        if result.status == "failed":
            assert result.reason
        if result.status != "written" and result.path in old:
            assert result.path.read_bytes() == old[result.path]
    if journal.exists():
        assert {done.status for done in undo(journal)} == {"restored"}
    assert all(path.read_bytes() == content for path, content in old.items())
    return {result.path.name: result.status for result in results}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cut_off_at_fifty_places(sounds, tmp_path: Path, suffix: str) -> None:
    whole = sounds[suffix]
    paths = []
    for part in range(50):
        path = tmp_path / f"{part:02d}.{suffix}"
        path.write_bytes(whole[: len(whole) * part // 50])
        paths.append(path)
    statuses = check(paths, tmp_path / "journal")
    assert statuses[f"00.{suffix}"] == "failed"
    assert len(statuses) == 50


def test_the_zoo(make, sounds, tmp_path: Path) -> None:
    sound = sounds["mp3"]
    huge = b"ID3\4\0\0\x7f\x7f\x7f\x7f"
    looped = b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom" + struct.pack(">I4sI4s", 16, b"moov", 0, b"udta")
    animals = {
        "jpeg.mp3": JPEG,
        "jpeg.m4a": JPEG,
        "jpeg.flac": JPEG,
        "text.ogg": b"once upon a time",
        "tag-without-sound.mp3": b"ID3\4\0\0\0\0\0\x14" + bytes(20),
        "tag-of-256-MiB.mp3": huge + sound,
        "tag-in-a-tag.mp3": b"ID3\4\0\0\0\0\0\x14" + b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + sound,
        "frame-of-4-GiB.mp3": b"ID3\3\0\0\0\0\0\x14TIT2\xff\xff\xff\xff\0\0" + bytes(10) + sound,
        "frame-headers.mp3": b"\xff\xfb\x90\x64" * 500,
        "atom-of-no-size.m4a": looped,
        "chunk-of-4-GiB.wav": b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff" + bytes(100),
        "chunk-of-no-size.wav": sounds["wav"][:4] + bytes(4) + sounds["wav"][8:],
        "block-of-16-MiB.flac": b"fLaC\x04\xff\xff\xff" + bytes(100),
        "half-a-page.ogg": sounds["ogg"][:40],
        "zeros.mp3": bytes(100_000),
        "random.mp3": os.urandom(50_000),
    }
    paths = []
    for name, content in animals.items():
        (tmp_path / name).write_bytes(content)
        paths.append(tmp_path / name)
    paths.append(make("good.mp3"))
    statuses = check(paths, tmp_path / "journal")
    assert statuses["good.mp3"] == "written"
    never = {name for name in animals if "jpeg" in name or "text" in name or "GiB.wav" in name or "half" in name}
    assert {statuses[name] for name in never | {"tag-without-sound.mp3", "zeros.mp3"}} == {"failed"}


def test_a_sparse_file_of_4_gib(tmp_path: Path) -> None:
    path = tmp_path / "sparse.mp3"
    with open(path, "wb") as file:
        file.truncate(4 * 2**30)
    assert check([path], tmp_path / "journal") == {"sparse.mp3": "failed"}


def test_a_name_that_lies_is_tagged_by_content(tmp_path: Path) -> None:
    path = tmp_path / "really-flac.mp3"
    path.write_bytes(encode("flac"))
    assert check([path], tmp_path / "journal") == {"really-flac.mp3": "written"}
