"""The witness of sound: the prediction of a model."""

import math
from collections.abc import Iterator

import numpy as np

from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, background, country_index, from_distribution
from geoclass.geo.countries import country_codes, country_name

NAME = "sound"
CONFIDENCE = 0.9  # the promise: of what is written, nine of ten are right
_NEVER_SURE = 0.03  # of the probability is left to all countries, even by a model without a class for other music


def opinions(facts: Facts) -> Iterator[Opinion]:
    """One opinion, where there is a prediction.

    The probability of its class for other music is shared as if nothing were known: a model of field recordings does
    not argue against Turkish pop. A country that is not among its labels can still win by the other witnesses.
    """
    if facts.heard is None:
        return
    heard = np.zeros(len(country_index()))
    for label, probability in zip(facts.heard.labels, facts.heard.probabilities, strict=True):
        if label in country_index():
            heard[country_index()[label]] = probability
    if not heard.any():
        return
    heard **= _temper(facts.heard.threshold)
    heard *= min(1.0, (1 - _NEVER_SURE) / max(heard.sum(), 1e-12))
    distribution = heard + (1 - heard.sum()) * background()
    likeliest = int(heard.argmax())
    if distribution.argmax() == likeliest:
        because = f"it sounds like {country_name(country_codes()[likeliest])}"
    else:
        because = "it sounds like no country in particular"
    yield from_distribution(NAME, "sound", distribution, because)


def _temper(threshold: float) -> float:
    """The power that takes a model's own threshold, from which on nine of ten are right, to 0.9.

    A threshold below 0.9 changes nothing: the probabilities of such a model are taken as they are.
    """
    return max(1.0, math.log(CONFIDENCE) / math.log(min(threshold, 0.999))) if threshold > 0 else 1.0
