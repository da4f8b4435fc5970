"""Rows of a feature store: the ones asked for, as a copy, and no more memory than they take."""

import sys
from pathlib import Path

import numpy as np
import pytest
from peak_memory import peak_growth

from geoclass.dataset import rows
from geoclass.dataset.rows import read_rows

OPEN = """
import numpy as np
from geoclass.dataset.rows import read_rows
store = np.load(sys.argv[1], mmap_mode="r")
"""


@pytest.mark.parametrize("block_bytes", [1, 100, 32_000_000])
def test_rows_come_in_the_order_asked_for_whatever_is_read_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(rows, "_BLOCK_BYTES", block_bytes)
    features = np.random.default_rng(0).normal(size=(50, 2, 3)).astype(np.float16)
    np.save(tmp_path / "features.npy", features)
    wanted = np.array([7, 3, 3, 49, 0])
    for store in (features, np.load(tmp_path / "features.npy", mmap_mode="r")):
        found = read_rows(store, wanted)
        assert [row.tobytes() for row in found] == [features[row].tobytes() for row in wanted]
        assert found.dtype == np.float16
        found[:] = 0  # a copy: the store stays as it is
        np.testing.assert_array_equal(store, features)
        assert read_rows(store, wanted[:0]).shape == (0, 2, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_what_is_read_is_not_in_memory_twice(large_store: np.ndarray, tmp_path: Path) -> None:
    step = "found = read_rows(store, np.arange(len(store)))"
    grown = peak_growth(step, str(tmp_path / "features.npy"), before=OPEN)
    assert large_store.nbytes <= grown < 1.4 * large_store.nbytes
