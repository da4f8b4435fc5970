"""The benchmarks run, at a size at which their figures mean nothing, and count what they say they count."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from geoclass.config.settings import ModelConfig, RunConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import gpu_train  # noqa: E402
import growth  # noqa: E402
import train as train_benchmark  # noqa: E402

SMALL = RunConfig(
    model=ModelConfig(name="attention-cnn", arguments={"channels": [16, 8, 8]}),
    training=replace(train_benchmark.SETTINGS, epochs=2, batch_size=16),
)


@pytest.mark.parametrize(("power", "slope"), [(1, 1.0), (2, 2.0)])
def test_the_slope_of_growth_leaves_the_start_out(power: int, slope: float) -> None:
    def cost(tracks: int) -> growth.Cost:
        return growth.Cost("build", tracks, 0.0, 50.0 + 1e-3 * tracks**power, 300.0 + 2e-3 * tracks)

    ((found, memory_kb),) = growth._slopes([cost(tracks) for tracks in (10, 1_000, 10_000)]).values()
    assert found == pytest.approx(slope, abs=0.01)
    assert memory_kb == pytest.approx(2.0)


def test_both_ways_to_train_do_the_same_work(small_dataset: Dataset, tmp_path: Path) -> None:
    train = SegmentLoader(
        small_dataset, small_dataset.split("train"), batch_size=16, device=torch.device("cpu"), seed=0
    )
    times = train_benchmark.compare(small_dataset, train, SMALL, tmp_path)
    assert list(times) == ["plain", "geoclass", "model alone"]
    for way in times.values():
        assert len(way.wall_s) == len(way.core_s) == 2
        assert min(way.wall_s) > 0
    for way in (times["plain"], times["geoclass"]):
        assert all(0 <= accuracy <= 1 for accuracy in way.accuracy)
        assert len(way.accuracy) == 2


def test_the_plain_rows_are_the_normalized_segments(small_dataset: Dataset, tmp_path: Path) -> None:
    rows = train_benchmark.Rows(train_benchmark._pickled(small_dataset, tmp_path), small_dataset, 0.0)
    bundle = train_benchmark.untrained(small_dataset, SMALL, torch.device("cpu"))
    split = small_dataset.split("train")
    x, label = rows[3]
    raw = torch.from_numpy(small_dataset.features[split.segment_ids[3:4]])
    torch.testing.assert_close(x, bundle.normalize(raw)[0])
    assert label == split.targets("country")[split.track_of_segment[3]]


def test_the_gpu_benchmark_tries_itself_on_the_cpu(
    small_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    line = [
        "--dataset",
        small_dataset.folder,
        "--device",
        "cpu",
        "--precision",
        "fp32",
        "--epochs",
        1,
        "--json",
        result,
    ]
    monkeypatch.setattr(sys, "argv", ["gpu_train.py", *map(str, line)])
    gpu_train.main()
    assert "of bare" in capsys.readouterr().out
    document = json.loads(result.read_text())
    assert document["precisions"]["fp32"]["of_bare"] > 0
    assert document["precisions"]["fp32"]["accuracy"] == [document["accuracy_wanted"]]


def test_the_gpu_benchmark_says_so_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu_train.py"])
    gpu_train.main()
    assert capsys.readouterr().out == "there is no GPU here: nothing was measured\n"


@pytest.mark.slow
def test_the_gpu_benchmark_tries_every_way_and_tags(
    small_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    line = f"gpu_train.py --dataset {small_dataset.folder} --device cpu --precision fp32 --epochs 1 --files 2"
    monkeypatch.setattr(sys, "argv", [*line.split(), "--also", "channels_last", "--json", str(result)])
    gpu_train.main()
    rows = [row.split()[0] for row in capsys.readouterr().out.splitlines() if row]
    assert rows[1:] == ["train", "fp32", "fp32", "tag", "attention-cnn", "resnet"]
    document = json.loads(result.read_text())
    assert list(document["precisions"]) == ["fp32", "fp32 channels_last"]
    assert all(rate["of_decoding"] > 0 for rate in document["tag"].values())


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "line",
    [
        "build.py --files 12 --repeats 1",
        "startup.py --repeats 1",
        "growth.py --tracks 300 400 --steps build train",
        "train.py --artists 4 --epochs 1",
    ],
)
def test_a_benchmark_runs_to_its_end(line: str, tmp_path: Path) -> None:
    name, *arguments = line.split()
    command = [sys.executable, str(BENCHMARKS / name), *arguments, "--json", str(tmp_path / "result.json")]
    subprocess.run(command, check=True, capture_output=True)
    assert json.loads((tmp_path / "result.json").read_text())
