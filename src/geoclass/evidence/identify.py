"""Language identification of titles and texts: py3langid's n-grams, joined with frequency and spelling of its words.

A title is three words long. N-grams, with the words that songs are made of, identify the language of 60 % of native
titles; with the frequencies and the spelling of words, of 70 %. Their weights are fitted by tools/fit_evidence.py.
"""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.evidence import ngrams
from geoclass.evidence.scripts import LANGUAGES_OF_SCRIPT, letters_in, script_of
from geoclass.evidence.tables import load_json, load_lines
from geoclass.evidence.vocabulary import is_word, log_frequencies, log_spelling

# The languages of popular music among py3langid's 140; Latin and Esperanto, so that neither is taken for another.
_CODES = """
    af am ar as az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu ha he hi hr hu hy id ig is it ja ka
    kk km kn ko ku ky la lb lo lt lv mg mk ml mn mr ms mt my ne nl no or pa pl ps pt qu ro ru sa si sk sl so sq sr sv
    sw ta te th tl tr tt ug uk ur uz vi xh yo zh zu
"""
LANGUAGES = tuple(_CODES.split())
MIN_LYRICS = 40  # letters; what is shorter is read as a title
_MAX_LYRICS = 2_000  # letters that are read
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_FOLDED = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ß": "ss"})

_ENGLISH = LANGUAGES.index("en")

Scores = NDArray[np.float64]  # (n_languages,) in the order of LANGUAGES


def language_of_title(text: str) -> Scores:
    """Probability of each language, (n_languages,), of a title as `clean_title` gives it."""
    script = script_of(text)
    if script and script != "Latin":
        return _of_script(text, script)
    weights = load_json("weights.json")
    return sharpened(probabilities(title_features(text), weights["title"]), weights["sharpness"])


def language_of_text(text: str) -> Scores:
    """Probability of each language, (n_languages,), of lyrics or of a comment."""
    start = text[:_MAX_LYRICS]
    script = script_of(start)
    if script and script != "Latin":
        return _of_script(start, script)
    raw, n_bytes = _ngrams(start)
    return _normalized(raw / math.sqrt(n_bytes))


def title_features(text: str) -> dict[str, Any]:
    """What `probabilities` reads from a title.

    By language, each (n_languages,): n-gram scores, log frequencies of words, their spelling, words of songs, letters
    that are foreign. And the numbers of bytes, of words, of English words and of others.
    """
    raw, n_bytes = _ngrams(text)
    hits = np.zeros(len(LANGUAGES))
    english = 0
    alien = np.zeros(len(LANGUAGES))
    for letter in {letter for letter in unicodedata.normalize("NFC", text.casefold()) if letter > "\x7f"}:
        alien += _not_in_alphabet(letter)
    words = _words(text)
    frequencies = np.zeros(len(LANGUAGES))
    for word in words:
        frequencies += log_frequencies(word if is_word(word) else fold(word), len(LANGUAGES))
        for index, weight in _word_lists().get(word, ()):
            hits[index] += weight
        english += word in _english()
    foreign = len(words) - english
    return {
        "raw": raw, "n_bytes": n_bytes, "frequencies": frequencies, "n_words": max(1, len(words)), "hits": hits,
        "spelling": log_spelling(words, len(LANGUAGES)), "alien": alien, "english": english, "foreign": foreign,
    }  # fmt: skip


def probabilities(features: Mapping[str, Any], weights: Mapping[str, float]) -> Scores:
    """Features of a title, or of many with a leading axis, to probabilities, (…, n_languages).

    The scores of n-grams and words, divided by powers of the length, add up to log-odds; then a share of what reads as
    English, and a small one of the rest, goes to the other languages by their reach: "Boom Boom" may be sung in any.
    """
    scale = weights["ngrams"] / np.asarray(features["n_bytes"], np.float64) ** weights["length_power"]
    logits = scale[..., None] * features["raw"] + weights["reach"] * _log_reach() + weights["words"] * features["hits"]
    of_words = weights["frequencies"] / np.asarray(features["n_words"], np.float64) ** weights["words_power"]
    logits = logits + of_words[..., None] * features["frequencies"]
    logits = logits + weights["spelling"] * features["spelling"]
    logits = logits - weights["alien_letters"] * features["alien"]
    logits[..., _ENGLISH] += weights["english"] + weights["english_words"] * features["english"]
    logits[..., _ENGLISH] -= weights["foreign_words"] * features["foreign"]
    p = _normalized(logits)
    english = p[..., [_ENGLISH]]
    lost = weights["not_as_it_reads"] * (1 - english) + weights["english_titles"] * english
    p = p * (1 - weights["not_as_it_reads"])
    p[..., [_ENGLISH]] = english * (1 - weights["english_titles"])
    return np.asarray(p + lost * _normalized(0.5 * _log_reach()))


