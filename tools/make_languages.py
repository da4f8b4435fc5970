"""Make src/geoclass/evidence/data/languages.json: how much a language speaks for each country, and each country's size.

    pip install language_data
    python tools/make_languages.py --data ../shared/data/text-evidence

Two sources, no row of either is in the result:

- Unicode CLDR's supplemental data (licence Unicode-3.0), as the package language_data carries them: population, GDP,
  and for each language its share of speakers and its official status in each territory.
- In which languages the countries sing at Eurovision, of the half that evidence_data fits on. Left out: entries in
  English or in several languages, and the contests of Luxembourg, Switzerland, Monaco and San Marino, which hire
  artists from abroad.

P(country | language) is proportional to GDP^0.9 * P(language | country), for each country takes part once whatever its
size. (Within thirteen groups of countries that share a language, counts of artists in the fit half of homonyms.csv,
msd_subset_artists.csv and musicoset_artists.csv grow with GDP^0.94; over all countries, which the background is for,
those of metal bands grow with GDP^0.44.) P(language | country) is counted at Eurovision on top of `--prior` songs'
worth of CLDR: share * (share / share of the country's first language)^2 * status. The power keeps out languages that
are learned beside the one that is sung in, such as Swedish in Finland; official languages of a region are spared it,
and Spanish, Portuguese, English and French, which many sing beside another one, have a power of 1.
Of powers 2, 3 and 4 the first is the likeliest on entries left out (0.509, 0.513 and 0.518 nats). Of Korean songs none
is taken to be from the north.

What Yugoslavia sang is of none of today's countries; a fifth of recorded music is taken to be so old.

By hand: Russian and Chinese, whose countries do not sing by size. Of artists who write Cyrillic 84 come from Russia for
22 from Ukraine, of whom half sing in Russian; Taiwan and Hong Kong make much of the music in Chinese.
"""

import argparse
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from pathlib import Path

import language_data
import pycountry
from evidence_data import rows

from geoclass.evidence.language_names import parse_languages
from geoclass.geo.countries import country_codes

