"""Text that people wrote: names compared without regard to spelling, and markup removed."""

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})
_ACCENTS = re.compile("[\u0300-\u036f]+")
_INSIDE_WORDS = re.compile("['’‘`ʻʼ.]+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_BREAK = re.compile(r"</?(?:p|br|div|li|ul|ol|h\d|td|tr)\b[^<>]*>", re.IGNORECASE)  # tags that separate words
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")


def normalize_name(text: str) -> str:
    """The normalized form of a name: lower case, no accents, no punctuation; "St." is "saint"."""
    text = text.casefold()
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS)
    if text.isalpha():  # most of the hundred thousand names of the gazetteer
        return text
    words = _BETWEEN_WORDS.sub(" ", _INSIDE_WORDS.sub("", text).replace("&", " and ")).split()
    return " ".join("saint" if word == "st" else word for word in words)


def name_key(name: str) -> str:
    """A key shared by all spellings of an artist's name: "Beyoncé" and "beyonce" have the same one.

    A name without a letter or digit ("!!!") is its own key; only a blank name has none ("").
    """
    return normalize_name(name) or " ".join(name.casefold().split())


def plain_text(text: str) -> str:
    """`text` without HTML: entities resolved (twice: some are escaped twice), tags removed, white space collapsed."""
    if "<" in text or "&" in text:
        text = _TAG.sub("", _BREAK.sub(" ", html.unescape(html.unescape(text))))
    return " ".join(text.split())


def printable(text: str) -> str:
    """With control characters, and the bytes of file names that are not UTF-8, shown escaped.

    A terminal would obey the former, and an encoder refuse the latter.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def json_line(document: Mapping[str, Any]) -> str:
    """`document` as one line of JSON that can be encoded: bytes of file names that are not UTF-8 stand escaped."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(document)
    return text


def counted(value: int, noun: str) -> str:
    """1, "track" -> "1 track"; 1200, "track" -> "1,200 tracks"; "class" -> "classes"; "country" -> "countries"."""
    if value == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{value:,} {noun[:-1]}ies"
    return f"{value:,} {noun}{'es' if noun.endswith('s') else 's'}"
