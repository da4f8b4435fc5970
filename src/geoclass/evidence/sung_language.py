"""The witness of the sung language, identified by a Whisper model. Optional."""

from collections.abc import Iterator

import numpy as np

from geoclass.evidence.facts import Facts
from geoclass.evidence.language import countries_of
from geoclass.evidence.language_names import language_name
from geoclass.evidence.opinion import Opinion, background, from_distribution

NAME = "sung-language"
_SURE = 0.5  # below it nothing is said: instrumental music gets a language too, of no great probability


def opinions(facts: Facts) -> Iterator[Opinion]:
    """One opinion, where one language is probable enough."""
    if not facts.sung:
        return
    language = max(facts.sung, key=lambda code: (facts.sung[code], code))
    if facts.sung[language] < _SURE:
        return
    distribution = np.sum([p * countries_of(code) for code, p in facts.sung.items()], axis=0)
    distribution += max(0.0, 1 - sum(facts.sung.values())) * background()
    yield from_distribution(NAME, "lyrics", distribution, f"it is sung in {language_name(language)}")
