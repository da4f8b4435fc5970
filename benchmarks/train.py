"""Training attention-cnn beside the plain way to train it, epoch by epoch on the same data set.

    python benchmarks/train.py [--dataset DIR] [--epochs 6] [--set training.compile=true] [--json result.json]

The plain way is that of the published systems: spectrograms in a pickled DataFrame, a Dataset that indexes its rows,
builds FloatTensors, normalizes and masks them one by one, and a DataLoader with two workers. Network, start weights,
loss, optimizer and masks are the same on both sides; the accuracy is that of the validation tracks, by one function.
"model alone" is the same step on one batch that already lies there: no loader can be faster than that. Each epoch is
one measurement, the three in turn. Without --dataset one is built from synthesized music.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch
from torch import Tensor, nn

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.settings import BuildConfig, ModelConfig, RunConfig, TrainingConfig
from geoclass.config.toml import with_overrides
from geoclass.corpora.folder import Folder
from geoclass.dataset.build import build_dataset
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader
from geoclass.models.registry import create_model
from geoclass.training.loop import new_state, predict_logits, train_epochs
from geoclass.training.runtime import Runtime
from geoclass.training.scores import score_tracks

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from synthesize_music import write_corpus

CPU = Runtime(torch.device("cpu"), "fp32")
SETTINGS = TrainingConfig(precision="fp32", lr=1e-3, class_weights=False, early_stopping=0, schedule="none")


@dataclass
class Times:
    """Of one way to train: an entry per epoch."""

    wall_s: list[float] = field(default_factory=list)
    core_s: list[float] = field(default_factory=list)  # all cores and loader processes
    accuracy: list[float] = field(default_factory=list)

    def measure(self, run: Callable[[], Any]) -> None:
        """Run one epoch's training."""
        busy, begun = _core_seconds(), time.perf_counter()
        run()
        self.wall_s.append(time.perf_counter() - begun)
        self.core_s.append(_core_seconds() - busy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, help="a data set of log-mel segments with one task")
    parser.add_argument("--artists", type=int, default=8, help="of each synthesized country, two songs of 30 s each")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of our side's configuration")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    arguments = parser.parse_args()
    config = RunConfig(model=ModelConfig(name="attention-cnn"), training=replace(SETTINGS, epochs=arguments.epochs))
    config = with_overrides(config, arguments.set)
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        folder = Path(name)
        dataset = Dataset.open(arguments.dataset) if arguments.dataset else synthesized(folder, arguments.artists)
        train = SegmentLoader(dataset, dataset.split("train"), batch_size=config.training.batch_size,
                              device=CPU.device, seed=0)  # fmt: skip
        times = compare(dataset, train, config, folder)
    _report(times, n_segments=len(train.tracks), arguments=arguments)


def synthesized(folder: Path, artists: int, **settings: Any) -> Dataset:
    """A data set of five synthesized countries: twelve segments per artist."""
    write_corpus(folder / "music", artists=artists, tracks=2, seconds=30)
    return build_dataset(Folder(folder / "music"), out=folder / "data", config=BuildConfig(**settings))


def untrained(dataset: Dataset, config: RunConfig, device: torch.device) -> Bundle:
    """A bundle around a fresh network; the same weights at every call."""
    torch.manual_seed(config.training.seed)
    heads = tuple(Head(task=task, kind=dataset.kind(task), labels=dataset.labels[task]) for task in dataset.tasks)
    model = create_model(
        config.model.name,
        n_classes=sum(len(head.labels) for head in heads),
        front_end=dataset.front_end,
        **config.model.arguments,
    )
    return Bundle(
        name="benchmark", release="0", model=model, front_end_config=dataset.front_end,
        segment_seconds=dataset.config.segment_seconds, mean=dataset.mean, std=dataset.std, heads=heads, device=device,
    )  # fmt: skip


def compare(dataset: Dataset, train: SegmentLoader, config: RunConfig, folder: Path) -> dict[str, Times]:
    """Train in all ways, an epoch of each in turn."""
    valid = SegmentLoader(dataset, dataset.split("valid"), batch_size=256, device=CPU.device)
    settings = config.training
    bundle = untrained(dataset, config, CPU.device)
    plain_bundle, alone_bundle = (untrained(dataset, config, CPU.device) for _ in range(2))
    frame = _pickled(dataset, folder)
    state = new_state(bundle.model, config=settings, steps_per_epoch=len(train), runtime=CPU)
    epochs = train_epochs(bundle, state=state, train=train, valid=valid, config=settings, runtime=CPU)
    step = Step(plain_bundle.model, settings)
    alone = Step(alone_bundle.model, settings)
    batch = next(train.epoch(0))
    x, y = bundle.normalize(batch.x), batch.targets[dataset.tasks[0]]
    alone(x, y)  # the first step finds its kernels
    times = {name: Times() for name in ("plain", "geoclass", "model alone")}
    for _ in range(settings.epochs):
        times["plain"].measure(lambda: _plain_epoch(step, frame, dataset, settings))
        scores = score_tracks(plain_bundle.heads, predict_logits(plain_bundle, valid, CPU), valid.split)
        times["plain"].accuracy.append(scores["accuracy"])

        epoch = _timed_epoch(epochs, times["geoclass"])
        times["geoclass"].accuracy.append(epoch.numbers["valid_accuracy"])

        def steps() -> None:
            alone.model.train()
            for _ in range(len(train)):
                alone(x, y)

        times["model alone"].measure(steps)
    return times


