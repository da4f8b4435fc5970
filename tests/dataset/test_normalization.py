"""Mean and standard deviation of a feature store."""

import sys
from pathlib import Path

import numpy as np
import pytest
from peak_memory import peak_growth

from geoclass.dataset.normalization import normalization

OPEN = """
import numpy as np
from geoclass.dataset.normalization import normalization
store = np.load(sys.argv[1], mmap_mode="r")
normalization(store, np.arange(100))
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
def test_memory_does_not_grow_with_the_store(large_store: np.ndarray, tmp_path: Path) -> None:
    grown = peak_growth("normalization(store, np.arange(len(store)))", str(tmp_path / "features.npy"), before=OPEN)
    assert grown < 0.5 * large_store.nbytes
