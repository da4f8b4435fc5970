"""On a GPU: training beside the bare model, in each precision, layout and compiled; then tagging beside decoding.

    python benchmarks/gpu_train.py [--dataset DIR] [--model attention-cnn] [--epochs 8] [--json result.json]

"bare" is the same network, loss and optimizer in the same way on batches that already lie on the device, normalized
and unmasked. Each epoch is one measurement, the ways in turn. "s to" is the training time until the validation accuracy
first reaches the least of the best that all ways reach; compiling is not in it, for the bare model has compiled the
same code by then. Tagging is that of `gpu_tag.py`. Without a GPU it says so and ends; --device cpu tries the benchmark
itself. Without --dataset one is built from synthesized music.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from gpu_tag import Rate, measure
from train import SETTINGS, Step, synthesized, untrained

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader
from geoclass.training.loop import new_state, train_epochs
from geoclass.training.runtime import Runtime

OPTIONS = ("channels_last", "compile")


@dataclass(frozen=True)
class Way:
    """One way to train."""

    runtime: Runtime
    option: str = ""  # of TrainingConfig, switched on: "channels_last" or "compile"

    @property
    def name(self) -> str:
        """Its row in the table."""
        return " ".join(filter(None, (self.runtime.precision, self.option)))

    def settings(self, settings: TrainingConfig) -> TrainingConfig:
        """With its option."""
        return replace(settings, **{self.option: True}) if self.option else settings

    def bundle(self, dataset: Dataset, config: RunConfig) -> Bundle:
        """A fresh network, laid out as it wants it."""
        bundle = untrained(dataset, config, self.runtime.device)
        if self.option == "channels_last":
            bundle.model.to(memory_format=torch.channels_last)
        return bundle


@dataclass
class Times:
    """Of one way: an entry per epoch, training alone."""

    geoclass_s: list[float] = field(default_factory=list)
    bare_s: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    @property
    def of_bare(self) -> float:
        """Throughput, as a part of the bare model's."""
        return statistics.median(self.bare_s) / statistics.median(self.geoclass_s)

    def seconds_to(self, accuracy: float) -> float:
        """Training time until the validation tracks are named so well."""
        first = next(index for index, reached in enumerate(self.accuracy) if reached >= accuracy)
        return sum(self.geoclass_s[: first + 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, help="a data set of log-mel segments with one task")
    parser.add_argument("--artists", type=int, default=200, help="of each synthesized country, two songs of 30 s each")
    parser.add_argument("--model", default="attention-cnn")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"], choices=["fp32", "bf16"])
    parser.add_argument("--also", nargs="*", choices=OPTIONS, help="in the last precision; on a GPU, by default all")
    parser.add_argument("--files", type=int, help="to tag; 1,000 on a GPU by default, otherwise none")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    on_gpu = device.type == "cuda"
    if on_gpu and not torch.cuda.is_available():
        print("there is no GPU here: nothing was measured")
        return
    ways = [Way(Runtime(device, precision)) for precision in arguments.precision]
    also = arguments.also if arguments.also is not None else OPTIONS if on_gpu else ()
    ways += [Way(ways[-1].runtime, option) for option in also]
    n_files = arguments.files if arguments.files is not None else 1_000 if on_gpu else 0
    training = replace(SETTINGS, epochs=arguments.epochs, batch_size=arguments.batch_size)
    config = RunConfig(model=ModelConfig(name=arguments.model), training=training)
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        dataset = Dataset.open(arguments.dataset) if arguments.dataset else synthesized(Path(name), arguments.artists)
        n_segments = len(dataset.split("train").segment_ids)
        times = compare(dataset, config, ways)
        rates = measure(dataset, Path(name), device=device, n_files=n_files) if n_files else []
    where = torch.cuda.get_device_name(device) if on_gpu else arguments.device
    versions = f"torch {torch.__version__}" + (f", CUDA {torch.version.cuda}" if on_gpu else "")
    target = min(max(of.accuracy) for of in times.values())
    print(f"{where}, {versions}: {arguments.model}, {n_segments} segments, {arguments.epochs} epochs\n")
    _print_training(times, n_segments=n_segments, target=target)
    _print_tagging(rates)
    if arguments.json:
        document = {
            "device": where,
            "versions": versions,
            "segments": n_segments,
            "accuracy_wanted": target,
            "precisions": {way: _numbers(of, target) for way, of in times.items()},
            "tag": {rate.model: {"files_per_s": rate.files_per_s, "of_decoding": rate.of_decoding} for rate in rates},
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")


def _print_training(times: dict[str, Times], *, n_segments: int, target: float) -> None:
    print(f"{'train':20}{'segments/s':>12}{'bare':>10}{'of bare':>9}{'accuracy':>10}{f's to {target:.3f}':>12}")
    for way, of in times.items():
        rates = [n_segments / statistics.median(seconds) for seconds in (of.geoclass_s, of.bare_s)]
        print(
            f"{way:20}{rates[0]:12.0f}{rates[1]:10.0f}{of.of_bare:9.2f}{of.accuracy[-1]:10.3f}"
            f"{of.seconds_to(target):12.2f}"
        )


def _print_tagging(rates: list[Rate]) -> None:
    if rates:
        print(f"\n{'tag':20}{'files/s':>12}{'decoding':>10}{'of it':>9}")
    for rate in rates:
        decoding = rate.files_per_s / rate.of_decoding
        print(f"{rate.model:20}{rate.files_per_s:12.1f}{decoding:10.1f}{rate.of_decoding:9.2f}")


def _numbers(of: Times, target: float) -> dict[str, object]:
    return {
        "geoclass_s": of.geoclass_s,
        "bare_s": of.bare_s,
        "of_bare": of.of_bare,
        "accuracy": of.accuracy,
        "seconds_to_accuracy": of.seconds_to(target),
    }


def compare(dataset: Dataset, config: RunConfig, ways: list[Way]) -> dict[str, Times]:
    """Train in each way and the bare model beside it, an epoch of each in turn."""
    times = {way.name: Times() for way in ways}
    running = []
    for way in ways:
        settings, runtime = way.settings(config.training), way.runtime
        train = SegmentLoader(
            dataset, dataset.split("train"), batch_size=settings.batch_size, device=runtime.device, seed=0
        )
        valid = SegmentLoader(dataset, dataset.split("valid"), batch_size=1_024, device=runtime.device)
        bundle = way.bundle(dataset, config)
        state = new_state(bundle.model, config=settings, steps_per_epoch=len(train), runtime=runtime)
        epochs = train_epochs(bundle, state=state, train=train, valid=valid, config=settings, runtime=runtime)
        alone = way.bundle(dataset, config).model
        step = Step(torch.compile(alone) if settings.compile else alone, settings, runtime)  # type: ignore[arg-type]
        _bare_epoch(step, train, bundle, steps=3)  # the first steps find their kernels
        running.append((times[way.name], train, bundle, epochs, step))
    for _ in range(config.training.epochs):
        for of, train, bundle, epochs, step in running:
            epoch = next(epochs)
            of.geoclass_s.append(epoch.numbers["seconds"])
            of.accuracy.append(epoch.numbers["valid_accuracy"])
            of.bare_s.append(_bare_epoch(step, train, bundle, steps=len(train)))
    return times


def _bare_epoch(step: Step, train: SegmentLoader, bundle: Bundle, *, steps: int) -> float:
    """Seconds for as many segments as an epoch has, from some steps on four batches that lie on the device."""
    batches = []
    for batch in train.epoch(0):
        batches.append((bundle.normalize(batch.x), batch.targets[bundle.tasks[0]]))
        if len(batches) == 4:
            break
    step.model.train()
    n_segments = 0
    _synchronize(bundle.device)
    begun = time.perf_counter()
    for index in range(steps):
        x, y = batches[index % len(batches)]
        step(x, y)
        n_segments += len(x)
    _synchronize(bundle.device)
    return (time.perf_counter() - begun) * len(train.tracks) / n_segments


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
