"""The writing system of a text, and the languages written in it."""

import unicodedata
from collections import Counter
from functools import cache

MAX_LETTERS = 4_000  # of a text are looked at: lyrics can be 10 MB long

# The languages that a script leaves open, of those that `identify` knows; Latin leaves all others.
LANGUAGES_OF_SCRIPT: dict[str, tuple[str, ...]] = {
    "Hangul": ("ko",),
    "kana": ("ja",),
    "Han": ("zh", "ja"),
    "Thai": ("th",),
    "Greek": ("el",),
    "Hebrew": ("he",),
    "Georgian": ("ka",),
    "Armenian": ("hy",),
    "Khmer": ("km",),
    "Lao": ("lo",),
    "Myanmar": ("my",),
    "Sinhala": ("si",),
    "Tamil": ("ta",),
    "Telugu": ("te",),
    "Kannada": ("kn",),
    "Malayalam": ("ml",),
    "Gujarati": ("gu",),
    "Gurmukhi": ("pa",),
    "Oriya": ("or",),
    "Bengali": ("bn", "as"),
    "Devanagari": ("hi", "mr", "ne", "sa"),
    "Ethiopic": ("am",),
    "Arabic": ("ar", "fa", "ur", "ps", "ku", "ug"),
    "Cyrillic": ("ru", "uk", "be", "bg", "mk", "sr", "kk", "ky", "mn", "tt"),
}
_FIRST_WORDS = {
    "HANGUL": "Hangul", "HIRAGANA": "kana", "KATAKANA": "kana", "CJK": "Han", "THAI": "Thai", "GREEK": "Greek",
    "HEBREW": "Hebrew", "GEORGIAN": "Georgian", "ARMENIAN": "Armenian", "KHMER": "Khmer", "LAO": "Lao",
    "MYANMAR": "Myanmar", "SINHALA": "Sinhala", "TAMIL": "Tamil", "TELUGU": "Telugu", "KANNADA": "Kannada",
    "MALAYALAM": "Malayalam", "GUJARATI": "Gujarati", "GURMUKHI": "Gurmukhi", "ORIYA": "Oriya", "BENGALI": "Bengali",
    "DEVANAGARI": "Devanagari", "ETHIOPIC": "Ethiopic", "ARABIC": "Arabic", "CYRILLIC": "Cyrillic", "LATIN": "Latin",
}  # fmt: skip


def script_of(text: str) -> str:
    """The script that says most about a text: "Latin" only where there is no other; "" without letters.

    Where a title is written in two scripts, the one beside Latin is the native one ("눈누난나 (NUNU NANA)"). Kana among
    Han characters make a text Japanese. A single foreign letter is decoration, unless the text is as short.
    """
    counts = Counter(map(_script, filter(str.isalpha, text[:MAX_LETTERS])))
    counts.pop("", None)
    latin = counts.pop("Latin", 0)
    if counts["kana"]:
        counts["kana"] += counts.pop("Han", 0)
    if not counts:
        return "Latin" if latin else ""
    script, n = counts.most_common(1)[0]
    return "Latin" if n == 1 and latin > 3 else script


def letters_in(text: str, script: str) -> str:
    """The parts of a text that are in the script, words kept apart."""
    wanted = {script, "Han"} if script == "kana" else {script}
    return "".join(letter if not letter.isalpha() or _script(letter) in wanted else " " for letter in text)


@cache
def _script(letter: str) -> str:
    return _FIRST_WORDS.get(unicodedata.name(letter, "").split(" ")[0].split("-")[0], "")
