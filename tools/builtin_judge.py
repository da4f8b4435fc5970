"""What the country model says of collections that it never saw: calibrated on it, and judged by it.

Every collection (`source`) is answered by a model that is made without it, and without some of the popular music, so
that each song and clip is answered once, the songs of one source by one model. Temperature and threshold are fitted on
all of these answers. To judge them on answers that they were not fitted on, they are fitted for each collection anew,
on the answers that others got.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from builtin_recipe import SONGS, Floats, Rows, ask, by_group, join
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import nn

from geoclass.bundle.calibration import TEMPERATURE_RANGE, choose_threshold, decisions, to_probabilities
from geoclass.inference.prediction import OUTSIDE
from geoclass.metrics.formulas import calibration_bins, expected_calibration_error

TARGET_PRECISION = 0.9  # of all recordings that get a country, whether the model has theirs or not
MOST_SONGS, MOST_GTZAN = 0.01, 0.02  # of the songs and of the clips may get a country

Model = tuple[nn.Module, Floats, Floats]  # network, centre and scale of its columns


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


@dataclass(frozen=True)
class Answers:
    """Logits for recordings whose collection the model that gave them has never seen; one vote per recording."""

    labels: tuple[str, ...]
    world: Rows
    world_logits: Floats  # (n, n_labels)
    popular: Rows  # GTZAN's clips and the songs
    popular_logits: Floats
    popular_by: NDArray[np.str_]  # the collection that the answering model was made without

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which recordings are of a country that the model has."""
        return np.isin(self.world.labels, self.labels)

    @property
    def truth(self) -> NDArray[np.int64]:
        """(n,) indices into labels; -1: of no country among them."""
        return np.array([self.labels.index(label) if label in self.labels else -1 for label in self.world.labels])

    def without(self, source: str) -> "Answers":
        """Those that others got: neither the recordings of a collection nor the clips that its model answered."""
        world = self.world.sources != source
        popular = self.popular_by != source
        return replace(
            self,
            world=self.world[world],
            world_logits=self.world_logits[world],
            popular=self.popular[popular],
            popular_logits=self.popular_logits[popular],
            popular_by=self.popular_by[popular],
        )


@dataclass(frozen=True)
class Calibration:
    """How the logits become probabilities, and from which on one is written."""

    temperature: float
    threshold: float


def leave_one_source_out(
    material: Material, learn: Callable[[Material], Model], *, variants: Mapping[str, Floats] | None = None
) -> dict[str, Answers]:
    """What each collection is answered by a model without it: "clean", and under the name of each variant.

    Args:
        material: All of it.
        learn: Makes a model.
        variants: Other values of the world rows (damaged sound), to be answered by the same models.
    """
    labels, world, outside = material.labels, material.world, material.outside
    asked = {"clean": world.values} | dict(variants or {})
    logits = {name: np.zeros((len(world.labels), len(labels))) for name in asked}
    sources = sorted(set(world.sources))
    part = _parts(outside.sources, len(sources))
    popular, popular_logits, by = [], [], []
    for number, source in enumerate(sources):
        held, out = world.sources == source, part == number
        network, centre, scale = learn(replace(material, world=world[~held], outside=outside[~out]))
        for name, values in asked.items():
            logits[name][held] = ask(network, (values[held] - centre) / scale)
        clips = outside[out & _is_popular(outside.sources)]
        popular.append(clips)
        popular_logits.append(ask(network, (clips.values - centre) / scale))
        by.extend([source] * len(clips.labels))
    found = {}
    for name, values in logits.items():
        votes, recordings = by_group(values, world)
        found[name] = Answers(labels, recordings, votes, join(*popular), np.concatenate(popular_logits), np.array(by))
    return found


def _parts(sources: NDArray[np.str_], n: int) -> NDArray[np.int64]:
    """(n_clips,) which of n models answers a clip without having learned from it: one for all songs of a source."""
    songs = sorted({source for source in sources if source.startswith(SONGS)})
    return np.array([songs.index(source) % n if source in songs else index % n for index, source in enumerate(sources)])


def _is_popular(sources: NDArray[np.str_]) -> NDArray[np.bool_]:
    return (sources == "gtzan") | _are_songs(sources)


def _are_songs(sources: NDArray[np.str_]) -> NDArray[np.bool_]:
    return np.char.startswith(sources, SONGS)


