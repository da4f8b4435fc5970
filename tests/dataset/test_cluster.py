"""The same data set from a cluster: byte-identical, also when a worker dies; one error for each thing that is wrong."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_build import assert_same_bytes

from geoclass.corpora.folder import Folder
from geoclass.dataset.build import build_dataset
from geoclass.dataset.dataset import Dataset
from geoclass.errors import ClusterError, UsageError

distributed = pytest.importorskip("distributed", reason="the extra geoclass[cluster] is not installed")


LIMIT_S = 600  # for what hangs


class Cluster:
    """A scheduler and workers as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self._start("distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        deadline = time.monotonic() + LIMIT_S
        while (address := _address_in(file)) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.address = address

    def add_worker(self) -> subprocess.Popen[bytes]:
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder)]
        return self._start("distributed.cli.dask_worker", self.address, *options)

    def wait_for_workers(self) -> None:
        """Until all have arrived."""
        with distributed.Client(self.address, timeout=LIMIT_S, set_as_default=False) as client:
            client.wait_for_workers(len(self.processes) - 1, timeout=LIMIT_S)

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", module, "--host", "127.0.0.1", *arguments]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process


def _address_in(file: Path) -> str | None:
    """None while it is not there, or not yet whole."""
    try:
        return str(json.loads(file.read_text())["address"])
    except (FileNotFoundError, ValueError):
        return None


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = Cluster(folder)
    yield cluster
    for process in cluster.processes:
        process.kill()
        process.wait()


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(
    cluster: Cluster, small_dataset: Dataset, music: Path, tmp_path: Path
) -> None:
    doomed = cluster.add_worker()
    cluster.add_worker()
    cluster.wait_for_workers()
    done = 0

    def kill_one(n: int = 1, *, total: int | None = None, note: str | None = None) -> None:
        nonlocal done
        done += n
        if done == 3:
            doomed.kill()

    again = build_dataset(
        Folder(music), out=tmp_path / "out", config=small_dataset.config, scheduler=cluster.address, progress=kill_one
    )
    assert doomed.wait() != 0
    assert_same_bytes(small_dataset.folder, again.folder)


def test_a_worker_without_the_files_is_named(
    cluster: Cluster, small_dataset: Dataset, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add_worker()
    cluster.wait_for_workers()
    corpus = Folder(music)
    monkeypatch.setattr(corpus, "audio_root", tmp_path / "not mounted")
    with pytest.raises(ClusterError, match=r"worker tcp://.*not mounted") as caught:
        build_dataset(corpus, out=tmp_path / "out", config=small_dataset.config, scheduler=cluster.address)
    assert "same path" in (caught.value.hint or "")


def test_another_version_on_a_worker_is_refused(
    cluster: Cluster, small_dataset: Dataset, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add_worker()
    cluster.wait_for_workers()
    monkeypatch.setattr("geoclass.parallel.cluster.__version__", "99.0")
    with pytest.raises(ClusterError, match=r"99\.0 here and"):
        build_dataset(Folder(music), out=tmp_path / "out", config=small_dataset.config, scheduler=cluster.address)


def test_a_scheduler_that_is_not_there_is_one_error(small_dataset: Dataset, music: Path, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no dask scheduler responds at tcp://127\.0\.0\.1:9"):
        build_dataset(Folder(music), out=tmp_path / "out", config=small_dataset.config, scheduler="tcp://127.0.0.1:9")
    again = build_dataset(Folder(music), out=tmp_path / "out", config=small_dataset.config)
    assert_same_bytes(small_dataset.folder, again.folder)


def test_what_is_no_address_is_not_tried(music: Path, small_dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="my-scheduler: not a valid address"):
        build_dataset(Folder(music), out=tmp_path / "out", config=small_dataset.config, scheduler="my-scheduler")
