"""Every audio model on the same folds of real recordings: balanced accuracy per recording, parameters, time.

    python ../shared/tools/make_fma_tree.py ../shared/data/world-audio TREE --countries TR,VN,IN,IR,CN
    python benchmarks/world_folds.py TREE [--models resnet,cnn] [--set model.width=16] [--epochs 15] [--folds-seed 0]

Five countries, 38 recordings with a known country, cut into 5 s. A recording is an artist of the tree; all its clips
lie in one fold. The answer for a recording is the mean log-probability over its segments. Nothing is chosen on the
held-out fold: each model trains for a fixed number of epochs and keeps the last one.

Read the numbers with care. 38 recordings make steps of 2 to 7 points of balanced accuracy, and most countries come
from one or two archives each, so that a model may tell archives apart where it seems to tell countries.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from folds import fold_datasets, pooled, train_and_ask

from geoclass.config.frontends import LogMelConfig
from geoclass.config.settings import BuildConfig, RunConfig
from geoclass.config.toml import with_overrides
from geoclass.corpora.fma import FMA
from geoclass.presets import load_preset

PUBLISHED = "statistics of MFCC with logistic regression, six countries, all recordings: 0.68"
SMALL = LogMelConfig(n_mels=96, hop_length=1024)  # a quarter of the default's numbers


def world_config(model: str, *, epochs: int) -> RunConfig:
    """The preset of a model, at a fixed length: too few recordings to stop early or to find a plateau by."""
    presets = {"resnet": "resnet-small"}
    preset = load_preset(presets.get(model, f"{model}-fma"))
    changes = {"epochs": epochs, "early_stopping": 0, "monitor": "last", "schedule": "cosine", "warmup_epochs": 1.0}
    if model == "attention-cnn":
        changes |= {"lr": 1e-3}  # 1e-4 does not get far in a few hundred steps
    return replace(preset, training=replace(preset.training, **changes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path, help="what make_fma_tree.py wrote")
    parser.add_argument("--models", default="resnet,attention-cnn,cnn,lstm,attention-lstm")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the models' configuration")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--folds-seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="folder to keep data sets and runs in")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        folds = fold_datasets(
            FMA(arguments.tree),
            out=work / f"folds-{arguments.folds_seed}",
            config=BuildConfig(front_end=SMALL),
            seed=arguments.folds_seed,
        )
        print(f"published: {PUBLISHED}")
        print(f"{'model':16}{'balanced':>9}{'accuracy':>9}{'parameters':>12}{'seconds':>9}  recall")
        for model in arguments.models.split(","):
            config = with_overrides(world_config(model, epochs=arguments.epochs), arguments.set)
            answers, seconds = [], 0.0
            for number, dataset in enumerate(folds):
                run_dir = work / "runs" / f"{model}-{arguments.folds_seed}-{number}"
                answer, bundle, spent = train_and_ask(dataset, config=config, run_dir=run_dir)
                answers.append(answer)
                seconds += spent
            found = pooled(answers)
            n_parameters = sum(parameter.numel() for parameter in bundle.model.parameters())
            recalls = " ".join(f"{label} {recall:.2f}" for label, recall in found.recalls.items())
            scores = f"{found.balanced_accuracy:9.3f}{found.accuracy:9.3f}"
            print(f"{model:16}{scores}{n_parameters:12,}{seconds:9.0f}  {recalls}", flush=True)


if __name__ == "__main__":
    main()