class Step:
    """One step of training, as anybody would write it."""

    def __init__(self, model: nn.Module, settings: TrainingConfig, runtime: Runtime = CPU) -> None:
        self.model, self.settings, self.runtime = model, settings, runtime
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
        self.loss = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)

    def __call__(self, x: Tensor, y: Tensor) -> None:
        self.optimizer.zero_grad()
        with self.runtime.autocast():
            loss = self.loss(self.model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.grad_clip)
        self.optimizer.step()


class Rows(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
    """Spectrograms out of a DataFrame, one by one."""

    def __init__(self, frame: pandas.DataFrame, dataset: Dataset, mask_fraction: float) -> None:
        from torchaudio.transforms import FrequencyMasking, TimeMasking

        self.frame = frame
        self.mean, self.std = (torch.FloatTensor(values)[:, None] for values in (dataset.mean, dataset.std))
        n_bands, n_frames = dataset.features.shape[1:]
        self.mask_bands = FrequencyMasking(int(mask_fraction * n_bands))
        self.mask_frames = TimeMasking(int(mask_fraction * n_frames))

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        row = self.frame.iloc[index]
        x = (torch.FloatTensor(row["spectrogram"]) - self.mean) / self.std
        return self.mask_frames(self.mask_bands(x[None]))[0], torch.tensor(row["label"])


def _pickled(dataset: Dataset, folder: Path) -> pandas.DataFrame:
    """The training split as the plain way keeps it: written and read again."""
    split = dataset.split("train")
    labels = split.targets(dataset.tasks[0])[split.track_of_segment]
    spectrograms = [np.asarray(dataset.features[index], np.float32) for index in split.segment_ids]
    pandas.DataFrame({"spectrogram": spectrograms, "label": labels}).to_pickle(folder / "plain.pkl")
    return pandas.read_pickle(folder / "plain.pkl")


def _plain_epoch(step: Step, frame: pandas.DataFrame, dataset: Dataset, settings: TrainingConfig) -> None:
    rows = Rows(frame, dataset, settings.mask_fraction)
    loader = torch.utils.data.DataLoader(
        rows, batch_size=settings.batch_size, shuffle=True, num_workers=2, drop_last=False
    )
    step.model.train()
    for x, y in loader:
        step(x, y)


def _timed_epoch(epochs: Iterator[Any], times: Times) -> Any:
    """The next epoch. The clock of the loop itself leaves the validation out, as it is left out of the others."""
    busy = _core_seconds()
    begun = time.perf_counter()
    epoch = next(epochs)
    share = epoch.numbers["seconds"] / (time.perf_counter() - begun)
    times.wall_s.append(epoch.numbers["seconds"])
    times.core_s.append(share * (_core_seconds() - busy))
    return epoch


def _core_seconds() -> float:
    """Processor time of this process and of those of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _report(times: dict[str, Times], *, n_segments: int, arguments: argparse.Namespace) -> None:
    n_epochs = len(times["plain"].wall_s)
    print(f"{n_segments} segments, {n_epochs} epochs, {torch.get_num_threads()} threads {' '.join(arguments.set)}\n")
    print(f"{'':13}{'segments/s':>12}{'worst':>8}{'best':>8}{'core ms':>9}{'accuracy':>10}")
    for name, of in times.items():
        rates = [n_segments / seconds for seconds in (statistics.median(of.wall_s), max(of.wall_s), min(of.wall_s))]
        core_ms = 1_000 * statistics.median(of.core_s) / n_segments
        accuracy = f"{of.accuracy[-1]:10.3f}" if of.accuracy else ""
        print(f"{name:13}{rates[0]:12.1f}{rates[1]:8.1f}{rates[2]:8.1f}{core_ms:9.2f}{accuracy}")
    walls = {name: statistics.median(of.wall_s) for name, of in times.items()}
    ratio, ceiling = (walls["plain"] / walls[name] for name in ("geoclass", "model alone"))
    print(f"\ngeoclass is {ratio:.2f} times as fast; with no loader at all it would be {ceiling:.2f}")
    if arguments.json:
        document = {
            "segments": n_segments,
            "set": arguments.set,
            "ratio": ratio,
            "ceiling": ceiling,
            "ways": {name: {"wall_s": of.wall_s, "core_s": of.core_s, "accuracy": of.accuracy}
                     for name, of in times.items()},
        }  # fmt: skip
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
