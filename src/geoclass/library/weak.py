"""Countries that the witnesses are sure of, for songs that people left without one: weak labels."""

from collections.abc import Sequence

from geoclass.evidence.facts import Facts
from geoclass.library.fit import SURE
from geoclass.library.song import Song


def sure_countries(songs: Sequence[Song]) -> dict[int, tuple[str, ...]]:
    """Index of a song -> the country that title, artist, album and genre make certain; sound has no part in it."""
    from geoclass.evidence.pool import pool
    from geoclass.evidence.registry import CHEAP, ask

    found: dict[int, tuple[str, ...]] = {}
    for index, song in enumerate(songs):
        if song.error or song.country:
            continue
        facts = Facts(
            title=song.title, artist=song.artist, album_artist=song.album_artist, album=song.album, genres=song.genres
        )
        verdict = pool(ask(facts, witnesses=CHEAP))
        if verdict is not None and (best := verdict.candidates(1)[0])[1] >= SURE:
            found[index] = (best[0],)
    return found
