"""Tagging on a GPU: files per second through a network, beside decoding them with all cores. `gpu_train.py` runs it.

The network is untrained and has the published size; files are synthesized MP3s of three minutes, of which the middle
30 s are decoded, resampled, looked at for silence and speech, and predicted. Rounds alternate; the first one does not
count.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from tag import copies
from train import untrained

from geoclass.audio.decode import load_excerpt
from geoclass.config.settings import ModelConfig, RunConfig
from geoclass.dataset.dataset import Dataset
from geoclass.inference.classifier import Classifier
from geoclass.parallel.threads import default_workers, ordered_map

MODELS = ("attention-cnn", "resnet")
EXCERPT_S = 30.0  # as `tag` takes


@dataclass(frozen=True)
class Rate:
    """Of one model."""

    model: str
    files_per_s: float
    of_decoding: float  # of what all cores decode in the same time


def measure(dataset: Dataset, folder: Path, *, device: torch.device, n_files: int, rounds: int = 3) -> list[Rate]:
    """Medians over the rounds."""
    files = list(copies(folder, None, n_files))
    rate = dataset.front_end.sample_rate  # type: ignore[union-attr]

    def decode(path: Path) -> None:
        load_excerpt(path, sample_rate=rate, duration_s=EXCERPT_S)

    ways: dict[str, Callable[[], Iterable[object]]] = {
        "decode": lambda: ordered_map(decode, files, workers=default_workers())
    }
    for name in MODELS:
        classifier = Classifier(untrained(dataset, RunConfig(model=ModelConfig(name=name)), device))
        ways[name] = partial(classifier.predict_many, files)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            begun = time.perf_counter()
            for _ in way():
                pass
            seconds[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(values[1:]) for name, values in seconds.items()}
    return [Rate(name, n_files / medians[name], medians["decode"] / medians[name]) for name in MODELS]
