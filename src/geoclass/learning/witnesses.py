"""What the witnesses on the country are worth in a library, found out on the countries that people wrote.

How far each is trusted is fitted; it is kept if it helps with artists left out.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoclass.evidence import sound
from geoclass.evidence.facts import Facts
from geoclass.evidence.library import LibraryEvidence
from geoclass.evidence.opinion import Opinion, country_index
from geoclass.evidence.pool import pool_files, weight_of
from geoclass.inference.prediction import FieldPrediction
from geoclass.learning.fit import SURE
from geoclass.learning.labels import given_labels
from geoclass.learning.teach import Taught
from geoclass.learning.testimony import opinions_on
from geoclass.learning.trust import Artist, Floats, fit, judge_artist, sharpened
from geoclass.library.song import Song
from geoclass.tagging.corrections import Corrections

MIN_ARTISTS = 30  # with a country, and of whom a witness says anything; with fewer, the shipped weights are kept
_OF_ARTIST = 4  # files that are read
_SHARPNESSES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0)
_RIGHT = 0.93  # out of fold, of artists
_N_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Counsel:
    """What was found out about the witnesses."""

    evidence: LibraryEvidence | None  # None: the shipped weights are kept
    artists: int  # with a country, of whom anything was said
    files: int  # of these artists
    written: float = 0.0  # share of the files that the witnesses would settle, of artists left out
    right: float | None = None  # share of these with the country that people wrote; None: none
    before: tuple[float, float | None] = (0.0, None)  # the same two with the shipped weights


def consult_library(
    songs: Sequence[Song],
    artists: Sequence[str],
    *,
    corrections: Corrections | None = None,
    taught: Taught | None = None,
) -> Counsel:
    """As `consult`, of a library.

    Args:
        songs: The library.
        artists: Of every song.
        corrections: What people said in a review.
        taught: What was learned of the country from sound: the sound's opinions are its cross-validated predictions.
    """
    countries = {file: of[0] for file, of in given_labels("country", songs, corrections=corrections).items()}
    chosen: list[int] = []
    by_artist: Counter[str] = Counter()
    for file in sorted(countries):
        by_artist[artists[file]] += 1
        if by_artist[artists[file]] <= _OF_ARTIST:
            chosen.append(file)
    if len(by_artist) < MIN_ARTISTS:
        return Counsel(evidence=None, artists=len(by_artist), files=len(countries))
    opinions = opinions_on(songs, chosen)
    if taught is not None:
        judged, names = taught.fitted.judged, taught.labels.names
        for file, probabilities in zip(judged.files.tolist(), judged.probabilities, strict=True):
            answer = FieldPrediction(
                task="country",
                kind="single",
                labels=names,
                probabilities=probabilities.astype(np.float32),
                threshold=SURE,
            )
            if file in opinions:
                opinions[file] = opinions[file] + list(sound.opinions(Facts(heard=answer)))
    return consult(gather(opinions, {file: countries[file] for file in chosen}, artists))


def gather(
    opinions: Mapping[int, Sequence[Opinion]], countries: Mapping[int, str], artists: Sequence[str]
) -> list[Artist]:
    """The artists whose files have a country.

    Args:
        opinions: What was said of each file, by index.
        countries: Of each file, as people wrote it.
        artists: Of every file.
    """
    by_artist: defaultdict[str, list[int]] = defaultdict(list)
    for file in sorted(countries):
        by_artist[artists[file]].append(file)
    found = []
    for _, files in sorted(by_artist.items()):
        truth = Counter(countries[file] for file in files)
        country = min(truth, key=lambda code: (-truth[code], code))
        verdict = pool_files([tuple(opinions.get(file, ())) for file in files])
        said: dict[str, Floats] = {}
        for of in verdict.opinions if verdict is not None else ():
            said[of.clue] = said.get(of.clue, 0.0) + weight_of(of) * of.log_weights
        found.append(Artist(country=country, files=len(files), said=said))
    return found


def consult(artists: Sequence[Artist], *, seed: int = 0) -> Counsel:
    """Fit the trust in the witnesses, and say what it is worth on artists left out.

    Args:
        artists: As `gather` gives them.
        seed: Of the folds.
    """
    known = [artist for artist in artists if artist.country in country_index()]
    speaking = [artist for artist in known if artist.said]
    n_files = sum(artist.files for artist in known)
    if len(speaking) < MIN_ARTISTS:
        return Counsel(evidence=None, artists=len(speaking), files=n_files)
    fold = np.random.default_rng(seed).permutation(len(known)) % _N_FOLDS
    by_others = [fit([artist for artist, of in zip(known, fold, strict=True) if of != n]) for n in range(_N_FOLDS)]
    files = np.array([artist.files for artist in known])

    def judge(sharpness: float) -> Floats:
        sharper = [sharpened(evidence, sharpness) for evidence in by_others]
        return np.array([judge_artist(artist, sharper[of]) for artist, of in zip(known, fold, strict=True)])

    shipped = np.array([judge_artist(artist, LibraryEvidence()) for artist in known])
    gain = shipped[:, 0] - judge(1.0)[:, 0]
    # The likelihood weighs all artists, but only the surest are written: as sharp as these stay right.
    tried = {sharpness: judge(sharpness) for sharpness in _SHARPNESSES}
    sharpness = max((of for of in tried if _right_enough(tried[of], _RIGHT)), default=min(tried))
    before, after = _written(shipped, files), _written(tried[sharpness], files)
    helps = gain.mean() > gain.std() / np.sqrt(len(gain))  # more than its standard error
    writes_more = tried[sharpness][:, 2].sum() > shipped[:, 2].sum()
    if not helps or (_right_enough(shipped, SURE) and not writes_more):
        return Counsel(
            evidence=None, artists=len(speaking), files=n_files, written=before[0], right=before[1], before=before
        )
    return Counsel(
        evidence=sharpened(fit(known), sharpness),
        artists=len(speaking),
        files=n_files,
        written=after[0],
        right=after[1],
        before=before,
    )


def _right_enough(judged: Floats, share: float) -> bool:
    return bool(judged[:, 2].sum() >= share * judged[:, 1].sum())


def _written(judged: Floats, files: NDArray[np.int64]) -> tuple[float, float | None]:
    written, right = float((judged[:, 1] * files).sum()), float((judged[:, 2] * files).sum())
    return written / float(files.sum()), right / written if written else None
