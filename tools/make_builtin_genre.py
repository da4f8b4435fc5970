"""Make the built-in model `genre-gtzan` from the published statistics of the GTZAN clips.

    python tools/make_builtin_genre.py --features features_30_sec.csv --gtzan DIR --world DIR --loops DIR

--features: 57 statistics of the 1,000 clips; the 52 that the front end computes from sound are used. --gtzan: some of
the clips themselves; how far MP3, filters, noise and rooms move their statistics tells in which directions a row may
lie elsewhere without another genre. The split is the fault-filtered one (Kereliuk, Sturm and Larsen, 2015): what is
learned from its training clips was chosen and is calibrated on its validation clips; the model that ships learns from
both; the test clips are only scored. --world and --loops: field recordings and drum loops, on which it is to keep
quiet. The teacher is linear discriminant analysis, times the probability that a row is one of GTZAN's at all; a small
network learns from it. benchmarks/builtin_genre.py judges what is written here.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from builtin_recipe import (
    Distillation,
    Floats,
    Rows,
    Teacher,
    ask,
    by_group,
    displacements,
    distill,
    join,
    rows_of_outside,
    rows_of_world,
    shift_covariance,
    world_clips,
)
from make_builtin_country import kernel_regression
from numpy.typing import NDArray
from scipy.optimize import brentq
from torch import nn

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.calibration import choose_threshold, decisions, fit_temperature, to_probabilities
from geoclass.bundle.catalogue import BUILTIN
from geoclass.bundle.heads import Head
from geoclass.bundle.training_set import TrainingSet
from geoclass.config.frontends import StatisticsConfig
from geoclass.corpora.base import Track
from geoclass.corpora.gtzan import GTZAN
from geoclass.dataset.identity import track_key
from geoclass.features.registry import create_front_end
from geoclass.inference.prediction import OUTSIDE
from geoclass.metrics.formulas import calibration_bins, expected_calibration_error

NAME, RELEASE = "genre-gtzan", "1.4"
CONFIG = StatisticsConfig(hop_length=4_096, center=False)  # an eighth of librosa's frames and of the time
SECONDS = 15.0  # a segment; a tagger hears two
SHRINKAGE = 0.2  # of the covariance within a genre towards a multiple of the identity
NUISANCE = 3.0  # how often the covariance of displacements is added to the covariance within a genre
TARGET_PRECISION = 0.9
MIN_PROBABILITY = 0.9  # nine of ten by the calibrated probability, too: the validation rows are few
OUTSIDE_SHARE = 0.35  # of what the network learns from
FOLDS = 3  # over the recordings on which it is to keep quiet


@dataclass(frozen=True)
class Table:
    """The published rows."""

    names: NDArray[np.str_]  # (n,) of the clips
    rows: Floats  # (n, n_columns)
    truth: NDArray[np.int64]  # (n,) into labels
    split: NDArray[np.str_]  # (n,) train, valid, test
    labels: tuple[str, ...]


def read(features: Path, gtzan: Path) -> Table:
    """The rows of the fault-filtered split."""
    tracks = [t for t in GTZAN(gtzan, features=features.resolve()).tracks() if isinstance(t, Track) and t.split]
    labels = tuple(sorted({track.genre for track in tracks}))
    return Table(
        np.array([track.track_id for track in tracks]),
        np.array([[track.features[name] for name in CONFIG.columns] for track in tracks]),
        np.array([labels.index(track.genre) for track in tracks]),
        np.array([track.split for track in tracks]),
        labels,
    )


@dataclass(frozen=True)
class Model:
    """A network, and what its columns are normalized by."""

    network: nn.Module
    mean: Floats
    std: Floats

    def logits(self, rows: Floats) -> Floats:
        """(n, n_columns) -> (n, n_labels), OUTSIDE last."""
        return ask(self.network, (rows - self.mean) / self.std)


def discriminant(rows: Floats, truth: NDArray[np.int64], moves: Floats) -> Teacher:
    """Linear discriminant analysis of normalized rows, after asinh: what it answers are logits.

    The covariance within a genre is shrunk, and what displacements add to it is added: a direction along which codecs,
    filters, noise and rooms move a row says little of the genre (within-class covariance normalization, Hatch,
    Kajarekar and Stolcke, ICSLP 2006, with the nuisance measured instead of labelled).
    """
    columns = np.arcsinh(rows)
    centres = np.stack([columns[truth == label].mean(axis=0) for label in range(int(truth.max()) + 1)])
    within = np.cov((columns - centres[truth]).T, bias=True)
    round_ = np.eye(len(within)) * np.trace(within) / len(within)
    covariance = (1 - SHRINKAGE) * within + SHRINKAGE * round_ + NUISANCE * shift_covariance(rows, moves)
    weight = np.linalg.solve(covariance, centres.T)  # (n_columns, n_labels)
    bias = -0.5 * (weight * centres.T).sum(axis=0)  # genres are equally likely
    return lambda values: np.arcsinh(values) @ weight + bias


def learn(table: Table, chosen: NDArray[np.bool_], outside: Rows, moves: Floats) -> Model:
    """The network that learns from the chosen rows, and keeps quiet on what is outside."""
    mean, std = table.rows[chosen].mean(axis=0), table.rows[chosen].std(axis=0)
    rows, moves = (table.rows - mean) / std, moves / std
    beyond = (outside.values - mean) / std
    train, valid = chosen & (table.split == "train"), table.split == "valid"
    unseen = discriminant(rows[train], table.truth[train], moves)(rows[valid])
    temperature = fit_temperature(unseen, table.truth[valid])
    genre = discriminant(rows[chosen], table.truth[chosen], moves)
    known = np.concatenate([rows[chosen], beyond])
    shares = np.full(chosen.sum(), 1 / chosen.sum()), outside.weights / outside.weights.sum()
    weights = np.concatenate([(1 - OUTSIDE_SHARE) * shares[0], OUTSIDE_SHARE * shares[1]])
    names = np.array(["inside"] * int(chosen.sum()) + [OUTSIDE] * len(beyond))
    inside = kernel_regression(np.arcsinh(known), names, weights * len(known), labels=("inside", OUTSIDE))

    def teacher(values: Floats) -> Floats:
        gate = inside(np.arcsinh(values))
        return np.hstack(
            [gate[:, :1] * to_probabilities(genre(values), "single", temperature=temperature), gate[:, 1:]]
        )

    network = distill(
        known, weights, teacher,
        n_labels=len(table.labels) + 1, moves=moves, front_end=CONFIG, settings=Distillation(steps=1_500, moved=1.0),
    )  # fmt: skip
    return Model(network, mean, std)


def calibrate(table: Table, outside: Rows, moves: Floats) -> Head:
    """Temperature and threshold, from the validation rows and a model that has not seen them.

    At this temperature answers are as sure, on average, as they are right. The most likely one would be too modest: it
    is led by the rows that look like field recordings, whose genre is then left open.
    """
    valid = table.split == "valid"
    unseen = learn(table, table.split == "train", outside, moves).logits(table.rows[valid])
    labels = (*table.labels, OUTSIDE)
    temperature = brentq(lambda candidate: _excess(unseen, table.truth[valid], candidate), 0.1, 10.0)
    head = Head(task="genre", kind="single", labels=labels, temperature=temperature)
    probabilities = head.probabilities(unseen)[:, :-1]
    threshold = choose_threshold(probabilities, table.truth[valid], target_precision=TARGET_PRECISION)
    return replace(head, threshold=max(threshold, MIN_PROBABILITY))


def _excess(logits: Floats, truth: NDArray[np.int64], temperature: float) -> float:
    """How much surer answers are than right, on average."""
    confidence, correct = decisions(to_probabilities(logits, "single", temperature=temperature)[:, :-1], truth)
    return float(confidence.mean() - correct.mean())


def noise(table: Table, head: Head, outside: Rows, moves: Floats) -> dict[str, float]:
    """How many recordings get a genre that should get none, by models that have not seen these recordings."""
    folds = {name: index % FOLDS for index, name in enumerate(sorted(set(outside.groups)))}
    fold = np.array([folds[name] for name in outside.groups])
    logits = np.zeros((len(fold), len(head.labels)))
    for number in range(FOLDS):
        held = fold == number
        logits[held] = learn(table, table.split != "test", outside[~held], moves).logits(outside.values[held])
    votes, recordings = by_group(logits, outside)
    written = head.probabilities(votes)[:, :-1].max(axis=1) >= head.threshold
    loops = recordings.labels == OUTSIDE
    return {
        "field recordings that get a genre": float(written[~loops].mean()),
        "drum loops that get a genre": float(written[loops].mean()),
    }


def make(table: Table, outside: Rows, moves: Floats) -> Bundle:
    """Calibrate on the validation rows, learn from these and the training rows, score the test rows."""
    test = table.split == "test"
    head = calibrate(table, outside, moves)
    model = learn(table, ~test, outside, moves)
    found = scores(head, model.logits(table.rows[test]), table.truth[test]) | noise(table, head, outside, moves)
    n_valid = int((table.split == "valid").sum())
    return Bundle(
        name=NAME,
        release=RELEASE,
        model=model.network,
        front_end_config=CONFIG,
        segment_seconds=SECONDS,
        mean=model.mean.astype(np.float32),
        std=model.std.astype(np.float32),
        heads=(head,),
        training={"made_by": "tools/make_builtin_genre.py"},
        training_set=TrainingSet.from_keys((track_key("gtzan", name) for name in table.names[~test]), ()),
        metrics={
            "genre": {"on": f"the {test.sum()} fault-filtered test rows"} | {n: round(v, 4) for n, v in found.items()}
        },
        data={
            "trained on": f"published statistics of the GTZAN clips (Tzanetakis and Cook, 2002), {(~test).sum()} of "
            "1,000; no sound is inside",
            "and, to keep quiet on them, on statistics of": f"{len(set(outside.groups))} field and archive recordings "
            "and WaivOps loops (CC BY 4.0); no sound is inside",
            "split": "fault-filtered (Kereliuk, Sturm and Larsen, 2015): "
            f"{n_valid} of these chose and calibrate, {test.sum()} others are scored",
            "licence": "MIT for the weights",
        },
    )


def scores(head: Head, logits: Floats, truth: NDArray[np.int64]) -> dict[str, float]:
    """Of rows that were not learned from."""
    confidence, correct = decisions(head.probabilities(logits)[:, :-1], truth)
    written = confidence >= head.threshold
    return {
        "accuracy": float(correct.mean()),
        "written": float(written.mean()),
        "right of what is written": float(correct[written].mean()) if written.any() else float("nan"),
        "calibration error": expected_calibration_error(calibration_bins(confidence, correct)),
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True)
    for name in ("gtzan", "world", "loops"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=BUILTIN)
    return parser.parse_args()


def read_outside(world: Path, loops: Path) -> Rows:
    """Rows of what is none of GTZAN's genres; a field recording keeps the name of its country."""
    front_end = create_front_end(CONFIG)
    return join(
        rows_of_world(world_clips(world), front_end, SECONDS),
        rows_of_outside(sorted(loops.rglob("*.mp3")), front_end, SECONDS),
    )


def read_moves(table: Table, gtzan: Path) -> Floats:
    """How far damage moves the clips at hand, but for those whose rows are test rows."""
    held = set(table.names[table.split == "test"])
    clips = [clip for clip in sorted(gtzan.rglob("*.wav")) if clip.stem not in held]
    return displacements(clips, create_front_end(CONFIG), SECONDS)


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    table = read(options.features, options.gtzan)
    bundle = make(table, read_outside(options.world, options.loops), read_moves(table, options.gtzan))
    print(bundle.save(options.out / NAME), json.dumps(bundle.metrics["genre"]))


if __name__ == "__main__":
    main()
