"""What is decoded is counted; sound files of every format come from the tests of tagging."""

import sys
from pathlib import Path

import numpy as np
import pytest

from geoclass.inference import hearing

sys.path.insert(0, str(Path(__file__).parents[1] / "tagging"))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are decoded."""
    found: list[Path] = []
    load = hearing.load_excerpt

    def counting(path: Path, **options: float) -> np.ndarray:
        found.append(path)
        return load(path, **options)

    monkeypatch.setattr(hearing, "load_excerpt", counting)
    return found
