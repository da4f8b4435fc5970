"""How far each witness on the country is to be trusted, fitted on artists whose country is known.

A power between 0 and 1 for each clue, by penalized likelihood over artists: the penalty draws it to 1, the shipped
weight, and no clue is trusted more than that.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from geoclass.evidence.library import CLUE, LibraryEvidence, shares
from geoclass.evidence.opinion import country_index, log_background
from geoclass.learning.fit import SURE

MIN_OF_CLUE = 10  # artists of whom a clue must have spoken to be judged
_DRAWN_BACK = 2.0  # of the squared distance from the shipped weight, in nats: two wrong artists do not move it far
_STEPS = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Artist:
    """What was said of one artist's files, and what is true."""

    country: str
    files: int
    said: Mapping[str, Floats]  # clue -> (n_countries,) of the pool


def fit(artists: Sequence[Artist]) -> LibraryEvidence:
    """The powers of the clues, and how many artists each country has."""
    speaking = [artist for artist in artists if artist.said]
    heard = Counter(clue for artist in speaking for clue in artist.said)
    clues = sorted(clue for clue, n in heard.items() if n >= MIN_OF_CLUE)
    counted = Counter(artist.country for artist in artists)
    # The counts that an artist is judged by are those of the others: its own country would be evidence for itself.
    fixed = np.stack([_fixed(artist, clues) for artist in speaking])
    own = np.stack([_common(counted - Counter([artist.country])) for artist in speaking])
    given = [np.stack([artist.said.get(clue, _nothing()) for artist in speaking]) for clue in clues]
    free = np.stack([*given, own])  # (n_powers, n_artists, n_countries)
    truth = np.array([country_index()[artist.country] for artist in speaking])
    powers = _powers(fixed, free, truth)
    trust = {clue: round(float(power), 3) for clue, power in zip([*clues, CLUE], powers, strict=True)}
    return LibraryEvidence(trust=trust, artists=dict(sorted(counted.items())))


def _powers(fixed: Floats, free: Floats, truth: NDArray[np.int64]) -> Floats:
    """The powers in [0, 1] that make the truth most probable, drawn to 1: a convex problem."""
    from scipy.optimize import minimize

    rows = np.arange(len(truth))

    def loss(powers: Floats) -> tuple[float, Floats]:
        logits = fixed + np.tensordot(powers, free, axes=1)
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        gradient = np.einsum("kac,ac->k", free, p) - free[:, rows, truth].sum(axis=1)
        away = powers - 1.0
        value = -np.log(np.maximum(p[rows, truth], 1e-300)).sum() + _DRAWN_BACK * np.square(away).sum()
        return float(value), gradient + 2 * _DRAWN_BACK * away

    start = np.ones(len(free))
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(free), options={"maxiter": _STEPS}
    )
    return np.asarray(found.x)


def sharpened(evidence: LibraryEvidence, sharpness: float) -> LibraryEvidence:
    """All powers times one number, or what makes the largest 1."""
    by = min(sharpness, 1 / max(*evidence.trust.values(), 1e-3))
    return replace(evidence, trust={clue: round(power * by, 3) for clue, power in evidence.trust.items()})


def judge_artist(artist: Artist, evidence: LibraryEvidence) -> tuple[float, float, float]:
    """Surprisal of the artist's country in nats; whether it would be written; whether correctly."""
    if not artist.said:
        return 0.0, 0.0, 0.0
    logits = log_background() + sum(evidence.trust.get(clue, 1.0) * said for clue, said in artist.said.items())
    if evidence.artists:
        logits = logits + evidence.trust.get(CLUE, 1.0) * _common(evidence.artists)
    p = np.exp(logits - logits.max())
    p /= p.sum()
    place = country_index()[artist.country]
    sure = float(p.max() >= SURE)
    return -float(np.log(max(p[place], 1e-300))), sure, sure * float(p.argmax() == place)


def _fixed(artist: Artist, clues: Sequence[str]) -> Floats:
    """What is not fitted: too few artists had such clues."""
    return log_background() + sum((said for clue, said in artist.said.items() if clue not in clues), _nothing())


def _common(counted: Mapping[str, int]) -> Floats:
    return np.asarray(np.log(shares(counted)) - log_background())


@cache
def _nothing() -> Floats:
    return np.zeros(len(country_index()))