def sharpened(p: Scores, sharpness: float) -> Scores:
    """Probabilities to a power, (…, n_languages)."""
    return _normalized(sharpness * np.log(np.maximum(p, 1e-12)))


def _of_script(text: str, script: str) -> Scores:
    open_ = [LANGUAGES.index(code) for code in LANGUAGES_OF_SCRIPT.get(script, ())]
    p = np.zeros(len(LANGUAGES))
    if len(open_) <= 1:
        p[open_] = 1.0
        return p
    raw, n_bytes = _ngrams(letters_in(text, script))
    p[open_] = _normalized(raw[open_] / math.sqrt(n_bytes) + 0.5 * _log_reach()[open_])
    return p


def _normalized(logits: Scores) -> Scores:
    scaled = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True))


def _words(text: str) -> list[str]:
    found: list[str] = []
    for word in WORD.findall(text.casefold()):
        word = word.replace("’", "'")
        known = word in _word_lists() or word in _english() or is_word(word)
        found += [word] if known else [part for part in word.split("'") if part]
    return found


def _ngrams(text: str) -> tuple[Scores, int]:
    """py3langid's log-likelihoods, (n_languages,), the best one 0; and the length in bytes."""
    return ngrams.log_likelihoods(text, LANGUAGES), max(1, len(text.encode("utf-8", "replace")))


def load_ahead() -> None:
    """Begin to load the language model and the table of words on a thread, while a program starts."""

    def load() -> None:
        ngrams.load(LANGUAGES)
        is_word("")

    Thread(target=load, name="languages", daemon=True).start()


@cache
def _word_lists() -> dict[str, tuple[tuple[int, float], ...]]:
    """Languages, as (index, weight), by word; what matches without its accents only weighs less."""
    found: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for code, words in songs_words().items():
        for word in words:
            found[word][LANGUAGES.index(code)] = 1.0
            found[fold(word)].setdefault(LANGUAGES.index(code), 0.6)
    return {word: tuple(of.items()) for word, of in found.items()}


def songs_words() -> dict[str, list[str]]:
    """The words that titles of songs are made of, by language of LANGUAGES."""
    found: dict[str, list[str]] = {}
    for line in load_lines("title_words.tsv"):
        language, words = line.split("\t")
        for code in ("hr", "sr", "bs") if language == "sh" else (language,):
            if code in LANGUAGES:
                found[code] = words.casefold().split()
    return found


@cache
def _not_in_alphabet(letter: str) -> Scores:
    """1 for each language whose alphabet lacks a letter, 0 for the others, (n_languages,)."""
    lacks = np.zeros(len(LANGUAGES))
    if letter.isalpha():
        lacks[[LANGUAGES.index(code) for code, letters in _alphabets().items() if letter not in letters]] = 1.0
    return lacks


@cache
def _alphabets() -> dict[str, str]:
    known = dict(line.split("\t") for line in load_lines("letters.tsv"))
    return {code: letters for code, letters in known.items() if code in LANGUAGES}


@cache
def _english() -> frozenset[str]:
    return frozenset(load_lines("english_words.txt"))


@cache
def _log_reach() -> Scores:
    """Logarithm of how much is sung in each language, (n_languages,); the largest is 0."""
    known = load_json("languages.json")["reach"]
    reach = np.log([max(known.get(code, 0.0), 1e-5) for code in LANGUAGES])
    return np.asarray(reach - reach.max())


def fold(word: str) -> str:
    """Without accents, as people type who have none on their keyboard."""
    decomposed = unicodedata.normalize("NFKD", word.translate(_FOLDED))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
