"""What the files of a run say of themselves: their tags, and what an earlier run noted in them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geoclass.errors import TaggingError
from geoclass.evidence.opinion import Opinion
from geoclass.evidence.pool import Verdict
from geoclass.inference.prediction import Failure, Prediction
from geoclass.tagging.rewrite import Stamp, stamp_of
from geoclass.tagging.tags import Tags, read_tags

_N_CANDIDATES = 3  # in GEOCLASS_COUNTRY and GEOCLASS_GENRE
_MOST_ENTRIES, _MOST_CHARS = 10_000, 1_000  # that are kept, and in the tags of each: some 20 MB


@dataclass(kw_only=True)
class Entry:
    """A file whose tags were read, on its way to a plan."""

    path: Path
    target: Path
    tags: Tags
    stamp: Stamp | None
    error: TaggingError | None = None
    prediction: Prediction | Failure | None = None
    opinions: list[Opinion] = field(default_factory=list)  # of the witnesses on its country
    verdict: Verdict | None = None  # what they say together, of this file or of its artist
    settled: bool = False  # nothing is open, or the same models and witnesses have decided it before
    dissent: str = ""
    index: int = 0  # among the files of the run


class KeptEntries:
    """Entries that a run will ask for again: with short tags, and so many that memory stays flat."""

    def __init__(self, *, most: int = _MOST_ENTRIES) -> None:
        self._most = most
        self._kept: dict[Path, Entry] = {}

    def add(self, entry: Entry) -> None:
        """Keep the entry of a file whose tags could be read, if there is room."""
        if entry.error is not None or len(self._kept) >= self._most:
            return
        tags = (entry.tags.values, entry.tags.beside)
        if sum(len(text) for fields in tags for texts in fields.values() for text in texts) <= _MOST_CHARS:
            self._kept[entry.path] = entry

    def take(self, path: Path) -> Entry | None:
        """What was kept of a file, once; None when nothing was, or when the file has changed since."""
        entry = self._kept.pop(path, None)
        try:
            return entry if entry is not None and stamp_of(path) == entry.stamp else None
        except TaggingError:
            return None


def read_entries(paths: Iterable[Path | str], *, kept: KeptEntries | None = None) -> Iterator[Entry]:
    """Each target once, however many symbolic links lead to it; hard links count as separate files.

    Args:
        paths: Sound files.
        kept: What need not be read again.
    """
    seen: set[Path] = set()
    for path in map(Path, paths):
        entry = (kept.take(path) if kept is not None else None) or _look(path)
        if entry.target not in seen:
            entry.index = len(seen)
            seen.add(entry.target)
            yield entry


def _look(path: Path) -> Entry:
    """Read a file's tags."""
    target, stamp = path, None
    try:
        target = path.resolve()
        stamp = stamp_of(target)
        return Entry(path=path, target=target, tags=read_tags(target), stamp=stamp)
    except TaggingError as error:
        return Entry(path=path, target=target, tags=Tags(kind=""), stamp=stamp, error=error)
    except (OSError, RuntimeError) as error:  # a loop of links
        loop = TaggingError(f"{path}: {getattr(error, 'strerror', None) or error}")
        return Entry(path=path, target=target, tags=Tags(kind=""), stamp=None, error=loop)


def provenance(candidates: Iterable[tuple[str, float]], *, n: int = 0) -> str:
    """The best candidates, three or `n` if that is more, as a file notes them: "TR 0.62; IR 0.11; GR 0.05"."""
    best = list(candidates)[: max(n, _N_CANDIDATES)]
    return "; ".join(f"{label} {probability:.2f}" for label, probability in best)


def parse_provenance(text: str) -> tuple[tuple[str, float], ...]:
    """What `provenance` wrote; () when it is anything else."""
    found = [re.fullmatch(r"(.+) ([01]\.\d\d)", part.strip()) for part in text.split(";")]
    return tuple((match[1], float(match[2])) for match in found if match) if all(found) else ()


def genre_name(label: str) -> str:
    """A label without the characters at which players split genres."""
    return " ".join(re.sub(r"[,;/\\\0]", " ", label).split())


def genre_of_label(label: str) -> str:
    """A model's label as players show genres: "jazz" is "Jazz", "hiphop" is "Hip-Hop"."""
    name = genre_name(label)
    return {"hiphop": "Hip-Hop"}.get(name, name.capitalize() if name.islower() else name)


def is_ours(tags: Tags, name: str) -> bool:
    """Whether the value of a field is what an earlier run wrote, by its own note."""
    noted = parse_provenance("; ".join(tags.values.get(f"{name}_candidates", ())))
    labels = [label for label, _ in noted]
    values = tags.values.get(name, ())
    return bool(values) and bool(labels) and set(values) <= set(labels) and labels[0] in values
