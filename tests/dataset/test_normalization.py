"""Mean and standard deviation of a feature store."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from geoclass.dataset.normalization import normalization

PEAK = """
import sys, numpy as np
from geoclass.dataset.normalization import normalization
def peak():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
store = np.load(sys.argv[1], mmap_mode="r")
normalization(store, np.arange(100))
before = peak()
normalization(store, np.arange(len(store)))
print(peak() - before)
"""


def test_a_store_on_the_disk_gives_the_numbers_of_the_array(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(3, 2, (700, 8, 5)).astype(np.float16)
    np.save(tmp_path / "features.npy", features)
    train = np.arange(0, 700, 2)
    mean, std = normalization(np.load(tmp_path / "features.npy", mmap_mode="r"), train)
    chosen = features[train].astype(np.float64)
    np.testing.assert_allclose(mean, chosen.mean(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(std, chosen.std(axis=(0, 2)), rtol=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_store(tmp_path: Path) -> None:
    store = np.lib.format.open_memmap(tmp_path / "features.npy", "w+", np.float16, (20_000, 16, 400))  # 256 MB
    store[:] = 1
    store.flush()
    command = [sys.executable, "-c", PEAK, str(tmp_path / "features.npy")]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 0.5 * store.nbytes