def calibrate(answers: Answers) -> Calibration:
    """Temperature and threshold from recordings that the models had not seen.

    The temperature makes the confidence in the country that would be written most likely to be the rate at which it is
    right, on recordings half of which are popular music: there, no country is right. (Over all 34 labels the likelihood
    is another question, that of how the rest is shared out, and its answer is a model that doubts its best label.)

    The threshold is the smallest at which TARGET_PRECISION of all recordings that get a country get theirs, and no more
    than MOST_SONGS and MOST_GTZAN of the popular music gets one; 1.0 where there is none: the model then writes nothing
    by itself.
    """
    found = minimize_scalar(
        lambda logarithm: _log_loss(answers, np.exp(logarithm)), bounds=np.log(TEMPERATURE_RANGE), method="bounded"
    )
    temperature = float(np.exp(found.x))
    world = countries(answers.world_logits, temperature)
    precise = choose_threshold(world, answers.truth, target_precision=TARGET_PRECISION)
    popular, songs = countries(answers.popular_logits, temperature).max(axis=1), _are_songs(answers.popular.sources)
    quiet = np.quantile(popular[songs], 1 - MOST_SONGS), np.quantile(popular[~songs], 1 - MOST_GTZAN)
    return Calibration(temperature, float(max(precise, *quiet)))


def calibrations(answers: Answers) -> dict[str, Calibration]:
    """For each collection a calibration on what the others were answered.

    The models that answered these have learned from the collection, which a stricter nesting would forbid. It would
    leave the models without both of the two Turkish collections, from which most right answers come, and calibrate
    what no longer resembles the model that ships.
    """
    return {source: calibrate(answers.without(source)) for source in sorted(set(answers.world.sources))}


def _log_loss(answers: Answers, temperature: float) -> float:
    world = countries(answers.world_logits, temperature)[answers.known]
    confidence, correct = decisions(world, answers.truth[answers.known])
    popular = countries(answers.popular_logits, temperature).max(axis=1)
    doubt = 1e-6
    right = np.log(np.where(correct, confidence, 1 - confidence) + doubt)
    return float(-(right.mean() + np.log(1 - popular + doubt).mean()) / 2)


def countries(logits: Floats, temperature: float | Floats) -> Floats:
    """(n, n_labels) logits to (n, n_labels - 1) probabilities: OUTSIDE takes its part and is never written."""
    return to_probabilities(logits / temperature, "single")[:, :-1]


def scores(answers: Answers, chosen: Mapping[str, Calibration]) -> dict[str, float]:
    """What the collections are answered, one vote per recording; each collection with its own calibration.

    The calibration error is that of `geoclass evaluate`: 15 equally wide bins of the confidence in the best country.
    With popular music, any country is wrong.
    """
    temperature, threshold = _settings(chosen, answers.world.sources)
    world = countries(answers.world_logits, temperature[:, None])
    best, known = world.max(axis=1), answers.known
    truth, confidence = answers.truth[known], best[known]
    better = (world[known] > world[known, truth][:, None]).sum(axis=1)
    written, correct = best >= threshold, better < 1
    right = world.argmax(axis=1) == answers.truth
    temperature, popular_threshold = _settings(chosen, answers.popular_by)
    popular = countries(answers.popular_logits, temperature[:, None]).max(axis=1)
    songs = _are_songs(answers.popular.sources)
    return {
        "rank 1": float(correct.mean()),
        "within 5": float((better < 5).mean()),
        "chance at rank 1": 1 / world.shape[1],
        "written": float(written[known].mean()),
        "right of what is written, to any recording": float(right[written].mean()) if written.any() else float("nan"),
        "songs that get a country": float((popular >= popular_threshold)[songs].mean()),
        "GTZAN clips that get a country": float((popular >= popular_threshold)[~songs].mean()),
        "other countries' recordings that get one": float(written[~known].mean()),
        "calibration error": calibration_error(confidence, correct),
        "that of a perfect model": perfect_calibration_error(confidence),
        "calibration error with popular music": calibration_error(
            np.concatenate([confidence, popular]), np.concatenate([correct, np.zeros(len(popular), bool)])
        ),
    }


def _settings(calibrations: Mapping[str, Calibration], sources: NDArray[np.str_]) -> tuple[Floats, Floats]:
    chosen = [calibrations[source] for source in sources]
    return np.array([one.temperature for one in chosen]), np.array([one.threshold for one in chosen])


def calibration_error(confidence: Floats, correct: NDArray[np.bool_]) -> float:
    """Expected calibration error (Guo et al., ICML 2017)."""
    return expected_calibration_error(calibration_bins(confidence, correct))


def perfect_calibration_error(confidence: Floats, *, draws: int = 1000) -> float:
    """Mean calibration error of so many answers of these confidences, each right at exactly that rate."""
    random = np.random.default_rng(0)
    return float(
        np.mean([calibration_error(confidence, random.random(len(confidence)) < confidence) for _ in range(draws)])
    )
