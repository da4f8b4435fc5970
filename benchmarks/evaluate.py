"""Time and memory of evaluating, drawing and writing 100,000 predictions over 57 classes (t-SNE aside).

python benchmarks/evaluate.py [--kind multi] [--tracks N]
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from geoclass.evaluation.predict import SplitPredictions
from geoclass.evaluation.report import report_on
from geoclass.geo.countries import country_codes
from geoclass.metrics.predictions import TaskPredictions

LIMIT_S, LIMIT_GB = 60, 2


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--kind", choices=["single", "multi"], default="single")
    arguments.add_argument("--tracks", type=int, default=100_000)
    arguments.add_argument("--classes", type=int, default=57)
    options = arguments.parse_args()
    source = imaginary(options.tracks, options.classes, options.kind)
    context = {
        "model": "imaginary", "dataset": {"name": "imaginary", "fingerprint": "0" * 64}, "split": "test",
        "group": "artist", "protocol": "artist-disjoint",
    }  # fmt: skip
    wall, processor = time.perf_counter(), time.process_time()
    report = report_on(source, context=context, majority=None, bootstrap=1000, seed=0)
    print(f"metrics and intervals   {time.perf_counter() - wall:6.1f} s")
    with tempfile.TemporaryDirectory() as folder:
        written = report.write(Path(folder))
        size = sum(file.stat().st_size for file in written.iterdir()) / 1e6
    taken, used = time.perf_counter() - wall, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"with pictures and files {taken:6.1f} s, processor {used:.1f} s")
    print(f"{memory:.2f} GB at most, {size:.0f} MB written")
    return 0 if taken < LIMIT_S and memory < LIMIT_GB else 1


def imaginary(n_tracks: int, n_classes: int, kind: str) -> SplitPredictions:
    """Predictions that are right more often than not, five tracks per artist."""
    generator = np.random.default_rng(0)
    if kind == "multi":
        truth = (generator.random((n_tracks, n_classes)) < 0.05).astype(np.int64)
        targets = truth
        labels = tuple(f"Genre {index}" for index in range(n_classes))
    else:
        truth = generator.integers(0, n_classes, n_tracks)
        targets = np.eye(n_classes, dtype=np.float32)[truth]
        labels = country_codes()[:: len(country_codes()) // n_classes][:n_classes]
    logits = generator.normal(size=(n_tracks, n_classes)).astype(np.float32) + 3 * targets
    if kind == "multi":
        probabilities = 1 / (1 + np.exp(2 - logits))
    else:
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    probabilities = probabilities.astype(np.float32)
    names = tuple(f"{index:06d}" for index in range(n_tracks))
    artists = tuple(f"artist {index // 5}" for index in range(n_tracks))
    predictions = TaskPredictions(
        task="genre" if kind == "multi" else "country", kind=kind, labels=labels, track_ids=names, artist_ids=artists,
        truth=truth, probabilities=probabilities, segment_truth=truth, segment_probabilities=probabilities,
        segment_track=np.arange(n_tracks), threshold=0.5,
    )  # fmt: skip
    paths = [f"{name[:3]}/{name}.mp3" for name in names]
    return SplitPredictions(
        predictions=predictions,
        tracks=pd.DataFrame({"track_id": names, "path": paths, "artist_id": artists}),
        uncalibrated=probabilities,
        embeddings=None,
        omitted={"tracks": 0, "labels_unknown_to_the_model": [], "labels_never_in_the_data": []},
    )


if __name__ == "__main__":
    raise SystemExit(main())
