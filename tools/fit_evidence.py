"""Fit the numbers of src/geoclass/evidence/data: weights.json and english_words.txt.

    python tools/fit_evidence.py --data ../shared/data/text-evidence --pop ../shared/data/pop-audio

Only the half of the artists that tools/evidence_data.py calls "fit" is read; benchmarks/evidence.py has the other.

1. English words: those that titles of three and more US, GB, CA or AU artists have (musicoset_songs).
2. Title: thirteen numbers that turn py3langid's scores, the frequencies and the spelling of words and the hits in word
   lists into probabilities of languages, by the likelihood of the language that Eurovision gives, with English titles
   of musicoset at 0.4 of its weight.
3. Genres: how many of those that claim a country are right (musicoset_artists).
4. Sharpness: the power of the title's probabilities of languages, the largest at which nine of ten are right of what
   titles alone write of entries not in English, and 0.2 % of English titles are given a wrong country; measured with
   weights fitted on other artists.
5. Pool: the weights of the artist table's names, genres and codes beside that of the title, which stays 1, by the
   likelihood of the country where two of them and more speak of a song (musicoset_songs, of US artists a sample, and
   popular songs), with a penalty for being far from 1. The built-in model of sound is never sure: of it nothing can be
   fitted. Identifiers, tags, lyrics, folders and owners meet others in no table and have 1; so have the countries of
   the library, for `learn` fits how far they are trusted in each library. The rest is set in POOL.

Tables with one country are never read. What no table can tell is set by hand, in BY_HAND, with an eye on the caution of
never being enough alone.

No row goes into the package.
"""

import argparse
import hashlib
import json
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from evidence_data import rows, table
from scipy.optimize import minimize
from scipy.special import log_softmax

from geoclass.evidence import language, tables
from geoclass.evidence.facts import Facts
from geoclass.evidence.identify import LANGUAGES, WORD, probabilities, sharpened, title_features
from geoclass.evidence.language_names import parse_languages
from geoclass.evidence.opinion import Opinion, log_background
from geoclass.evidence.registry import Sources, ask
from geoclass.evidence.sound import CONFIDENCE
from geoclass.evidence.titles import clean_title
from geoclass.geo.countries import country_codes
from geoclass.text import name_key

