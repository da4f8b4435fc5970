"""Frequencies of words: facts of languages that any dictionary confirms, and what holds for any word."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoclass.evidence.identify import LANGUAGES, language_of_title
from geoclass.evidence.vocabulary import checksum, is_word, log_frequencies, log_spelling, trigrams

N = len(LANGUAGES)


def languages_of(word: str, *, within: float = 3.0) -> set[str]:
    """Languages in which a word is at most e^within times rarer than where it is commonest."""
    return {code for code, p in zip(LANGUAGES, log_frequencies(word, N), strict=True) if p > -within}


@pytest.mark.parametrize(
    ("word", "languages"),
    [
        ("och", {"sv"}),  # "and"
        ("ikke", {"da", "no"}),  # "not"
        ("igjen", {"no"}),  # "again"; Danish "igen"
        ("że", {"pl"}),  # "that"
        ("için", {"tr"}),  # "for"
        ("icin", {"tr"}),  # the same, as it is typed without accents
        ("nicht", {"de"}),
        ("ljubav", {"hr", "bs", "sr"}),  # "love"
        ("agapi", {"el"}),  # "love", in Latin letters
    ],
)
def test_words_belong_to_their_languages(word: str, languages: set[str]) -> None:
    assert languages_of(word) & {*languages, "af", "lb"} >= languages
    assert languages_of(word, within=1.5) <= languages | {"lb", "az"}


@given(st.text(max_size=12))
def test_the_commonest_language_of_a_word_stands_at_zero(word: str) -> None:
    logs = log_frequencies(word, N)
    assert logs.shape == (N,)
    assert logs.max() == 0
    assert np.isfinite(logs).all()
    assert is_word(word) or not logs.any()


@pytest.mark.parametrize("word", ["", "zzyzzxq", "qqqqqqqq", "\ud800"])
def test_what_is_no_word_says_nothing(word: str) -> None:
    assert not is_word(word)
    assert not log_frequencies(word, N).any()


def test_words_are_found_by_their_crc_32() -> None:
    assert checksum("für") == zlib.crc32("für".encode())


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Jeg ved ikke hvad jeg skal sige", "da"),
        ("Hvor ble det av deg", "no"),
        ("Ingen vet vad jag känner", "sv"),
        ("Minä olen täällä", "fi"),
        ("Nikdy jsem nevěděl", "cs"),
        ("Nie wiem co powiedzieć", "pl"),
        ("Nem tudom mit mondjak", "hu"),
        ("Nu știu ce să spun", "ro"),
        ("Veit ekki hvað ég segi", "is"),
    ],
)
def test_a_short_sentence_is_in_its_language(title: str, language: str) -> None:
    found = language_of_title(title)
    assert LANGUAGES[int(found.argmax())] == language
    assert found.max() > 0.9


def test_letters_that_a_language_does_not_use_speak_against_it() -> None:
    def likelier(word: str, language: str, other: str) -> bool:
        spelled = log_spelling((word,), N)
        return bool(spelled[LANGUAGES.index(language)] > spelled[LANGUAGES.index(other)] + 1)

    # Made-up words: no list has them.
    assert likelier("grynkovasz", "pl", "it")
    assert likelier("määräöinen", "fi", "en")
    assert likelier("ðeirvað", "is", "de")
    assert likelier("skjølving", "no", "es")


@given(st.lists(st.text(max_size=8), max_size=4))
def test_spelling_is_that_of_the_words_in_any_order(words: list[str]) -> None:
    spelled = log_spelling(words, N)
    assert spelled.shape == (N,)
    assert spelled.max() == 0
    assert np.allclose(spelled, log_spelling(words[::-1], N))


def test_trigrams_of_a_word() -> None:
    assert trigrams("ab") == ["  a", " ab", "ab "]
