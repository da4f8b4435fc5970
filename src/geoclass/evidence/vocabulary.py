"""How often a word is written in each language, and how each language spells: half a million words in Latin letters.

Made by tools/make_words.py from wordfreq (data CC BY-SA 4.0). Words are stored as their CRC-32: of words that no
language has, one in ten thousand is mistaken for another.
"""

import zlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOG_STEP = 0.08  # of the logarithm of a frequency
SPELLING_STEP = 0.2  # of the logarithm of a letter's probability
_UNSEEN = 2e-7  # frequency that a word has in each language that lacks it


def checksum(word: str) -> int:
    """The key of a word in the table."""
    return zlib.crc32(word.encode("utf-8", "replace"))


def is_word(word: str) -> bool:
    """Whether any language has the word."""
    start, end = _entries(word)
    return end > start


def log_frequencies(word: str, n_languages: int) -> NDArray[np.float64]:
    """Of a word in each language, less that in the language where it is most frequent, (n_languages,).

    All 0 for a word that no language has.
    """
    start, end = _entries(word)
    frequencies = np.full(n_languages, _UNSEEN)
    _, languages, steps = _table()
    frequencies[languages[start:end]] += np.exp(-LOG_STEP * steps[start:end])
    logs = np.log(frequencies)
    return np.asarray(logs - logs.max())


def log_spelling(words: Sequence[str], n_languages: int) -> NDArray[np.float64]:
    """Log-probability of the letters of words in each language, less that of the likeliest, (n_languages,)."""
    keys, spelling = _spelling()
    asked = np.array([checksum(trigram) for word in words for trigram in trigrams(word)], np.uint32)
    places = np.minimum(keys.searchsorted(asked), len(keys) - 1)
    known = places[keys[places] == asked]
    logs = -SPELLING_STEP * spelling[known].sum(axis=0, dtype=np.float64)
    return np.asarray(logs - logs.max()) if len(known) else np.zeros(n_languages)


def trigrams(word: str) -> list[str]:
    """Each letter with the two before it; the word begins with two blanks and ends with one."""
    padded = f"  {word} "
    return [padded[i : i + 3] for i in range(len(padded) - 2)]


def _entries(word: str) -> tuple[int, int]:
    keys, _, _ = _table()
    key = np.uint32(checksum(word))
    return int(keys.searchsorted(key, "left")), int(keys.searchsorted(key, "right"))


@cache
def _table() -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.float64]]:
    """Checksums in ascending order, and of each entry its language and frequency, (n_entries,) each."""
    keys, languages, steps, _, _ = _arrays()
    return np.cumsum(keys, dtype=np.uint32), languages, steps.astype(np.float64)


@cache
def _spelling() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Checksums of trigrams in ascending order, (n,), and the spelling of each language, (n, n_languages)."""
    _, _, _, keys, spelling = _arrays()
    return keys, spelling


@cache
def _arrays() -> tuple[NDArray[Any], ...]:
    source = resources.files("geoclass.evidence").joinpath("data", "words.npz")
    with source.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return tuple(arrays[name] for name in ("keys", "languages", "steps", "trigrams", "spelling"))
