"""The witness of codes: the ISRC and the release country. Both are weak, and never enough alone.

An ISRC begins with the country of the agency that gave it, which is the artist's in three of four recordings; a third
of the codes of artists from elsewhere are American. The release country says where a record was sold.
"""

from collections.abc import Iterator

from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, opinion
from geoclass.evidence.tables import load_json
from geoclass.evidence.titles import visible
from geoclass.geo.countries import country_codes, find_country

NAME = "codes"
# What agencies give out beside their country's own letters (IFPI's list of allocated prefixes, 2024).
_OTHER_PREFIXES = {
    "BC": "BR", "BK": "BR", "BP": "BR", "BX": "BR", "FO": "DK", "GL": "DK", "GX": "GB", "UK": "GB", "CB": "CA",
    "FX": "FR", "ZB": "ZA", "KS": "KR",
}  # fmt: skip
_WORLDWIDE = {"CP", "DG", "QN", "TC", "VV", "ZZ", "QM", "QT", "QZ"}  # any country, or US agencies that serve the world
_MAX_LETTERS = 64


def opinions(facts: Facts) -> Iterator[Opinion]:
    """At most one opinion: by the ISRC, else by the release country. As two clues they could add up to certainty."""
    rates = load_json("weights.json")["codes"]
    country = isrc_country(facts.isrc)
    if country:
        rate = rates["isrc US"] if country == "US" else rates["isrc"]
        because = f"the ISRC was issued in {country}"
        yield opinion(NAME, "code", {country: rate} | _american(country, rates["isrc from the US"]), because)
        return
    # MusicBrainz' XW, XE and XU, for the world, Europe and the unknown, are no countries.
    released = find_country(visible(facts.release_country, max_letters=_MAX_LETTERS))
    if released:
        yield opinion(NAME, "code", {released: rates["release country"]}, f"released in {released}")


def isrc_country(isrc: str) -> str | None:
    """The country of an ISRC's prefix; None where the prefix names none, or the code is not an ISRC."""
    code = "".join(filter(str.isalnum, visible(isrc, max_letters=_MAX_LETTERS))).upper().removeprefix("ISRC")
    prefix = code[:2]
    if len(code) != 12 or not code.isascii() or not code[5:].isdigit() or prefix in _WORLDWIDE:
        return None
    country = _OTHER_PREFIXES.get(prefix, prefix)
    return country if country in country_codes() else None


def _american(country: str, rate: float) -> dict[str, float]:
    """A share for the US, whose artists are released by agencies everywhere."""
    return {"US": rate} if country != "US" else {}
