"""What a model was trained on, as fingerprints: enough to recognize a track or an artist, not to name one."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from geoclass.errors import BundleError, StorageError
from geoclass.storage import read_json, write_json

FILE = "training_set.json"
FORMAT = "geoclass/training-set"
_DIGITS = 16  # hex digits kept of a hash: two of a million tracks share one with a probability of 3e-8


@dataclass(frozen=True)
class TrainingSet:
    """Fingerprints of all that a model was fitted on: weights on the training split, the rest on the validation split.

    Names and ids cannot be read from fingerprints, but anyone who knows one can test for it.
    """

    tracks: frozenset[str]
    artists: frozenset[str]

    @classmethod
    def from_keys(cls, tracks: Iterable[str], artists: Iterable[str]) -> "TrainingSet":
        """Of the keys that name tracks and artists."""
        return cls(frozenset(map(_fingerprint, tracks)), frozenset(map(_fingerprint, artists)))

    def has_track(self, key: str) -> bool:
        """Whether the track that `key` names is among them."""
        return _fingerprint(key) in self.tracks

    def has_artist(self, keys: Iterable[str]) -> bool:
        """Whether the artist is among them by any of its keys."""
        return any(_fingerprint(key) in self.artists for key in keys)

    def write(self, folder: Path) -> None:
        """Write training_set.json."""
        content = {"tracks": sorted(self.tracks), "artists": sorted(self.artists)}
        write_json(folder / FILE, content, format=FORMAT)

    @classmethod
    def read(cls, folder: Path) -> "TrainingSet | None":
        """Read training_set.json; None for a bundle that was written without one.

        Raises:
            BundleError: The file is damaged, or from a newer version.
        """
        if not (folder / FILE).is_file():
            return None
        try:
            document = read_json(folder / FILE, format=FORMAT)
            return cls(frozenset(document["tracks"]), frozenset(document["artists"]))
        except StorageError as error:
            raise BundleError(error.message, hint=error.hint) from error
        except (KeyError, TypeError) as error:
            raise BundleError(f"{folder / FILE} is incomplete: {error}", hint="train the model again") from error


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
