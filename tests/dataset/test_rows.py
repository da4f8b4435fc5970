"""Rows of a feature store: the ones asked for, as a copy, and no more memory than they take."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from geoclass.dataset import rows
from geoclass.dataset.rows import read_rows

PEAK = """
import sys, numpy as np
from geoclass.dataset.rows import read_rows
def peak():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
store = np.load(sys.argv[1], mmap_mode="r")
before = peak()
found = read_rows(store, np.arange(len(store)))
print(peak() - before, found.nbytes)
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
def test_what_is_read_is_not_in_memory_twice(tmp_path: Path) -> None:
    store = np.lib.format.open_memmap(tmp_path / "features.npy", "w+", np.float16, (20_000, 16, 400))  # 256 MB
    store[:] = 1
    store.flush()
    line = [sys.executable, "-c", PEAK, str(tmp_path / "features.npy")]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    grown, needed = map(int, done.stdout.split())
    assert needed <= grown < 1.4 * needed
