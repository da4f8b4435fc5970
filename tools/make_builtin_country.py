"""Make the built-in model `country-traditional` from the UCI rows and from statistics of recordings.

    python tools/make_builtin_country.py --uci DIR --world DIR --gtzan DIR --loops DIR

--uci: the UCI Geographical Origin of Music set. --world: clips with a manifest.csv (file, country, group_id, source).
--gtzan and --loops: Western popular music, on which the model is to keep quiet. The sound itself is not kept: what
is learned of it are means and deviations of spectra. benchmarks/builtin_country.py judges what is written here.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from builtin_recipe import (
    Distillation,
    Floats,
    Rows,
    Teacher,
    aligned,
    ask,
    by_group,
    displacements,
    distill,
    join,
    location_and_scale,
    rows_of_outside,
    rows_of_world,
    world_clips,
)
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from torch import nn

from geoclass.audio.frontend import create_front_end
from geoclass.bundle import BUILTIN, Bundle, Head
from geoclass.calibration import choose_threshold, decisions, fit_temperature, to_probabilities
from geoclass.config import TextureConfig
from geoclass.corpora.base import Track
from geoclass.corpora.uci import UCI
from geoclass.evaluation.scores import calibration_bins, expected_calibration_error
from geoclass.geo.borders import country_at
from geoclass.prediction import OUTSIDE

NAME, RELEASE = "country-traditional", "1.0"
CONFIG = TextureConfig()
SECONDS = 15.0  # a segment; a tagger hears two
WORLD_WEIGHT = 3.0  # of a recording, where a row of the UCI set weighs 1: it is nearer to what will be asked
OUTSIDE_WEIGHT = 200.0  # of all Western recordings together
KERNEL, SMOOTHNESS = 0.01, 10.0  # of the teacher: width of its kernel, inverse strength of its penalty
TARGET_PRECISION = 0.65
MOST_OUTSIDE = 0.08  # of Western recordings may get a country


@dataclass(frozen=True)
class Material:
    """Everything that is learned from, computed once."""

    uci: Rows
    world: Rows
    outside: Rows
    moves: Floats  # displacements of Western recordings: of no collection that the model is judged on

    @property
    def labels(self) -> tuple[str, ...]:
        """The countries of the UCI set, then OUTSIDE."""
        return (*sorted(set(self.uci.labels)), OUTSIDE)


def read(uci: Path, world: Path, gtzan: Path, loops: Path) -> Material:
    """Read the rows, compute the others."""
    tracks = [track for track in UCI(uci).tracks() if isinstance(track, Track)]
    values = np.array([list(track.features.values()) for track in tracks])
    names = np.array([track.track_id for track in tracks])
    countries = np.array([country_at(track.latitude, track.longitude) for track in tracks])
    front_end = create_front_end(CONFIG)
    western = [*sorted(gtzan.rglob("*.wav")), *sorted(loops.rglob("*.mp3"))]
    return Material(
        Rows(values, countries, names, np.full(len(names), "uci")),
        rows_of_world(world_clips(world), front_end, SECONDS),
        rows_of_outside(western, front_end, SECONDS),
        displacements(western[::2], front_end, SECONDS),
    )


def learn(material: Material, *, seed: int = 0) -> tuple[nn.Module, Floats, Floats]:
    """The network, and the centre and scale that align recordings with the UCI rows."""
    labels = material.labels
    uci = aligned(material.uci, *location_and_scale(material.uci.values, material.uci.weights))
    centre, scale = location_and_scale(material.world.values, material.world.weights)
    world, outside = aligned(material.world, centre, scale), aligned(material.outside, centre, scale)
    known = world[np.isin(world.labels, labels)]
    rows = join(uci, known, outside)
    share = outside.weights * OUTSIDE_WEIGHT / outside.weights.sum()
    weights = np.concatenate([uci.weights, WORLD_WEIGHT * known.weights, share])
    teacher = kernel_regression(np.arcsinh(rows.values), rows.labels, weights, labels=labels)
    network = distill(
        rows.values,
        weights,
        lambda values: teacher(np.arcsinh(values)),
        n_labels=len(labels),
        moves=material.moves / scale,
        front_end=CONFIG,
        settings=Distillation(seed=seed),
    )
    return network, centre, scale


def kernel_regression(rows: Floats, truth: NDArray[np.str_], weights: Floats, *, labels: tuple[str, ...]) -> Teacher:
    """Logistic regression on the similarity of a row to all others (Gaussian kernel): the teacher."""

    def similarity(values: Floats) -> Floats:
        return np.exp(-KERNEL * cdist(values, rows, "sqeuclidean"))

    spectrum, vectors = np.linalg.eigh(similarity(rows))
    kept = spectrum > 1e-3
    basis = vectors[:, kept] / np.sqrt(spectrum[kept])
    model = LogisticRegression(C=SMOOTHNESS, max_iter=200).fit(similarity(rows) @ basis, truth, weights)
    order = [list(model.classes_).index(label) for label in labels]
    return lambda values: model.predict_proba(similarity(values) @ basis)[:, order]


@dataclass(frozen=True)
class Answers:
    """Logits for recordings whose collection the model that gave them has never seen."""

    world: Rows
    world_logits: Floats
    outside: Rows
    outside_logits: Floats


def leave_one_source_out(material: Material, variants: dict[str, Floats] | None = None) -> dict[str, Answers]:
    """Every collection answered by a model that never saw it; every Western recording by models without it.

    Args:
        material: All of it.
        variants: Other values of the world rows (damaged sound), to be answered by the same models.
    """
    labels, world, outside = material.labels, material.world, material.outside
    variants = {"clean": world.values} | (variants or {})
    asked = np.isin(world.labels, labels)
    logits = {name: np.zeros((len(world.labels), len(labels))) for name in variants}
    outside_sums = np.zeros((len(outside.labels), len(labels)))
    outside_counts = np.zeros((len(outside.labels), 1))
    fold = np.arange(len(outside.labels)) % 2
    for number, source in enumerate(sorted(set(world.sources[asked]))):
        held, kept = world.sources == source, fold != number % 2
        part = Material(material.uci, world[~held], outside[kept], material.moves)
        network, centre, scale = learn(part)
        for name, values in variants.items():
            logits[name][held] = ask(network, (values[held] - centre) / scale)
        outside_sums[~kept] += ask(network, (outside.values[~kept] - centre) / scale)
        outside_counts[~kept] += 1
    answers = {}
    for name in variants:
        votes, recordings = by_group(logits[name][asked], world[asked])
        answers[name] = Answers(recordings, votes, outside, outside_sums / outside_counts)
    return answers


def calibrate(answers: Answers, labels: tuple[str, ...]) -> tuple[float, float]:
    """Temperature and threshold from recordings that the models had not seen."""
    truth = np.array([labels.index(label) for label in answers.world.labels])
    temperature = fit_temperature(answers.world_logits, truth)
    world = to_probabilities(answers.world_logits, "single", temperature=temperature)[:, :-1]
    outside = to_probabilities(answers.outside_logits, "single", temperature=temperature)[:, :-1].max(axis=1)
    precise = choose_threshold(world, truth, target_precision=TARGET_PRECISION)
    quiet = float(np.quantile(outside[answers.outside.sources == "gtzan"], 1 - MOST_OUTSIDE))
    return temperature, max(precise, quiet)


def make(material: Material, out: Path) -> Path:
    """Learn from everything, calibrate on what leaving collections out says, and write the bundle."""
    labels = material.labels
    answers = leave_one_source_out(material)["clean"]
    temperature, threshold = calibrate(answers, labels)
    found = scores(answers, labels, temperature=temperature, threshold=threshold)
    rounded = {name: round(value, 4) for name, value in found.items()}
    network, centre, scale = learn(material)
    head = Head(task="country", kind="single", labels=labels, temperature=temperature, threshold=threshold)
    bundle = Bundle(
        name=NAME,
        release=RELEASE,
        model=network,
        front_end_config=CONFIG,
        segment_seconds=SECONDS,
        mean=centre.astype(np.float32),
        std=scale.astype(np.float32),
        heads=(head,),
        training={"made_by": "tools/make_builtin_country.py", "seed": 0},
        metrics={"country": {"on": f"{len(answers.world.labels)} recordings of collections left out"} | rounded},
        data={
            "trained on": "1,059 rows of the UCI Geographical Origin of Music set (Zhou, Claire and King, ICDM 2014; "
            "https://archive.ics.uci.edu/dataset/315; CC BY 4.0)",
            "and on statistics of": f"{len(set(material.world.groups))} field and archive recordings "
            f"({', '.join(sorted(set(material.world.sources)))}) and, to keep quiet on them, of "
            f"{len(material.outside.labels)} clips of GTZAN and of WaivOps loops (CC BY 4.0); no sound is inside",
            "licence": "CC BY 4.0",
        },
    )
    return bundle.save(out / NAME)


def scores(answers: Answers, labels: tuple[str, ...], *, temperature: float, threshold: float) -> dict[str, float]:
    """What collections say of models that never saw them; one vote a recording."""
    truth = np.array([labels.index(label) for label in answers.world.labels])
    world = to_probabilities(answers.world_logits, "single", temperature=temperature)[:, :-1]
    outside = to_probabilities(answers.outside_logits, "single", temperature=temperature)[:, :-1].max(axis=1)
    better = (world > world[np.arange(len(truth)), truth][:, None]).sum(axis=1)
    confidence, correct = decisions(world, truth)
    written = confidence >= threshold
    return {
        "rank 1": float((better < 1).mean()),
        "within 5": float((better < 5).mean()),
        "chance at rank 1": 1 / world.shape[1],
        "written": float(written.mean()),
        "right of what is written": float(correct[written].mean()) if written.any() else float("nan"),
        "GTZAN clips that get a country": float((outside >= threshold)[answers.outside.sources == "gtzan"].mean()),
        "calibration error": expected_calibration_error(calibration_bins(confidence, correct)),
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("uci", "world", "gtzan", "loops"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=BUILTIN)
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(1)  # sums in one order: the same bundle on every machine with the same versions
    print(make(read(options.uci, options.world, options.gtzan, options.loops), options.out))


if __name__ == "__main__":
    main()
