"""Make src/geoclass/evidence/data/words.npz: words and their spelling by language, for titles in Latin letters.

    pip install wordfreq anyascii simplemma
    python tools/make_words.py

Words: the frequency lists of wordfreq 3.1 (Robyn Speer; data CC BY-SA 4.0, from Wikipedia, OpenSubtitles, news, books
and the web), the first `--words` of each of 39 languages. Russian, Greek, Hindi and others are brought into Latin
letters by anyascii; words with accents stand without them too, at a quarter of their frequency, as people type them.
The songs' words of title_words.tsv are added, for wordfreq lacks some languages, and no program romanizes Hebrew and
Arabic as people do. An entry is a word in a language: the CRC-32 of the word, the language's place in
`identify.LANGUAGES`, the logarithm of its frequency in steps; sorted by word, as differences, so that it compresses.
Left out is what is rarer than three in a million, or e^5 times rarer than in another language.

Spelling: for words that no list has, P(letter | the two before it) of each language, from the same lists, and from
simplemma's forms (Wiktionary, CC BY-SA; lemmatization lists, ODbL) for Estonian and Albanian, which wordfreq lacks.
What is rare follows shorter contexts. No data set is read.
"""

import argparse
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import wordfreq
from anyascii import anyascii
from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

from geoclass.evidence.identify import LANGUAGES, WORD, fold, songs_words
from geoclass.evidence.vocabulary import LOG_STEP, SPELLING_STEP, checksum, trigrams

OUT = Path(__file__).parents[1] / "src/geoclass/evidence/data/words.npz"
CALLED = {"no": "nb", "hr": "sh", "tl": "fil"}  # by wordfreq
OTHER_SCRIPTS = {"ar", "bg", "bn", "el", "fa", "he", "hi", "mk", "ru", "ta", "uk", "ur"}
NEVER_LATIN = {"ja", "ko", "zh"}
TYPED_WITHOUT_ACCENTS = 0.25
OF_SONGS, OF_SONGS_ALONE = 3e-4, 1.5e-3  # frequency that a word of title_words.tsv has; where it is all there is
RAREST = float(np.exp(-160.5 * LOG_STEP))
RARER = np.exp(-5.0)  # than in another language: such an entry says nothing
SPELLED, SPELLED_OF_FORMS, MIN_COUNT, BACKING = 9_000, 30_000, 6.0, 4.0
FORMS = ("et", "sq")  # from simplemma
NO_SPELLING = 4.0  # -log P(letter) in a language of which nothing is known
UNRELIABLE = {"ar", "fa", "he", "hi", "ur"}  # romanized letter by letter they look otherwise than people write them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=22_000, help="of each language")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    entries: defaultdict[tuple[int, int], float] = defaultdict(float)
    listed = listed_words(options.words)
    for language, frequencies in listed.items():
        total = sum(frequencies.values())
        for word, frequency in frequencies.items():
            entries[checksum(word), LANGUAGES.index(language)] += frequency / total
    for language, words in songs_words().items():
        frequency = OF_SONGS if language in listed and language not in UNRELIABLE else OF_SONGS_ALONE
        for key in {checksum(form) for word in words for form in (word, fold(word))}:
            entries[key, LANGUAGES.index(language)] += frequency
    commonest: defaultdict[int, float] = defaultdict(float)
    for (key, _), frequency in entries.items():
        commonest[key] = max(commonest[key], frequency)
    entries = {pair: f for pair, f in entries.items() if f > max(RAREST, RARER * commonest[pair[0]])}
    found, steps = spelling(spelled_words(listed))
    write(entries, found, steps, options.out)
    print(f"{len(entries):,} entries, {len(found):,} trigrams, {options.out.stat().st_size / 1e6:.1f} MB")


