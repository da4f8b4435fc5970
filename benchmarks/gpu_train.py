"""Training on a GPU: how much of the bare model's throughput is kept, bf16 beside fp32, time to the same accuracy.

    python benchmarks/gpu_train.py [--dataset DIR] [--model attention-cnn] [--epochs 8] [--json result.json]

"bare" is the same network, loss and optimizer in the same precision on batches that already lie on the device,
normalized and unmasked. Each epoch is one measurement, the precisions and ways in turn. "to accuracy" is the training
time until the validation accuracy first reaches the least of the best that both precisions reach. Without a GPU it
says so and ends; --device cpu tries the benchmark itself. Without --dataset one is built from synthesized music.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from train import SETTINGS, Step, synthesized, untrained

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import ModelConfig, RunConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader
from geoclass.training.loop import new_state, train_epochs
from geoclass.training.runtime import Runtime


@dataclass
class Times:
    """Of one precision: an entry per epoch, training alone."""

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
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("there is no GPU here: nothing was measured")
        return
    training = replace(SETTINGS, epochs=arguments.epochs, batch_size=arguments.batch_size)
    config = RunConfig(model=ModelConfig(name=arguments.model), training=training)
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        dataset = Dataset.open(arguments.dataset) if arguments.dataset else synthesized(Path(name), arguments.artists)
        n_segments = len(dataset.split("train").segment_ids)
        times = compare(dataset, config, [Runtime(device, precision) for precision in arguments.precision])
    target = min(max(of.accuracy) for of in times.values())
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else arguments.device
    print(f"{where}: {arguments.model}, {n_segments} segments, {arguments.epochs} epochs\n")
    print(f"{'':6}{'segments/s':>12}{'bare':>10}{'of bare':>9}{'accuracy':>10}{f's to {target:.3f}':>12}")
    for precision, of in times.items():
        rates = [n_segments / statistics.median(seconds) for seconds in (of.geoclass_s, of.bare_s)]
        print(
            f"{precision:6}{rates[0]:12.0f}{rates[1]:10.0f}{of.of_bare:9.2f}{of.accuracy[-1]:10.3f}"
            f"{of.seconds_to(target):12.2f}"
        )
    if arguments.json:
        document = {
            precision: {"geoclass_s": of.geoclass_s, "bare_s": of.bare_s, "of_bare": of.of_bare,
                        "accuracy": of.accuracy, "seconds_to_accuracy": of.seconds_to(target)}
            for precision, of in times.items()
        }  # fmt: skip
        document = {"device": where, "segments": n_segments, "accuracy_wanted": target, "precisions": document}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")


def compare(dataset: Dataset, config: RunConfig, runtimes: list[Runtime]) -> dict[str, Times]:
    """Train in each precision and the bare model beside it, an epoch of each in turn."""
    settings = config.training
    times = {runtime.precision: Times() for runtime in runtimes}
    ways = []
    for runtime in runtimes:
        train = SegmentLoader(
            dataset, dataset.split("train"), batch_size=settings.batch_size, device=runtime.device, seed=0
        )
        valid = SegmentLoader(dataset, dataset.split("valid"), batch_size=1_024, device=runtime.device)
        bundle = untrained(dataset, config, runtime.device)
        state = new_state(bundle.model, config=settings, steps_per_epoch=len(train), runtime=runtime)
        epochs = train_epochs(bundle, state=state, train=train, valid=valid, config=settings, runtime=runtime)
        ways.append((runtime, train, bundle, epochs))
    bare = [Step(untrained(dataset, config, runtime.device).model, settings, runtime) for runtime in runtimes]
    for (_, train, bundle, _), step in zip(ways, bare, strict=True):
        _bare_epoch(step, train, bundle, steps=3)  # the first steps find their kernels
    for _ in range(settings.epochs):
        for (runtime, train, bundle, epochs), step in zip(ways, bare, strict=True):
            epoch = next(epochs)
            times[runtime.precision].geoclass_s.append(epoch.numbers["seconds"])
            times[runtime.precision].accuracy.append(epoch.numbers["valid_accuracy"])
            times[runtime.precision].bare_s.append(_bare_epoch(step, train, bundle, steps=len(train)))
    return times


def _bare_epoch(step: Step, train: SegmentLoader, bundle: Bundle, *, steps: int) -> float:
    """Seconds of as many steps as an epoch has, on four batches that lie on the device."""
    batches = []
    for batch in train.epoch(0):
        batches.append((bundle.normalize(batch.x), batch.targets[bundle.tasks[0]]))
        if len(batches) == 4:
            break
    step.model.train()
    _synchronize(bundle.device)
    begun = time.perf_counter()
    for index in range(steps):
        step(*batches[index % len(batches)])
    _synchronize(bundle.device)
    return time.perf_counter() - begun


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
