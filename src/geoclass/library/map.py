"""A page about a collection: a map of its countries, its artists, and missing tags."""

from collections.abc import Sequence
from pathlib import Path

from geoclass.library.map_page import MARK, write_map_page
from geoclass.library.songs import read_collection
from geoclass.library.survey import Survey, survey
from geoclass.library.tree import song_tree
from geoclass.progress import Progress
from geoclass.storage import refuse_foreign


def draw_map(
    paths: Sequence[Path], *, out: Path, title: str = "", use_cache: bool = True, progress: Progress | None = None
) -> Survey:
    """Write `out`, a page about a collection, from the tags of its files.

    Args:
        paths: Sound files, and folders of them.
        out: The page; one that geoclass wrote is replaced, nothing else.
        title: Of the page; by default the names of the folders.
        use_cache: Read only what is new or has changed since the last time.
        progress: Called with the number of files done.

    Raises:
        UsageError: No sound files, or `out` is something else.
        StorageError: `out` cannot be written.
    """
    refuse_foreign(out, mark=MARK)
    songs = read_collection(paths, use_cache=use_cache, progress=progress)
    found = survey(songs)
    names = title or ", ".join(path.resolve().name or str(path) for path in paths)
    write_map_page(out, title=names, survey=found, tree=song_tree(songs, page_folder=out.resolve().parent))
    return found
