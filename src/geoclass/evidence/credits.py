"""The artist that a tag names, without guests; and names that mean no artist in particular."""

import re
from functools import cache

from geoclass.evidence.titles import visible
from geoclass.text import name_key

_NOBODY = (
    "various artists", "various", "va", "v a", "varios", "varios artistas", "varios interpretes", "vários artistas",
    "vários", "verschiedene", "verschiedene interpreten", "verschiedene künstler", "diverse", "diverse artiester",
    "diverse artister", "divers", "divers artistes", "artistes divers", "artisti vari", "vari", "aa vv", "aavv",
    "çeşitli sanatçılar", "karışık", "różni wykonawcy", "rozni wykonawcy", "různí interpreti", "blandade artister",
    "eri esittäjiä", "разные исполнители", "разные", "сборник", "群星", "華語群星", "オムニバス",
    "ヴァリアス アーティスト",
    "unknown", "unknown artist", "unknown artists", "artist unknown", "unbekannt", "unbekannter interpret", "inconnu",
    "artiste inconnu", "desconocido", "artista desconocido", "sconosciuto", "artista sconosciuto", "bilinmeyen",
    "bilinmeyen sanatçı", "неизвестен", "неизвестный исполнитель", "未知", "no artist", "none", "n a", "na",
    "anonymous", "anonym", "anonymus", "anon", "traditional", "trad", "traditionnel", "artist", "artists",
    "original soundtrack", "soundtrack", "ost", "original cast", "original broadway cast", "compilation", "sampler",
    "karaoke", "dj mix", "podcast",
)  # fmt: skip
NOBODY_MBIDS = frozenset(
    (
        "89ad4ac3-39f7-470e-963a-56509c546377",  # Various Artists
        "125ec42a-7229-4250-afc5-e057484327fe",  # [unknown]
        "eec63d3c-3b81-4ad4-b1e4-7c147d4d2b61",  # [no artist]
        "9be7f096-97ec-4615-8957-8d40b5dcbc41",  # [traditional]
        "f731ccc4-e22a-43af-a747-64213329e088",  # [anonymous]
        "33cf029c-63b0-41a0-9855-be2a3665fb3b",  # [data]
    )
)
_GUESTS = re.compile(r"[\s,;(\[]+(?:feat|ft|featuring|with|vs|pres|presents|introducing)\b\.?(?=\s).*$", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:[,;/&+×、，･・]|\s(?:and|und|et|y|e|i|og|och|en|ve|x|vs\.?|with)\s)\s*", re.IGNORECASE)


def without_guests(artist: str) -> str:
    """ "Siouxsie & The Banshees feat. X" is "Siouxsie & The Banshees"."""
    name = visible(artist)
    return _GUESTS.sub("", name).strip() or name


def host_names(artist: str) -> tuple[str, ...]:
    """The names under which the host may be known, the fullest first; () for nobody.

    "Simon & Garfunkel" are one act and "Burna Boy & Wizkid" are two: a look-up tries the whole name first.
    """
    whole = without_guests(artist)
    if is_nobody(whole):
        return ()
    first = _BETWEEN.split(whole, maxsplit=1)[0].strip()
    return tuple(dict.fromkeys(name for name in (whole, first) if name and not is_nobody(name)))


def is_nobody(artist: str) -> bool:
    """Whether a name means no artist in particular: "Various Artists", "[unknown]", "" and the like."""
    return name_key(visible(artist)) in _nobody()


@cache
def _nobody() -> frozenset[str]:
    return frozenset(("", *map(name_key, _NOBODY)))
