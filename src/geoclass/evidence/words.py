"""The witness of words: countries, peoples and national genres in genre, grouping, album and the names of folders.

"Turkish pop", "Türkiye" and "arabesk" name Turkey. data/genres.csv says which genre belongs where, with sources.
"""

from collections.abc import Iterator
from functools import cache

from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, opinion
from geoclass.evidence.tables import load_json, load_rows
from geoclass.evidence.titles import visible
from geoclass.geo.countries import countries
from geoclass.text import normalize_name

NAME = "words"
# Country names that are more often something else: a name, a US state, a bird.
_AMBIGUOUS = {"georgia", "jordan", "chad", "turkey", "guinea", "niger", "mali", "cuba", "china", "america", "jersey"}
# Words of a language that several countries share, or of peoples without one country, are not demonyms of one.
_SHARED = {"spanish", "english", "portuguese", "french", "german", "dutch", "georgian", "dominican", "greek"}
_LANGUAGE_ALONE = 0.6  # such a word where nothing else is said: "French" is France, but also Quebec and Belgium
_BESIDE_A_COUNTRY = {"music", "songs", "artists", "pop", "rock", "folk"}
_MAX_WORDS, _MAX_FOLDERS = 12, 6
_MAX_PHRASE = 4  # words


def opinions(facts: Facts) -> Iterator[Opinion]:
    """At most one opinion each of genres, grouping, album and folders."""
    rates = load_json("weights.json")["words"]
    for clue, texts in (
        ("genre words", facts.genres),
        ("grouping words", (facts.grouping,)),
        ("album words", (facts.album,)),
    ):
        found = _first(texts)
        if found is not None:
            phrase, said = found
            trusted = {code: p * rates[clue] for code, p in said.items()}
            yield opinion(NAME, clue, trusted, f"the {clue.split()[0]} says {phrase!r}")
    folder = _folder(facts.folders, facts)
    if folder is not None:
        name, code, is_language = folder
        rate = _LANGUAGE_ALONE if is_language else rates["folder"]
        yield opinion(NAME, "folder", {code: rate}, f"it lies in the folder {name!r}")


def _first(texts: tuple[str, ...]) -> tuple[str, dict[str, float]] | None:
    """The longest phrase of the first text that has one, with what it says."""
    for text in texts:
        words = normalize_name(visible(text)).split()[:_MAX_WORDS]
        for length in range(min(_MAX_PHRASE, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                phrase = " ".join(words[start : start + length])
                said = _phrases().get(phrase)
                if said and not (phrase in _AMBIGUOUS and len(words) > 1):
                    return phrase, said
    return None


def _folder(folders: tuple[str, ...], facts: Facts) -> tuple[str, str, bool] | None:
    """The innermost folder that is named after one country, the country, and whether a shared language names it."""
    own = {normalize_name(visible(text)) for text in (facts.artist, facts.album_artist, facts.album)}
    for folder in reversed(folders[-_MAX_FOLDERS:]):
        name = normalize_name(visible(folder))
        bare = " ".join(word for word in name.split() if word not in _BESIDE_A_COUNTRY)
        code = _places().get(bare)
        if code and name not in own:
            return folder, code, bare in _SHARED
    return None


@cache
def _phrases() -> dict[str, dict[str, float]]:
    """What each phrase says: countries, demonyms, genres."""
    said = {name: {code: 0.95} for name, code in _places().items()}
    for word in _SHARED & said.keys():
        said[word] = dict.fromkeys(said[word], _LANGUAGE_ALONE)
    for row in load_rows("genres.csv"):
        codes = row["countries"].split()
        said[normalize_name(row["name"])] = {code: float(row["probability"]) / len(codes) for code in codes}
    return said


@cache
def _places() -> dict[str, str]:
    """Countries by their names and by their people's. Alpha-2 and alpha-3 codes are not among them."""
    places: dict[str, str] = {}
    for country in countries().values():
        for name in (country.name, *country.aliases):
            key = normalize_name(name)
            if len(key) > 3 or key in ("usa", "uae"):
                places.setdefault(key, country.code)
    for row in load_rows("demonyms.csv"):
        for word in row["words"].split():
            places.setdefault(normalize_name(word.replace("-", " ")), row["country"])
    return places
