"""GTZAN's 57 statistics with `fcnn` on the fault-filtered split: accuracy on its 290 test clips.

    python benchmarks/gtzan_statistics.py ../shared/data/gtzan-features [--seeds 4]

Trained on the 443 training clips; the 197 validation clips only calibrate. The model is the preset `fcnn-gtzan`: eight
networks in one bundle, which answer together. Several seeds say how far chance goes; what they answer together is
printed beside.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from folds import ask

from geoclass.config.settings import BuildConfig
from geoclass.corpora.gtzan import GTZAN
from geoclass.dataset.build import build_dataset
from geoclass.presets import load_preset
from geoclass.training.run import train

PUBLISHED = "logistic regression on the same statistics and split: 0.51"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path, help="the folder that holds features_30_sec.csv")
    parser.add_argument("--seeds", type=int, default=4, help="runs that differ in their seed")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_preset("fcnn-gtzan")
    with tempfile.TemporaryDirectory() as scratch:
        corpus = GTZAN(arguments.features, features="features_30_sec.csv")
        dataset = build_dataset(corpus, out=Path(scratch) / "data", config=BuildConfig(task="genre"))
        answers = {"valid": [], "test": []}
        for seed in range(arguments.seeds):
            settings = replace(config, training=replace(config.training, seed=seed))
            bundle = train(dataset, config=settings, run_dir=Path(scratch) / f"run-{seed}", device="cpu").bundle
            for split, parts in answers.items():
                parts.append(ask(bundle, dataset, dataset.split(split)))
    print(f"published: {PUBLISHED}\n{'split':8}{'tracks':>7}{'together':>10}{'single':>8}{'lowest':>8}{'highest':>8}")
    for split, parts in answers.items():
        single = [part.accuracy for part in parts]
        together = replace(parts[0], probabilities=np.mean([part.probabilities for part in parts], axis=0))
        print(
            f"{split:8}{len(together.truth):7}{together.accuracy:10.3f}"
            f"{np.mean(single):8.3f}{min(single):8.3f}{max(single):8.3f}"
        )


if __name__ == "__main__":
    main()
