"""What people and programs write into a language tag, as ISO 639-1 codes."""

import re
from collections.abc import Iterable
from functools import cache

_MAX_LETTERS = 200
_SEPARATORS = re.compile(r"[\s,;/|+&\0]+")
_SAME = {
    "nb": "no", "nn": "no", "nob": "no", "nno": "no", "fil": "tl", "cmn": "zh", "yue": "zh", "wuu": "zh", "nan": "zh",
    "arz": "ar", "arb": "ar", "apc": "ar", "ary": "ar", "pes": "fa", "prs": "fa", "zsm": "ms", "ind": "id", "scr": "hr",
    "scc": "sr", "iw": "he", "in": "id", "ji": "yi", "jp": "ja", "cz": "cs", "gr": "el", "dk": "da", "se": "sv",
    "ua": "uk", "kr": "ko", "ger": "de", "fre": "fr", "dut": "nl", "gre": "el", "chi": "zh", "cze": "cs", "per": "fa",
    "rum": "ro", "slo": "sk", "alb": "sq", "arm": "hy", "baq": "eu", "bur": "my", "geo": "ka", "ice": "is", "mac": "mk",
    "mao": "mi", "may": "ms", "tib": "bo", "wel": "cy", "slovene": "sl", "flemish": "nl", "mandarin": "zh",
    "cantonese": "zh", "farsi": "fa", "montenegrin": "sr", "serbo": "sr", "brazilian": "pt", "castilian": "es",
    "ivrit": "he", "ellinika": "el",
    "français": "fr", "deutsch": "de", "español": "es", "castellano": "es", "italiano": "it", "português": "pt",
    "türkçe": "tr", "svenska": "sv", "norsk": "no", "dansk": "da", "suomi": "fi", "русский": "ru", "日本語": "ja",
    "한국어": "ko", "中文": "zh", "国语": "zh", "國語": "zh", "粵語": "zh",
    "nederlands": "nl", "polski": "pl", "čeština": "cs",
    "magyar": "hu", "română": "ro", "ελληνικά": "el", "עברית": "he", "العربية": "ar", "فارسی": "fa", "हिन्दी": "hi",
    "українська": "uk", "български": "bg", "hrvatski": "hr", "srpski": "sr", "slovenščina": "sl", "slovenčina": "sk",
    "eesti": "et", "latviešu": "lv", "lietuvių": "lt", "íslenska": "is", "català": "ca", "tiếng": "vi", "ไทย": "th",
    "bahasa": "id",
}  # fmt: skip


def parse_languages(values: Iterable[str]) -> tuple[str, ...]:
    """The languages that a tag names: "tur", "Turkish" and "tr-TR" are "tr"; () when none is known.

    "mul", "und", "zxx" and "XXX" name none.
    """
    found: dict[str, None] = {}
    for value in values:
        for word in _SEPARATORS.split(value[:_MAX_LETTERS].casefold()):
            code = _codes().get(word) or _codes().get(re.split(r"[-_()]", word)[0])
            if code:
                found[code] = None
    return tuple(found)


@cache
def language_name(code: str) -> str:
    """The English name of a code: "tr" is "Turkish"; the code itself where there is none."""
    import pycountry

    known = pycountry.languages.get(alpha_2=code)
    shorter = {"el": "Greek", "sw": "Swahili", "ms": "Malay", "ne": "Nepali", "or": "Odia", "tl": "Tagalog"}
    return shorter.get(code) or (re.sub(r" \(.*\)", "", known.name) if known else code)


@cache
def _codes() -> dict[str, str]:
    import pycountry

    codes: dict[str, str] = {}
    for language in pycountry.languages:
        two = getattr(language, "alpha_2", None)
        if two:
            two = _SAME.get(two, two)
            names = (
                language.alpha_3,
                getattr(language, "bibliographic", ""),
                two,
                re.split(r"[ (;]", language.name)[0],
            )
            codes |= {name.casefold(): two for name in names if name}
    return codes | {name: _SAME.get(code, code) for name, code in _SAME.items()}