OUT = Path(__file__).parents[1] / "src/geoclass/evidence/data/languages.json"
ALIASES = {"no": ("no", "nb", "nn"), "zh": ("zh", "zh_Hant", "yue", "wuu"), "ar": ("ar", "arz"), "tl": ("fil", "tl")}
STATUS = {"official": 1.0, "de_facto_official": 1.0, "official_regional": 0.5, "": 0.15}
LEARNED_POWER = 2  # keeps out languages that are learned beside the one that is sung in
GDP_POWER, BACKGROUND_POWER, MIN_SHARE, MIN_PEOPLE = 0.9, 0.6, 0.01, 60_000
SUCCESSORS, OLD_RECORDINGS = ("BA", "HR", "ME", "MK", "RS", "SI", "XK"), 0.2
BY_HAND = {
    "ru": {"RU": 0.86, "UA": 0.09, "BY": 0.025, "KZ": 0.015, "LV": 0.005, "EE": 0.005},
    "zh": {"CN": 0.6, "TW": 0.25, "HK": 0.1, "SG": 0.03, "MY": 0.02},
}
CLOSED = {"KP"}
NOT_COUNTED = {"es", "pt", "en"}
WORLD = NOT_COUNTED | {"fr"}
HIRES_ABROAD = {"LU", "CH", "MC", "SM"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prior", type=float, default=6.0, help="songs that CLDR is worth")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    entries = rows(options.data / "eurovision.csv", half="fit")
    options.out.write_text(json.dumps(table(entries, prior=options.prior), indent=1, sort_keys=True) + "\n")


def table(entries: list[dict[str, str]], *, prior: float = 6.0) -> dict[str, object]:
    """What ships, from CLDR and the given Eurovision entries."""
    economies, shares, statuses, people = read_cldr()
    sizes = {code: max(economies.get(code, 0.0), 1e8) ** GDP_POWER for code in country_codes()}
    first = {country: max(of.get(country, 0.0) for of in shares.values()) for country in people}
    sung = count_entries(entries)
    languages, reach = {}, {}
    for language in sorted(wanted(shares)):
        spoken: Counter[str] = Counter()
        for alias in ALIASES.get(language, (language,)):
            for country, share in shares[alias].items():
                if share >= MIN_SHARE and people[country] >= MIN_PEOPLE:
                    status = statuses[alias][country]
                    power = 1 if language in WORLD else LEARNED_POWER
                    beside = 1.0 if status == STATUS["official_regional"] else (share / first[country]) ** power
                    spoken[country] += share * beside * status
        weights = {}
        for country in sizes:
            n = sung[country].total() if language not in NOT_COUNTED else 0
            heard = sung[country][language] if n else 0
            weights[country] = sizes[country] * (heard + prior * min(1.0, spoken[country])) / (n + prior)
        former = [sizes[country] for country in SUCCESSORS]
        heard = sung["YU"][language] + prior * sum(spoken[c] * sizes[c] for c in SUCCESSORS) / sum(former)
        weights["YU"] = OLD_RECORDINGS * sum(former) * heard / (sung["YU"].total() + prior)
        reach[language] = round(sum(weights.values()) / sum(sizes.values()), 7)
        languages[language] = normalized({country: w for country, w in weights.items() if country not in CLOSED})
    background = {code: max(economies.get(code, 0.0), 1e8) ** BACKGROUND_POWER for code in country_codes()}
    total = sum(background.values())
    return {
        "about": "made by tools/make_languages.py from Unicode CLDR (Unicode-3.0) and counts of Eurovision entries",
        "background": {code: round(size / total, 6) for code, size in background.items()},
        "reach": {language: reach[language] for language, of in languages.items() if of},
        "speaks_for": {language: of for language, of in languages.items() if of} | BY_HAND,
    }


def normalized(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    kept = {code: w for code, w in weights.items() if w > 0.002 * total and code in country_codes()}
    return {code: round(w / total, 4) for code, w in sorted(kept.items())}


def count_entries(entries: list[dict[str, str]]) -> defaultdict[str, Counter[str]]:
    """How often each country sang in each language, of the entries in one language that is not English."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        found = parse_languages((entry["language"],))
        if entry["country"] not in HIRES_ABROAD and len(found) == 1 and found[0] not in NOT_COUNTED:
            counts[entry["country"]][found[0]] += 1
    return counts


def wanted(shares: defaultdict[str, dict[str, float]]) -> set[str]:
    """Every language with an ISO 639-1 code that CLDR has speakers of."""
    two = {language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2")}
    return {code for code in two if any(shares[alias] for alias in ALIASES.get(code, (code,)))} | {"zh", "no", "tl"}


def read_cldr() -> tuple[
    dict[str, float], defaultdict[str, dict[str, float]], defaultdict[str, dict[str, float]], dict[str, float]
]:
    path = Path(language_data.__file__).parent / "data/supplementalData.xml"
    economies, people = {}, {}
    shares: defaultdict[str, dict[str, float]] = defaultdict(dict)
    statuses: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for territory in ElementTree.parse(path).getroot().iter("territory"):
        code = territory.get("type", "")
        if territory.get("gdp") is None or len(code) != 2:
            continue
        economies[code], people[code] = float(territory.get("gdp", 0)), float(territory.get("population", 0))
        for entry in territory.iter("languagePopulation"):
            language = entry.get("type", "").split("_")[0] if entry.get("type") != "zh_Hant" else "zh_Hant"
            share = float(entry.get("populationPercent", 0)) / 100
            shares[language][code] = max(share, shares[language].get(code, 0.0))
            status = STATUS.get(entry.get("officialStatus", ""), STATUS["official_regional"])
            statuses[language][code] = max(status, statuses[language].get(code, 0.0))
    return economies, shares, statuses, people


if __name__ == "__main__":
    main()
