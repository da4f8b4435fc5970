"""UCI Geographical Origin of Music, 10-fold: countries named right and mean great-circle error, with `fcnn`.

    python benchmarks/uci_origin.py ../shared/data/uci-geographical-origin [--seeds 2] [--folds-seed 0]

The model is the preset `fcnn-uci`; with several seeds, their models answer together. As in the published systems nine
parts of ten are learned from, but for one track of each of the three largest countries, on which a run calibrates;
nothing is chosen by them, and every run keeps its last epoch. The place that is answered is the capital with the
smallest expected distance under the probabilities.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from folds import fold_datasets, pooled, train_and_ask

from geoclass.config.settings import BuildConfig
from geoclass.corpora.uci import UCI
from geoclass.geo.countries import region
from geoclass.metrics.geography import distance_km
from geoclass.presets import load_preset

PUBLISHED = "published (Zhou, Claire and King 2014): 3,113 km; SVM with extra trees: 0.486, top-3 0.651, 2,944 km"
VALID_NEEDS = 60  # tracks that a country must have for one of them to be held back


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="the folder of the UCI files")
    parser.add_argument("--seeds", type=int, default=1, help="runs that answer together")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--folds-seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    parts = []
    with tempfile.TemporaryDirectory() as scratch:
        folds = fold_datasets(
            UCI(arguments.root, n_features=116),
            out=Path(scratch),
            config=BuildConfig(min_tracks=1),
            n_folds=arguments.folds,
            seed=arguments.folds_seed,
            valid_needs=VALID_NEEDS,
        )
        for number, dataset in enumerate(folds):
            run_dir = Path(scratch) / f"run-{number}"
            config = load_preset("fcnn-uci")
            answer, _, seconds = train_and_ask(dataset, config=config, run_dir=run_dir, seeds=range(arguments.seeds))
            print(f"fold {number + 1}: countries {answer.accuracy:.3f}, {seconds:.0f} s", flush=True)
            parts.append(answer)
    found = pooled(parts)
    truth, labels = found.truth, found.labels
    between = np.array([[distance_km(one, other) for other in labels] for one in labels])
    errors = between[(found.probabilities @ between).argmin(axis=1), truth]
    best = found.probabilities.argsort(axis=1)[:, ::-1]
    regions = np.array([region(label) for label in labels])
    print(PUBLISHED)
    print(
        f"fcnn-uci x {arguments.seeds}: countries {found.accuracy:.3f}, "
        f"top-3 {np.mean((best[:, :3] == truth[:, None]).any(axis=1)):.3f}, "
        f"regions {np.mean(regions[best[:, 0]] == regions[truth]):.3f}, "
        f"mean error {errors.mean():,.0f} km, median {np.median(errors):,.0f} km "
        f"(of the most probable country: {between[best[:, 0], truth].mean():,.0f} km)"
    )


if __name__ == "__main__":
    main()
