"""Weak labels: countries that the witnesses make almost certain, for songs without one."""

from collections import defaultdict
from collections.abc import Sequence

from geoclass.evidence.pool import pool_files
from geoclass.learning.fit import SURE
from geoclass.learning.labels import given_labels
from geoclass.learning.testimony import opinions_on
from geoclass.library.song import Song


def sure_countries(songs: Sequence[Song], artists: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Index of a song -> the country that title, tags and artist make almost certain, without the sound.

    The files of an artist are pooled, as by `tag`.

    Args:
        songs: The library.
        artists: Of every song.
    """
    given = given_labels("country", songs)
    by_artist: defaultdict[str, list[int]] = defaultdict(list)
    for index, song in enumerate(songs):
        if not song.error and index not in given:
            by_artist[artists[index]].append(index)
    opinions = opinions_on(songs, [index for files in by_artist.values() for index in files])
    found: dict[int, tuple[str, ...]] = {}
    for files in by_artist.values():
        verdict = pool_files([tuple(opinions[index]) for index in files])
        if verdict is not None and (best := verdict.candidates(1)[0])[1] >= SURE:
            found |= dict.fromkeys(files, (best[0],))
    return found
