"""Place names to points without a network: cities, US states, well-known regions and countries.

This module interprets a string; `names.py` has what each name may mean. A state or region is placed at its largest
city, a country at its capital.
"""

import re
from collections.abc import Sequence

from geoclass.geo.names import Entry, entries_of
from geoclass.text import normalize_name

Parts = Sequence[Sequence[Entry]]  # what each part of "Brooklyn, NY" may mean

# What people write when they mean no place. At the end of a list ("Berlin, Earth") it is ignored.
_NOWHERE = """anywhere, cyberspace, earth, everywhere, global, here, home, hyperspace, internet, international, limbo,
mars, n a, neverland, none, nowhere, online, outer space, planet earth, somewhere, space, the internet, the universe,
the world, universe, unknown, various, web, world, worldwide, africa, antarctica, asia, europe, latin america,
north america, oceania, south america"""
NOWHERE = frozenset(" ".join(phrase.split()) for phrase in _NOWHERE.split(","))

# Territories that people write with their sovereign: "San Juan, Puerto Rico, USA".
SOVEREIGN = {
    code: sovereign
    for sovereign, codes in {
        "CN": "HK MO TW",
        "DK": "FO GL",
        "FI": "AX",
        "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
        "GB": "AI BM FK GG GI IM JE KY MS PN SH TC VG",
        "NL": "AW BQ CW SX",
        "NO": "SJ",
        "US": "AS GU MP PR VI",
    }.items()
    for code in codes.split()
}


def meanings(part: str) -> Sequence[Entry]:
    """All meanings of one name, the weightiest first; none when it is unknown."""
    return entries_of(normalize_name(part))


def resolve(text: str) -> Entry | None:
    """What a whole place string means, or None when it is unknown, contradicts itself or is not a place at all."""
    text = re.sub(r"\b\d[\d-]*\b", " ", text)  # postal codes
    if normalize_name(text) in NOWHERE:
        return None
    whole = _alone(text)
    if whole:
        return whole
    pieces = [piece.strip() for piece in re.split(r"[,/|;:·•–—()\[\]\n]+|\s-\s|\s\+\s|&|\band\b", text)]
    pieces = [piece for piece in pieces if normalize_name(piece)]
    while pieces and normalize_name(pieces[-1]) in NOWHERE:
        pieces.pop()
    if not pieces:
        return None
    if len(pieces) == 1:
        return _alone(pieces[0]) or _by_words(pieces[0]) or _without_lead(pieces[0])
    if not meanings(pieces[-1]):
        return _by_pieces_of_words(pieces)
    first, *rest = pieces
    known = [meanings(piece) for piece in rest if meanings(piece)]
    head = meanings(first) or meanings(_strip_lead(first))
    if head:
        return _agreeing([head, *known])
    # An unknown quarter or village: the state or country beside it is enough, if that part is unambiguous by itself.
    is_sure = _alone(pieces[-1]) or (pieces[-1].isupper() and any(e.kind != "city" for e in known[-1]))
    return _agreeing(known) if is_sure else None


def _alone(text: str) -> Entry | None:
    return next((entry for entry in meanings(text) if entry.alone), None)


def _by_words(text: str) -> Entry | None:
    """ "Portland Oregon", "Austin TX USA": states and countries are taken from the end."""
    words = text.split()
    for cut in range(max(1, len(words) - 4), len(words)):
        head, tail = " ".join(words[:cut]), " ".join(words[cut:])
        if len(tail) <= 3 and not tail.isupper():
            continue  # "Nice in" is not in Indiana
        wider = [entry for entry in meanings(tail) if entry.kind != "city"]
        if not wider or normalize_name(head) in NOWHERE:
            continue
        found = _agreeing([meanings(head), wider]) if meanings(head) else None
        if found:
            return found
        inner = _by_words(head)
        if inner and any(_agree(inner, entry) for entry in wider):
            return inner
    return None


def _without_lead(text: str) -> Entry | None:
    rest = _strip_lead(text)
    return (_alone(rest) or _by_words(rest)) if rest != text else None


def _strip_lead(text: str) -> str:
    """ "based in Berlin" -> "Berlin"; "The Bronx" -> "Bronx"."""
    lead = r"^(?:(?:currently|originally|now|born|based|living|lives|from|in|near|outside|somewhere|downtown|the)\s+)+"
    return re.sub(lead, "", text.strip(), flags=re.IGNORECASE)


def _by_pieces_of_words(pieces: list[str]) -> Entry | None:
    """ "Brooklyn, New York USA": the last piece holds more than one name."""
    last = _by_words(pieces[-1])
    known = [meanings(piece) for piece in pieces[:-1] if meanings(piece)]
    return _agreeing([*known, [last]]) if last else None


def _agreeing(parts: Parts) -> Entry | None:
    """The weightiest meaning of the first part that some meaning of every other part agrees with."""
    first, *others = parts
    return next((e for e in first if all(any(_agree(e, other) for other in part) for part in others)), None)


def _agree(inner: Entry, outer: Entry) -> bool:
    if inner.country != outer.country:
        return outer.kind == "country" and SOVEREIGN.get(inner.country) == outer.country
    return not (inner.state and outer.state) or inner.state == outer.state