Row = dict[str, str]
OUT = Path(__file__).parents[1] / "src/geoclass/evidence/data"
TITLE = {
    "ngrams": 1.5, "length_power": 0.9, "frequencies": 0.5, "words_power": 0.5, "spelling": 0.1, "reach": 0.3,
    "words": 0.5, "english": 1.5, "english_words": 0.5, "foreign_words": 0.1, "alien_letters": 1.5,
    "not_as_it_reads": 0.03, "english_titles": 0.08,
}  # fmt: skip
NOT_RIDGED = ("ngrams", "length_power", "frequencies", "words_power", "spelling", "not_as_it_reads", "english_titles")
RIDGED = [place for place, name in enumerate(TITLE) if name not in NOT_RIDGED]
RATES = ("not_as_it_reads", "english_titles")  # between 0 and 1
ENGLISH_WEIGHT, MIN_ARTISTS, RIDGE, SURE = 0.4, 3, 0.002, 0.85
TITLES_RIGHT, FALSE_ALARMS = 0.9, 0.002
SHARPNESSES = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0]
FOLDS = 3
FITTED, TOWARDS_1 = ("artist name", "genre words", "code"), 0.03
HIRES_ABROAD = {"LU", "CH", "MC", "SM", "YU", "CS"}
BY_HAND: dict[str, Any] = {
    "abroad": {"english": 0.75, "others": 0.02},
    "words": {"genre words": 1.0, "grouping words": 0.9, "album words": 0.6, "folder": 0.93},
    "codes": {"isrc": 0.5, "isrc from the US": 0.2, "isrc US": 0.15, "release country": 0.3},
    "artists": {"identifier": 0.985, "name": 0.96, "shared name": 0.75},
    "owner": 0.985,
    "independent_files": {"title": 1.5, "lyrics": 1.5, "album": 1.5, "sound": 2.0},
}
POOL = {
    "language tag": 1.0, "lyrics": 1.0, "title": 1.0, "album": 0.7, "comment": 0.5, "genre words": 1.0,
    "grouping words": 1.0, "album words": 1.0, "folder": 1.0, "code": 1.0, "owner": 1.0, "artist id": 1.0,
    "artist name": 1.0, "shared artist name": 1.0, "sound": 1.0,
    "countries of the library": 1.0,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pop", type=Path, required=True)
    options = parser.parse_args()
    english = rows(options.data / "musicoset_songs.csv", half="fit")
    english = [row for row in english if row["country"] in ("US", "GB", "CA", "AU")]
    (OUT / "english_words.txt").write_text("\n".join(["# By tools/fit_evidence.py", *words_of(english)]) + "\n")
    for cached in (tables.load_lines, tables.load_json):
        cached.cache_clear()
    contest = rows(options.data / "eurovision.csv", half="fit")
    weights: dict[str, Any] = {
        "about": "made by tools/fit_evidence.py",
        "title": fit_titles(contest, english),
    } | BY_HAND
    weights |= {"pool": POOL, "sharpness": 1.0}
    write(weights)
    weights["words"]["genre words"] = trust_in_genres(rows(options.data / "musicoset_artists.csv", half="fit"))
    weights["sharpness"] = fit_sharpness(contest, english)
    write(weights)
    weights["pool"] = POOL | fit_pool(options.data, options.pop)
    write(weights)


def write(weights: dict[str, Any]) -> None:
    (OUT / "weights.json").write_text(json.dumps(weights, indent=1) + "\n")
    tables.load_json.cache_clear()
    for cached in (language._table, language.countries_of):
        cached.cache_clear()


def fit_sharpness(contest: list[Row], english: list[Row]) -> float:
    """The largest one at which titles alone write TITLES_RIGHT right, and FALSE_ALARMS of English ones wrong.

    Each title is judged with weights that were fitted on other artists.
    """
    sung = [row for row in contest if row["country"] not in HIRES_ABROAD and "english" not in row["language"]]
    n_sung = len(sung)
    entries = sung + english
    features = features_of([clean_title(row["title"], artist=row["artist"]) for row in entries])
    folds = np.array([fold_of(row["artist"]) for row in entries])
    languages = np.zeros((len(entries), len(LANGUAGES)))
    for fold in range(FOLDS):
        others = ([row for row in of if fold_of(row["artist"]) != fold] for of in (contest, english))
        weights = fit_titles(*others, iterations=60)
        here = folds == fold
        languages[here] = probabilities({key: of[here] for key, of in features.items()}, weights)
    truth = np.array([row["country"] for row in entries])
    found = min(SHARPNESSES)
    for sharpness in SHARPNESSES:
        countries = sharpened(languages, sharpness) @ language._table()
        sure = countries.max(axis=1) >= CONFIDENCE
        right = sure & (np.array(country_codes())[countries.argmax(axis=1)] == truth)
        n_sure, n_right = int(sure[:n_sung].sum()), int(right[:n_sung].sum())
        false = float((sure & ~right)[n_sung:].mean())
        print(f"sharpness {sharpness}: writes {n_sure} of {n_sung}, right {n_right}, false alarms {false:.4f}")
        if n_sure and n_right >= TITLES_RIGHT * n_sure and false <= FALSE_ALARMS:
            found = sharpness
    return found


def fold_of(artist: str) -> int:
    return hashlib.sha256(f"fold:{name_key(artist)}".encode()).digest()[0] % FOLDS


def features_of(titles: list[str]) -> dict[str, np.ndarray]:
    each = [title_features(title) for title in titles]
    return {key: np.array([of[key] for of in each]) for key in each[0]}


def fit_pool(text: Path, pop: Path) -> dict[str, float]:
    """The weights of FITTED clues, that of the others as in POOL."""
    cases = meetings(text, pop)
    clues = sorted({of.clue for opinions, _, _ in cases for of in opinions})
    free = [place for place, clue in enumerate(clues) if clue in FITTED]
    said = np.zeros((len(cases), len(clues), len(country_codes())))
    for case, (opinions, _, _) in enumerate(cases):
        for of in opinions:
            said[case, clues.index(of.clue)] += of.log_weights
    truth = np.array([country_codes().index(country) for _, country, _ in cases])
    counts = np.array([weight for _, _, weight in cases])

    def loss(free_weights: np.ndarray) -> float:
        weights = np.array([POOL[clue] for clue in clues])
        weights[free] = free_weights
        logits = log_background() + np.einsum("ijk,j->ik", said, weights)
        likelihood = log_softmax(logits, axis=1)[np.arange(len(truth)), truth]
        return float(-(counts * likelihood).sum() / counts.sum() + TOWARDS_1 * np.square(free_weights - 1).sum())

    found = minimize(loss, np.ones(len(free)), method="L-BFGS-B", bounds=[(0.0, 2.0)] * len(free))
    fitted = {clues[place]: round(float(weight), 2) for place, weight in zip(free, found.x, strict=True)}
    print(f"pool: loss {loss(np.ones(len(free))):.4f} with 1, {found.fun:.4f} with {fitted}, on {len(cases)}")
    return fitted


def meetings(text: Path, pop: Path) -> list[tuple[list[Opinion], str, float]]:
    """Opinions, country and weight of songs of which two and more witnesses speak, with a table and without."""
    codes = {row["artist"].casefold(): row["isrc_prefix"] for row in rows(text / "isrc_joined.csv", half="fit")}
    songs = rows(text / "musicoset_songs.csv", half="fit")
    american = random.Random(0).sample([row for row in songs if row["country"] == "US"], 200)
    charts = american + [row for row in songs if row["country"] != "US"][:400]
    entries = [(Facts(title=row["title"], artist=row["artist"], genres=(row["main_genre"],),
                      isrc=f"{codes.get(row['artist'].casefold(), '')}Z039801212"), row["country"], 0.3)
               for row in charts]  # fmt: skip
    popular = {row["group_id"]: row for row in rows(pop / "manifest.csv", half="fit")}.values()
    entries += [(Facts(title=row["name"], artist=row["artist"]), row["country"], 1.0) for row in popular]
    with tempfile.TemporaryDirectory() as folder:
        known = table(text, pop, Path(folder) / "artists.sqlite")
        said = [
            (ask(facts, sources=sources), country, weight)
            for facts, country, weight in entries
            for sources in (Sources(artists=known), Sources())
        ]
        known.close()
    return [of for of in said if len(of[0]) > 1 and of[1] in country_codes()]


def trust_in_genres(artists: list[Row]) -> float:
    """Of genres that claim to be sure of a country, how many are right, for what they claim."""
    claims = []
    for row in artists:
        for said in ask(Facts(genres=(row["main_genre"],)), witnesses=("words",)):
            code, claimed = said.says(1)[0]
            if claimed >= SURE:
                claims.append((claimed, code == row["country"]))
    claimed, right = np.array(claims).T
    print(f"genres: {len(claims)} claim {claimed.mean():.3f}, {right.mean():.3f} are right")
    return round(float(right.mean() / claimed.mean()), 3)


def words_of(songs: list[Row]) -> list[str]:
    """Words of at least MIN_ARTISTS artists' titles, sorted."""
    artists: defaultdict[str, set[str]] = defaultdict(set)
    for row in songs:
        for word in WORD.findall(clean_title(row["title"], artist=row["artist"]).casefold()):
            artists[word].add(row["artist"])
    return sorted(word for word, by in artists.items() if len(by) >= MIN_ARTISTS)


def fit_titles(contest: list[Row], english: list[Row], *, iterations: int = 200) -> dict[str, float]:
    """The weights of `identify.probabilities`."""
    known = [(row, parse_languages((row["language"],))) for row in contest]
    samples = [(row, codes[0], 1.0) for row, codes in known if codes and codes[0] in LANGUAGES]
    some = random.Random(0).sample(english, 1_000)
    samples += [(row, "en", ENGLISH_WEIGHT * len(samples) / len(some)) for row in some]
    stacked = features_of([clean_title(row["title"], artist=row["artist"]) for row, _, _ in samples])
    truth = np.array([LANGUAGES.index(code) for _, code, _ in samples])
    counts = np.array([weight for _, _, weight in samples])

    def loss(vector: np.ndarray) -> float:
        p = probabilities(stacked, unpack(vector))
        likelihood = np.log(p[np.arange(len(truth)), truth] + 1e-9)
        return float(-(counts * likelihood).sum() / counts.sum() + RIDGE * np.square(vector[RIDGED]).sum())

    start = np.array(
        [np.log(v / (1 - v)) if k in RATES else np.log(v) if k == "ngrams" else v for k, v in TITLE.items()]
    )
    found = minimize(loss, start, method="L-BFGS-B", options={"maxiter": iterations})
    print(f"titles: loss {found.fun:.4f} on {len(samples)}")
    return {name: round(value, 4) for name, value in unpack(found.x).items()}


def unpack(vector: np.ndarray) -> dict[str, float]:
    values = dict(zip(TITLE, map(float, vector), strict=True))
    values["ngrams"] = float(np.exp(values["ngrams"]))
    return values | {name: float(1 / (1 + np.exp(-values[name]))) for name in RATES}


if __name__ == "__main__":
    main()
