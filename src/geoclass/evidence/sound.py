"""The witness of sound: what the model heard."""

from collections.abc import Iterator

import numpy as np

from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, background, country_index, from_distribution
from geoclass.geo.countries import country_codes, country_name

NAME = "sound"
_NEVER_SURE = 0.03  # of the probability is left to all countries, also by a model that was never taught silence


def opinions(facts: Facts) -> Iterator[Opinion]:
    """One opinion, where a model was asked.

    What the model takes for none of its countries stays as if it had said nothing: a Turkish pop song is not talked
    down by a model of field recordings. A country that it has no word for can still win by the other witnesses.
    """
    if facts.heard is None:
        return
    heard = np.zeros(len(country_index()))
    for label, probability in zip(facts.heard.labels, facts.heard.probabilities, strict=True):
        if label in country_index():
            heard[country_index()[label]] = probability
    if not heard.any():
        return
    heard *= min(1.0, (1 - _NEVER_SURE) / heard.sum())
    distribution = heard + (1 - heard.sum()) * background()
    likeliest = country_name(country_codes()[int(heard.argmax())])
    yield from_distribution(NAME, "sound", distribution, f"it sounds like {likeliest}")
