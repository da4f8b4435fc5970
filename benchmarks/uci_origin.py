"""UCI Geographical Origin of Music, 10-fold: countries named right and mean great-circle error, with `fcnn`.

    python benchmarks/uci_origin.py ../shared/data/uci-geographical-origin [--members 5]

Runs that differ in their seed answer together. Of each fold nine parts are at hand: eight are learned from, one only
calibrates (nothing is chosen by it: every run keeps its last epoch), so that the network sees less than the published
systems did. The place that is answered is the capital with the smallest expected distance under the probabilities.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from folds import ask

from geoclass.config import BuildConfig, ModelConfig, RunConfig, TrainingConfig
from geoclass.corpora.uci import UCI
from geoclass.dataset.build import build_dataset
from geoclass.dataset.folds import fold_of_dataset
from geoclass.evaluation.geography import distance_km
from geoclass.geo.countries import region
from geoclass.training.run import train

PUBLISHED = "published (Zhou, Claire and King 2014): 3,113 km; SVM with extra trees: 0.486, top-3 0.651, 2,944 km"
CONFIG = RunConfig(
    model=ModelConfig(name="fcnn", arguments={"compress": True, "dropout": 0.4}),
    training=TrainingConfig(
        epochs=60, batch_size=64, lr=2e-3, weight_decay=0.05, schedule="cosine", class_weights=False, mixup=0.4,
        early_stopping=0, monitor="last", label_smoothing=0.05, mask_fraction=0.0,
    ),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="the folder of the UCI files")
    parser.add_argument("--members", type=int, default=5, help="runs that answer together")
    parser.add_argument("--folds", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    probabilities, truth = [], []
    with tempfile.TemporaryDirectory() as scratch:
        dataset = build_dataset(UCI(arguments.root), out=Path(scratch) / "data", config=BuildConfig(min_tracks=1))
        labels = dataset.labels["country"]
        for number in range(arguments.folds):
            view = fold_of_dataset(dataset, number, n_folds=arguments.folds)
            parts = []
            for seed in range(arguments.members):
                config = replace(CONFIG, training=replace(CONFIG.training, seed=seed))
                run = train(view, config=config, run_dir=Path(scratch) / f"{number}-{seed}", device="cpu")
                parts.append(ask(run.bundle, view, view.split("test")))
            probabilities.append(np.mean([part.probabilities for part in parts], axis=0))
            truth.append(parts[0].truth)
    values, answers = np.concatenate(probabilities), np.concatenate(truth)
    between = np.array([[distance_km(one, other) for other in labels] for one in labels])
    nearest = (values @ between).argmin(axis=1)
    best = values.argsort(axis=1)[:, ::-1]
    regions = np.array([region(label) for label in labels])
    errors = between[nearest, answers]
    print(PUBLISHED)
    print(
        f"fcnn x {arguments.members}: countries {np.mean(best[:, 0] == answers):.3f}, "
        f"top-3 {np.mean((best[:, :3] == answers[:, None]).any(axis=1)):.3f}, "
        f"regions {np.mean(regions[best[:, 0]] == regions[answers]):.3f}, "
        f"mean error {errors.mean():,.0f} km, median {np.median(errors):,.0f} km "
        f"(of the most probable country: {between[best[:, 0], answers].mean():,.0f} km)"
    )


if __name__ == "__main__":
    main()
