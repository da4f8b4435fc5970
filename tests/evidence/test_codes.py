"""The codes of a recording: whose agency gave it out, and how little that says."""

import json
from pathlib import Path

import pytest

from geoclass.evidence import codes
from geoclass.evidence.codes import isrc_country
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import background, country_index

RATES = json.loads((Path(codes.__file__).parent / "data/weights.json").read_text("utf-8"))["codes"]
# Beside a country's own letters (ISRC Handbook and IFPI's list of allocated prefixes); TC stands for Tunecore.
PREFIXES = {
    "BC": "BR", "BK": "BR", "BP": "BR", "BX": "BR", "BR": "BR", "FX": "FR", "FR": "FR", "UK": "GB", "GX": "GB",
    "GB": "GB", "CB": "CA", "CA": "CA", "ZB": "ZA", "ZA": "ZA", "KS": "KR", "KR": "KR", "FO": "DK", "GL": "DK",
    "DK": "DK", "US": "US", "TR": "TR",
    "QM": None, "QT": None, "QZ": None, "QN": None, "CP": None, "DG": None, "TC": None, "VV": None, "ZZ": None,
    "XX": None, "EU": None, "A1": None, "12": None,
}  # fmt: skip


def shares(facts: Facts) -> dict[str, float]:
    """What is said of each country; {} when nothing is."""
    found = list(codes.opinions(facts))
    assert len(found) <= 1, "as two clues they could be sure together"
    return dict(found[0].says(300)) if found else {}


def with_rest(said: dict[str, float], code: str) -> float:
    return said.get(code, 0.0) + (1 - sum(said.values())) * float(background()[country_index()[code]])


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes(prefix: str) -> None:
    assert isrc_country(f"{prefix}Z039801212") == PREFIXES[prefix]


@pytest.mark.parametrize(
    ("isrc", "country"),
    [
        ("TRA001234567", "TR"),
        ("tr-a00-12-34567", "TR"),
        ("ISRC TR-A00-12-34567", "TR"),
        ("TR1231234567", "TR"),  # the registrant may be written in digits
        ("TRA00123456", None),
        ("TRA0012345678", None),
        ("TRA00A234567", None),  # the year is two digits
        ("TRA00123456X", None),
        ("TRA0012345６７", None),
        ("", None),
        ("ISRC", None),
    ],
)
def test_only_a_whole_isrc_counts(isrc: str, country: str | None) -> None:
    assert isrc_country(isrc) == country


def test_an_isrc_says_its_country_at_the_fitted_rate_and_leaves_a_share_to_the_united_states() -> None:
    said = {"FR": RATES["isrc"], "US": RATES["isrc from the US"]}
    found = shares(Facts(isrc="FRZ039801212"))
    for code in ("FR", "US", "TR"):
        assert found[code] == pytest.approx(with_rest(said, code))


def test_an_american_isrc_says_less() -> None:
    found = shares(Facts(isrc="USRC17607839"))
    for code in ("US", "GB"):
        assert found[code] == pytest.approx(with_rest({"US": RATES["isrc US"]}, code))
    assert RATES["isrc US"] < RATES["isrc"]


@pytest.mark.parametrize(("release", "code"), [("TR", "TR"), ("tr", "TR"), ("UK", "GB"), (" FR\x00", "FR")])
def test_a_release_country_speaks_where_there_is_no_isrc(release: str, code: str) -> None:
    for isrc in ("", "QZ8DG1200001", "no isrc"):
        found = shares(Facts(isrc=isrc, release_country=release))
        assert found[code] == pytest.approx(with_rest({code: RATES["release country"]}, code))


@pytest.mark.parametrize("release", ["XW", "XE", "XU", "XG", "ZZ", "[Worldwide]", "", "?"])
def test_a_release_for_the_world_says_nothing(release: str) -> None:
    assert shares(Facts(release_country=release)) == {}


def test_the_isrc_speaks_alone() -> None:
    both = Facts(isrc="FRZ039801212", release_country="JP")
    assert shares(both) == shares(Facts(isrc="FRZ039801212"))


def test_reasons_name_the_country() -> None:
    (isrc,) = codes.opinions(Facts(isrc="UKACT1000001"))
    (release,) = codes.opinions(Facts(release_country="JP"))
    assert (isrc.witness, isrc.clue, isrc.because) == ("codes", "code", "the ISRC was issued in GB")
    assert (release.witness, release.clue, release.because) == ("codes", "code", "released in JP")
