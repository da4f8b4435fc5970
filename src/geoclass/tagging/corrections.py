"""What people corrected in a review: remembered, and preferred to the model from then on.

A country belongs to the artist and holds for all of the artist's files; a genre, and the country of a file without an
artist, belong to the file.
"""

from collections.abc import Mapping
from pathlib import Path

from geoclass.storage import read_json, state_dir, write_json
from geoclass.tagging.tags import Tags
from geoclass.text import name_key

FORMAT = "geoclass/corrections"
_OF_ARTIST = "country of "


class Corrections:
    """Corrected values by artist or file; empty at first."""

    def __init__(self, values: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._values = dict(values or {})

    @classmethod
    def load(cls, path: Path | None = None) -> "Corrections":
        """Read the user's corrections; empty if there are none yet.

        Raises:
            StorageError: The file is damaged or of a newer version.
        """
        path = path or default_path()
        if not path.exists():
            return cls()
        values = read_json(path, format=FORMAT)["values"]
        return cls({_current(key): tuple(found) for key, found in values.items()})

    def save(self, path: Path | None = None) -> None:
        """Write them, atomically."""
        values = {key: list(found) for key, found in sorted(self._values.items())}
        write_json(path or default_path(), {"values": values}, format=FORMAT)

    def find(self, name: str, target: Path, tags: Tags) -> tuple[str, ...]:
        """The corrected values of a field; () if there is no correction."""
        if not self._values:
            return ()
        return self._values.get(_file_key(name, target)) or self._values.get(_key(name, target, tags)) or ()

    def add(self, name: str, target: Path, tags: Tags, values: tuple[str, ...]) -> None:
        """Remember that a field of this file, or of its artist, has these values."""
        self._values[_key(name, target, tags)] = values


def default_path() -> Path:
    """In the user's state folder."""
    return state_dir() / "corrections.json"


def _key(name: str, target: Path, tags: Tags) -> str:
    artist = tags.get("artist")
    if name == "country" and artist:
        return _OF_ARTIST + name_key(artist[0])
    return _file_key(name, target)


def _current(key: str) -> str:
    """A key as this version spells it; the first version kept the accents of artists."""
    return _OF_ARTIST + name_key(key.removeprefix(_OF_ARTIST)) if key.startswith(_OF_ARTIST) else key


def _file_key(name: str, target: Path) -> str:
    # Escaped, for names that are not UTF-8.
    return f"{name} in {str(target).encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')}"
