"""Opinions: how a witness shifts the odds of the countries, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from geoclass.evidence.tables import load_json
from geoclass.geo.countries import country_codes

# What each clue is called where reasons are listed.
CLUES: Mapping[str, str] = {
    "artist id": "MusicBrainz identifier",
    "artist name": "artist table",
    "shared artist name": "artist table",
    "owner": "the artist's other files",
    "language tag": "language tag",
    "lyrics": "language of the lyrics",
    "title": "language of the title",
    "album": "language of the album",
    "comment": "language of the comment",
    "genre words": "words of the genre",
    "grouping words": "words of the grouping",
    "album words": "words of the album",
    "folder": "name of the folder",
    "code": "codes",
    "sound": "sound",
    "countries of the library": "countries of the library",
}

Weights = NDArray[np.float64]  # (n_countries,) in the order of `country_codes`


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """The conclusion of one witness from one fact.

    `log_weights` are log p(country | fact) - log p(country): 0 where the fact says nothing of a country. So opinions
    add up, and a single one gives the witness's own probabilities.
    """

    witness: str  # of WITNESSES
    clue: str  # what the witness read, such as "title"; it decides the weight in the pool
    log_weights: Weights
    because: str  # for people: "the title is Turkish"

    def says(self, n: int = 3) -> tuple[tuple[str, float], ...]:
        """The best countries with their probabilities, as if this were the only witness."""
        return best(softmax(self.log_weights + log_background()), n)


def opinion(witness: str, clue: str, probabilities: Mapping[str, float], because: str) -> Opinion:
    """An opinion from probabilities by country; the rest, up to 1, is shared as if nothing were known."""
    weights = np.zeros(len(country_codes()))
    for code, probability in probabilities.items():
        if code in country_index():
            weights[country_index()[code]] += probability
    rest = max(0.0, 1.0 - weights.sum())
    return from_distribution(witness, clue, weights + rest * background(), because)


def from_distribution(witness: str, clue: str, distribution: Weights, because: str) -> Opinion:
    """An opinion from a probability for every country, (n_countries,)."""
    log_weights = np.log(np.maximum(distribution, 1e-12)) - log_background()
    return Opinion(witness=witness, clue=clue, log_weights=log_weights, because=because)


def softmax(logits: Weights) -> Weights:
    """Logits (n,) to probabilities (n,)."""
    scaled = np.exp(logits - logits.max())
    return np.asarray(scaled / scaled.sum())


def best(probabilities: Weights, n: int) -> tuple[tuple[str, float], ...]:
    """The `n` most probable countries, best first; ties in the order of the codes."""
    order = np.argsort(-probabilities, kind="stable")[:n]
    codes = country_codes()
    return tuple((codes[index], p) for index, p in zip(order.tolist(), probabilities[order].tolist(), strict=True))


@cache
def country_index() -> Mapping[str, int]:
    """Place of each country in `Weights`."""
    return {code: index for index, code in enumerate(country_codes())}


@cache
def background() -> Weights:
    """How probable each country is before anything is known: by its economy, see tools/make_languages.py."""
    known = load_json("languages.json")["background"]
    weights = np.array([known.get(code, 0.0) for code in country_codes()]) + 1e-5
    return np.asarray(weights / weights.sum())


@cache
def log_background() -> Weights:
    """Logarithm of `background`."""
    return np.asarray(np.log(background()))
