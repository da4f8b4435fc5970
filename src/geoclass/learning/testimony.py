"""The opinions of the witnesses, other than the sound, on the files of a library."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from geoclass.errors import TaggingError
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion
from geoclass.evidence.registry import CHEAP, Sources, ask
from geoclass.library.song import Song
from geoclass.parallel.threads import ordered_map
from geoclass.tagging.tags import read_tags
from geoclass.tagging.testimony import facts_of


def opinions_on(songs: Sequence[Song], chosen: Iterable[int]) -> dict[int, list[Opinion]]:
    """Index of a song -> what its tags, its path and the user's artist table say of its country; [] where unread.

    Args:
        songs: The library.
        chosen: Indices of those to read.
    """
    sources = Sources.open(CHEAP, learned=False, note=lambda _: None)

    def read(index: int) -> tuple[int, Facts | None]:
        path = Path(songs[index].path)
        try:
            return index, facts_of(path, read_tags(path))
        except TaggingError:
            return index, None

    said = ordered_map(read, chosen)
    return {index: ask(facts, witnesses=CHEAP, sources=sources) if facts is not None else [] for index, facts in said}
