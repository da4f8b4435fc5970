"""A feature store that is large beside the libraries of a process."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def large_store(tmp_path: Path) -> "np.memmap[tuple[int, ...], np.dtype[np.float16]]":
    """(20,000, 16, 400) in tmp_path / "features.npy": 256 MB."""
    store = np.lib.format.open_memmap(tmp_path / "features.npy", "w+", np.float16, (20_000, 16, 400))
    store[:] = 1
    store.flush()
    return store
