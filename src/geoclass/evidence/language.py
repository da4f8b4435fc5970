"""The witness of language: what the title, the lyrics and the language tag are in, and where that is spoken.

The tag comes first, then the lyrics, the title, the album and the comment; the first whose language is clear counts. A
language of several countries gives each its share: Spanish points to a dozen countries, Turkish to one.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from geoclass.evidence.facts import Facts
from geoclass.evidence.identify import LANGUAGES, MIN_LYRICS, language_of_text, language_of_title
from geoclass.evidence.language_names import language_name, parse_languages
from geoclass.evidence.opinion import Opinion, background, country_index, from_distribution
from geoclass.evidence.scripts import script_of
from geoclass.evidence.tables import load_json
from geoclass.evidence.titles import clean_title, visible

NAME = "language"
_NAMED = 0.5  # from this probability on a reason names the language
_CLEAR = 0.5  # a text whose language is less certain is passed over for the next one


def opinions(facts: Facts) -> Iterator[Opinion]:
    """One opinion, by the first text that gives one."""
    for read in (_of_tag, _of_lyrics, _of_title, _of_album, _of_comment):
        found = read(facts)
        if found is not None:
            yield found
            return


def _of_tag(facts: Facts) -> Opinion | None:
    codes = parse_languages(facts.languages)
    # English beside another language is that of the refrain.
    codes = tuple(code for code in codes if code != "en") or codes
    known = [code for code in codes if code in load_json("languages.json")["speaks_for"]]
    if not known:
        return None
    distribution = np.mean([countries_of(code) for code in known], axis=0)
    names = " and ".join(map(language_name, known[:3]))
    return from_distribution(NAME, "language tag", distribution, f"the language tag says {names}")


def _of_lyrics(facts: Facts) -> Opinion | None:
    return _of_prose(facts.lyrics, "lyrics", "the lyrics are")


def _of_comment(facts: Facts) -> Opinion | None:
    return _of_prose(facts.comment, "comment", "the comment is")


def _of_prose(text: str, clue: str, subject: str) -> Opinion | None:
    text = visible(text, max_letters=4_000)
    if len(text) < MIN_LYRICS:
        return None
    return _speak(clue, subject, text, language_of_text, only_clear=True)


def _of_title(facts: Facts) -> Opinion | None:
    title = clean_title(facts.title, artist=facts.artist)
    return _speak("title", "the title is", title, language_of_title, only_clear=bool(facts.album))


def _of_album(facts: Facts) -> Opinion | None:
    album = clean_title(facts.album, artist=facts.artist)
    return _speak("album", "the album's title is", album, language_of_title, only_clear=False)


def _speak(
    clue: str, subject: str, text: str, identify: Callable[[str], NDArray[np.float64]], *, only_clear: bool
) -> Opinion | None:
    if not any(map(str.isalpha, text)):
        return None
    languages = identify(text)
    best = int(languages.argmax())
    if not languages.any() or (only_clear and languages[best] < _CLEAR):
        return None
    distribution = languages @ _table()
    script = script_of(text)
    named = language_name(LANGUAGES[best]) if languages[best] >= _NAMED else "in no clear language"
    because = f"{subject} {named}" if script in ("Latin", "") else f"{subject} {named}, in {script} letters"
    return from_distribution(NAME, clue, distribution, because)


@cache
def _table() -> NDArray[np.float64]:
    """P(country | language), (n_languages, n_countries)."""
    return np.array([countries_of(code) for code in LANGUAGES])


@cache
def countries_of(language: str) -> NDArray[np.float64]:
    """P(country | language), (n_countries,), with a share for artists who sing in a foreign language."""
    weights = load_json("weights.json")["abroad"]
    abroad = weights["english"] if language == "en" else weights["others"]
    spoken = np.zeros(len(country_index()))
    for code, p in load_json("languages.json")["speaks_for"].get(language, {}).items():
        spoken[country_index()[code]] = p
    if not spoken.sum():
        return background()
    known = (1 - abroad) * spoken  # the rest belongs to countries that no longer exist
    return np.asarray(known + (1 - known.sum()) * background())
