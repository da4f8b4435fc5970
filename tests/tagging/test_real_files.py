"""Real recordings: tagged copies sound the same, sample by sample, and undo gives back the files."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tagging_helpers import FakeClassifier

from geoclass.audio.decode import load_audio
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.undo import undo

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PER_FOLDER = 2


def recordings() -> list[Path]:
    """A few of each folder and format."""
    found: dict[tuple[Path, str], list[Path]] = {}
    for path in sorted(DATA.rglob("*")):
        if path.suffix in (".mp3", ".ogg", ".flac", ".wav", ".m4a"):
            found.setdefault((path.parent, path.suffix), []).append(path)
    return [path for paths in found.values() for path in paths[:PER_FOLDER]]


def test_real_recordings_come_back_to_the_byte(tmp_path: Path) -> None:
    originals = recordings()
    if not originals:
        pytest.skip(f"no recordings in {DATA}")
    copies = []
    for index, original in enumerate(originals):
        copy = tmp_path / f"{index:03d}{original.suffix}"
        shutil.copyfile(original, copy)
        copies.append(copy)
    results = apply_plan(plan_tags(FakeClassifier(), paths=copies), journal=tmp_path / "journal")
    assert [(result.status, result.reason) for result in results] == [("written", "")] * len(copies)
    for original, copy in zip(originals, copies, strict=True):
        np.testing.assert_array_equal(
            load_audio(copy, sample_rate=44_100, duration_s=10), load_audio(original, sample_rate=44_100, duration_s=10)
        )
    assert {done.status for done in undo(tmp_path / "journal")} == {"restored"}
    for original, copy in zip(originals, copies, strict=True):
        assert copy.read_bytes() == original.read_bytes()