def write(entries: dict[tuple[int, int], float], found: list[str], spelled: np.ndarray, path: Path) -> None:
    ordered = sorted(entries)
    keys, languages = np.array(ordered, np.int64).T
    steps = np.round(np.log([entries[pair] for pair in ordered]) / -LOG_STEP)
    np.savez_compressed(
        path,
        keys=np.diff(keys, prepend=0).astype(np.uint32),
        languages=languages.astype(np.uint8),
        steps=np.clip(steps, 0, 255).astype(np.uint8),
        trigrams=np.array([checksum(of) for of in found], np.uint32),
        spelling=spelled,
    )


def listed_words(n: int) -> dict[str, dict[str, float]]:
    """Frequency by word, for each language that wordfreq has and that is written, or romanized, in Latin letters."""
    known = wordfreq.available_languages("best")
    found = {}
    for language in LANGUAGES:
        name = CALLED.get(language, language)
        if name not in known or language in NEVER_LATIN:
            continue
        frequencies: defaultdict[str, float] = defaultdict(float)
        words = [word for word in wordfreq.top_n_list(name, 2 * n) if WORD.fullmatch(word)][:n]
        for word in words:
            frequency = wordfreq.word_frequency(word, name)
            if language in OTHER_SCRIPTS:
                frequencies[re.sub(r"[^a-z']", "", anyascii(word).lower())] += frequency
                continue
            frequencies[word] += frequency
            if fold(word) != word:
                frequencies[fold(word)] += TYPED_WITHOUT_ACCENTS * frequency
        frequencies.pop("", None)
        found[language] = frequencies
    return found


def spelled_words(listed: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """The words that spelling is learned from, with weights: frequent ones count some times over."""
    found: dict[str, dict[str, float]] = {}
    for language, frequencies in listed.items():
        common = dict(sorted(frequencies.items(), key=lambda pair: -pair[1])[:SPELLED])
        rarest = min(common.values())
        found[language] = {word: 1 + float(np.log10(f / rarest + 1)) for word, f in common.items()}
    for language in FORMS:
        forms = list(DefaultDictionaryFactory().get_dictionary(language))
        some = forms[:: max(1, len(forms) // SPELLED_OF_FORMS)]
        found[language] = {word: 1.0 for word in some if WORD.fullmatch(word) and word == word.casefold()}
    for language, words in songs_words().items():
        of = found.setdefault(language, {})
        for form in {form for word in words for form in (word, fold(word))}:
            of[form] = of.get(form, 0.0) + 3.0
    return found


def spelling(words: dict[str, dict[str, float]]) -> tuple[list[str], np.ndarray]:
    """The trigrams, sorted by checksum, and -log P(last letter | the two before it) in steps, (n, n_languages)."""
    counts = {language: Counter[str]() for language in words}
    for language, of in words.items():
        for word, weight in of.items():
            for trigram in trigrams(word):
                counts[language][trigram] += weight
    kept = sorted({t for of in counts.values() for t, n in of.items() if n >= MIN_COUNT}, key=checksum)
    letters = {trigram[2] for trigram in kept}
    spelled = np.full((len(kept), len(LANGUAGES)), NO_SPELLING)
    for language, of in counts.items():
        pairs, singles, after_two, after_one = (Counter[str]() for _ in range(4))
        for trigram, n in of.items():
            pairs[trigram[1:]] += n
            singles[trigram[2]] += n
            after_two[trigram[:2]] += n
            after_one[trigram[1]] += n
        total = sum(singles.values())
        single = {letter: (singles[letter] + 0.02) / (total + 0.02 * len(letters)) for letter in letters}
        for row, trigram in enumerate(kept):
            p = (pairs[trigram[1:]] + BACKING * single[trigram[2]]) / (after_one[trigram[1]] + BACKING)
            p = (of[trigram] + BACKING * p) / (after_two[trigram[:2]] + BACKING)
            spelled[row, LANGUAGES.index(language)] = -np.log(p)
    return kept, np.clip(np.round(spelled / SPELLING_STEP), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
