"""The pool: combines opinions into one calibrated distribution over all countries.

A log-linear pool: log p(country) = log p0(country) + sum over clues of weight * opinion, where p0 is what holds before
anything is known. The weights, one per clue, are made by tools/fit_evidence.py:
fitted where witnesses meet, 1 elsewhere, so that a single opinion keeps its own probabilities.

The files of one artist are no independent evidence on the artist: the opinions from one kind of clue are averaged by
how much they say, and count as `independent_files` files at most, however many there are: a row of the artist table is
one fact, and ten Turkish titles are one and a half.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geoclass.evidence.opinion import Opinion, Weights, best, country_index, log_background, softmax
from geoclass.evidence.tables import load_json
from geoclass.geo.countries import country_name

_SPOKE_FOR = math.log(2)  # a witness speaks for a country when it doubles its odds


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The pooled distribution over countries."""

    probabilities: Weights  # (n_countries,)
    opinions: tuple[Opinion, ...]

    def candidates(self, n: int = 10) -> tuple[tuple[str, float], ...]:
        """The most probable countries, best first."""
        return best(self.probabilities, n)

    def speaking_for(self, country_index: int) -> tuple[Opinion, ...]:
        """The opinions that raise a country, the strongest first."""
        raised = [(weight_of(of) * of.log_weights[country_index], of) for of in self.opinions]
        return tuple(of for gain, of in sorted(raised, key=lambda pair: -pair[0]) if gain > _SPOKE_FOR)


def pool(opinions: Iterable[Opinion]) -> Verdict | None:
    """The verdict on one file; None without opinions."""
    return pool_files([tuple(opinions)])


def pool_files(files: Sequence[Sequence[Opinion]]) -> Verdict | None:
    """The verdict on an artist from the opinions on each of the artist's files; None without opinions.

    The order of the files does not matter.
    """
    by_clue: defaultdict[tuple[str, str], list[Opinion]] = defaultdict(list)
    for opinions in files:
        for found in opinions:
            by_clue[found.witness, found.clue].append(found)
    if not by_clue:
        return None
    logits = log_background().copy()
    representative: list[Opinion] = []
    for _, group in sorted(by_clue.items()):
        together = _together(group)
        representative.append(together)
        logits = logits + weight_of(together) * together.log_weights
    return Verdict(probabilities=softmax(logits), opinions=tuple(representative))


def weight_of(opinion: Opinion) -> float:
    """The weight of an opinion's clue."""
    return float(load_json("weights.json")["pool"][opinion.clue])


def _says_much(log_weights: Weights) -> float:
    """How far an opinion is from none, in nats (Kullback-Leibler): an English title hardly dilutes a Turkish one."""
    p = softmax(log_weights + log_background())
    return float((p * (np.log(np.maximum(p, 1e-300)) - log_background())).sum()) + 1e-6


def _together(opinions: Sequence[Opinion]) -> Opinion:
    """The opinions from one clue on n files as one: their mean, times how many independent files they are worth."""
    if len(opinions) == 1:
        return opinions[0]
    n = len(opinions)
    ceiling = float(load_json("weights.json")["independent_files"].get(opinions[0].clue, 1.0))
    worth = n * ceiling / (n + ceiling - 1)
    # Sums run in sorted order, so that the same opinions give the same bits in any order.
    stacked = np.array(sorted((of.log_weights for of in opinions), key=lambda weights: weights.tobytes()))
    mean = worth * np.average(stacked, axis=0, weights=[_says_much(weights) for weights in stacked])
    first = opinions[0]
    together = Opinion(witness=first.witness, clue=first.clue, log_weights=mean, because="")
    country = together.says(1)[0][0]
    # The reason comes from a file that says the same: "it sounds like Mali" is no reason for Türkiye.
    agreeing = [of for of in opinions if of.says(1)[0][0] == country]
    if agreeing:
        place = country_index()[country]
        strongest = max(agreeing, key=lambda of: (of.log_weights[place], of.because))
        because = f"{strongest.because} (one of {n} files)"
    else:
        because = f"{n} files together, none of them alone, say {country_name(country)}"
    return replace(together, because=because)
