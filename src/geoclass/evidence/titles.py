"""Cleans titles: without the artist, guests, and the additions of shops and video sites."""

import re

from geoclass.text import name_key

MAX_LETTERS = 400  # titles are shorter; a longer text is something else
_BRACKETS = re.compile(r"[(\[{（［【][^()\[\]{}（）［］【】]*[)\]}）］】]")
_NOISE = re.compile(
    r"\b(?:official|officiel|oficial|video(?:clip)?|audio|lyrics?|letra|remaster(?:ed)?|version|remix|rmx|feat|ft|prod"
    r"|live|mono|stereo|hd|hq|4k|kbps|kbit|m4a|mp3|flac|\d+k|visualizer|clip|mv|m/v|single|album|explicit|bonus|track"
    r"|demo|instrumental|karaoke|session|soundtrack|ost|edit|mix|teaser|performance|cover|reprise|interlude|www|com"
    r"|\d{4})\b",
    re.IGNORECASE,
)
_GUESTS = re.compile(r"\s[(\[]?\b(?:feat|ft|featuring|with|vs)\b\.?\s.*$", re.IGNORECASE)
_AFTER_DASH = re.compile(r"\s+[-–—|]\s+([^-–—|]*)$")
_NUMBER = re.compile(r"^\s*\d{1,3}\s*[-._)]+\s*")
_NO_TITLE = re.compile(
    r"(?:track|titel|title|piste|pista|traccia|faixa|parça|spur|song|music|audio|untitled|unknown|unbenannt|new"
    r"|recording|aufnahme|file|[\W\d_]|\b[a-z]{1,2}\b)+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def visible(text: str, *, max_letters: int = MAX_LETTERS) -> str:
    """The start of a text, without control characters and other invisible ones."""
    return " ".join(_HIDDEN.sub(" ", text[:max_letters]).split())


def clean_title(title: str, *, artist: str = "") -> str:
    """The words of the title alone; "" when nothing is left. Names are no evidence, so the artist's is removed."""
    text = _WORD.sub(lambda found: "" if _is_identifier(found[0]) else found[0], visible(title).replace("_", " "))
    text = _BRACKETS.sub(lambda found: " " if _says_nothing(found[0]) else found[0], text)
    text = _NUMBER.sub("", text)
    text = _without(text, artist)
    text = _GUESTS.sub("", text)
    if (found := _AFTER_DASH.search(text)) and _NOISE.search(found[1]):
        text = text[: found.start()]
    text = " ".join(text.split()).strip(" -–—|·,;:.\"'“”「」『』")
    return "" if _NO_TITLE.fullmatch(text) else text


def _is_identifier(word: str) -> bool:
    """Whether it is the name of a video or a recording ("dQw4w9WgXcQ", "WA0003"): no language mixes digits in so."""
    digits = sum(map(str.isdigit, word))
    return word.isascii() and 0 < digits < len(word) and (len(word) >= 6 if digits > 1 else len(word) >= 10)


def _says_nothing(bracket: str) -> bool:
    return not any(map(str.isalpha, bracket)) or _NOISE.search(bracket) is not None


def _without(text: str, artist: str) -> str:
    name = visible(artist)
    if len(name) < 3 or name_key(text) == name_key(name):  # an album of the artist's name keeps it
        return text
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text, flags=re.IGNORECASE)
