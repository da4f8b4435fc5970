"""Make the built-in model `genre-gtzan` from the published statistics of the GTZAN clips.

    python tools/make_builtin_genre.py --features features_30_sec.csv --gtzan DIR

--features: 57 statistics of the 1,000 clips; the 52 that the front end computes from sound are used. --gtzan: some of
the clips themselves; how far MP3, filters, noise and rooms move their statistics tells in which directions a row may
lie elsewhere without another genre. The split is the fault-filtered one (Kereliuk, Sturm and Larsen, 2015): what is
learned from its training clips was chosen and is calibrated on its validation clips; the model that ships learns from
both; the test clips are only scored. benchmarks/builtin_genre.py judges what is written here.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from builtin_recipe import Floats, displacements, shift_covariance
from numpy.typing import NDArray

from geoclass.audio.frontend import create_front_end
from geoclass.bundle import BUILTIN, Bundle, Head
from geoclass.calibration import choose_threshold, decisions, fit_temperature
from geoclass.config import StatisticsConfig
from geoclass.corpora.base import Track
from geoclass.corpora.gtzan import GTZAN
from geoclass.evaluation.scores import calibration_bins, expected_calibration_error
from geoclass.models.network import Network
from geoclass.models.registry import create_model

NAME, RELEASE = "genre-gtzan", "1.1"
CONFIG = StatisticsConfig()
SECONDS = 15.0  # a segment; a tagger hears two
SHRINKAGE = 0.2  # of the covariance within a genre towards a multiple of the identity
NUISANCE = 3.0  # how often the covariance of displacements is added to the covariance within a genre
TARGET_PRECISION = 0.7


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
    tracks = [t for t in GTZAN(gtzan, features=features.resolve()).tracks() if isinstance(t, Track)]
    labels = tuple(sorted({track.genre for track in tracks}))
    return Table(
        np.array([track.track_id for track in tracks]),
        np.array([[track.features[name] for name in CONFIG.columns] for track in tracks]),
        np.array([labels.index(track.genre) for track in tracks]),
        np.array([track.split for track in tracks]),
        labels,
    )


def discriminant(rows: Floats, truth: NDArray[np.int64], moves: Floats) -> tuple[Network, Floats, Floats]:
    """Linear discriminant analysis on normalized columns after asinh, as a network of one layer; their mean and std.

    The covariance within a genre is shrunk, and what displacements add to it is added: a direction along which codecs,
    filters, noise and rooms move a row says little of the genre (within-class covariance normalization, Hatch,
    Kajarekar and Stolcke, ICSLP 2006, with the nuisance measured instead of labelled).
    """
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    normalized, n_labels = (rows - mean) / std, int(truth.max()) + 1
    columns = np.arcsinh(normalized)
    centres = np.stack([columns[truth == label].mean(axis=0) for label in range(n_labels)])
    within = np.cov((columns - centres[truth]).T, bias=True)
    round_ = np.eye(len(within)) * np.trace(within) / len(within)
    covariance = (1 - SHRINKAGE) * within + SHRINKAGE * round_ + NUISANCE * shift_covariance(normalized, moves / std)
    weight = np.linalg.solve(covariance, centres.T).T  # (n_labels, n_columns)
    bias = -0.5 * (weight * centres).sum(axis=1)  # genres are equally likely
    network = create_model("fcnn", n_classes=n_labels, front_end=CONFIG, hidden=[], dropout=0.0, compress=True)
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weight))
        network.head.bias.copy_(torch.from_numpy(bias))
    return network.eval(), mean, std


def ask(model: tuple[Network, Floats, Floats], rows: Floats) -> Floats:
    """(n, n_columns) -> (n, n_labels) logits."""
    network, mean, std = model
    with torch.inference_mode():
        return network(torch.from_numpy((rows - mean) / std).float()).double().numpy()


def make(table: Table, moves: Floats) -> Bundle:
    """Calibrate on the validation clips, learn from these and the training clips, score the test clips."""
    train, valid, test = (table.split == name for name in ("train", "valid", "test"))
    unseen = ask(discriminant(table.rows[train], table.truth[train], moves), table.rows[valid])
    temperature = fit_temperature(unseen, table.truth[valid])
    head = Head(task="genre", kind="single", labels=table.labels, temperature=temperature)
    threshold = choose_threshold(head.probabilities(unseen), table.truth[valid], target_precision=TARGET_PRECISION)
    head = Head(task="genre", kind="single", labels=table.labels, temperature=temperature, threshold=threshold)
    model = discriminant(table.rows[~test], table.truth[~test], moves)
    found = scores(head, ask(model, table.rows[test]), table.truth[test])
    return Bundle(
        name=NAME,
        release=RELEASE,
        model=model[0],
        front_end_config=CONFIG,
        segment_seconds=SECONDS,
        mean=model[1].astype(np.float32),
        std=model[2].astype(np.float32),
        heads=(head,),
        training={"made_by": "tools/make_builtin_genre.py"},
        metrics={
            "genre": {"on": f"the {test.sum()} fault-filtered test rows"} | {n: round(v, 4) for n, v in found.items()}
        },
        data={
            "trained on": f"published statistics of the GTZAN clips (Tzanetakis and Cook, 2002), {(~test).sum()} of "
            "1,000; no sound is inside",
            "split": "fault-filtered (Kereliuk, Sturm and Larsen, 2015): "
            f"{valid.sum()} of these chose and calibrate, {test.sum()} others are scored",
            "licence": "MIT for the weights",
        },
    )


def scores(head: Head, logits: Floats, truth: NDArray[np.int64]) -> dict[str, float]:
    """Of rows that were not learned from."""
    confidence, correct = decisions(head.probabilities(logits), truth)
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
    parser.add_argument("--gtzan", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=BUILTIN)
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    table = read(options.features, options.gtzan)
    held = set(table.names[table.split == "test"])
    clips = [clip for clip in sorted(options.gtzan.rglob("*.wav")) if clip.stem not in held]
    bundle = make(table, displacements(clips, create_front_end(CONFIG), SECONDS))
    print(bundle.save(options.out / NAME), json.dumps(bundle.metrics["genre"]))


if __name__ == "__main__":
    main()
