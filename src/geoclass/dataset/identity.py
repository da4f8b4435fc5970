"""By which keys a track and its artist are recognized in other data sets."""

from collections.abc import Iterator

import pandas as pd

from geoclass.dataset.dataset import Dataset
from geoclass.dataset.split import artist_keys
from geoclass.errors import DatasetError

FITTED_ON = ("train", "valid")  # weights on the first; best epoch, temperature and threshold on the second
_TRACK = "track "


def identity_keys(dataset: Dataset, tracks: pd.DataFrame) -> Iterator[tuple[str, frozenset[str]]]:
    """The key of each track and the keys of its artist.

    Ids hold within a corpus, whatever the data set that was built from it; names of artists hold everywhere.

    Args:
        dataset: Where the tracks are from.
        tracks: (n_tracks, …) rows of tracks.csv.

    Yields:
        A key, and a set of keys that is empty for an unknown artist.
    """
    corpus = str(dataset.document.get("corpus", {}).get("name", ""))
    for track_id, artist_id, artist in zip(tracks["track_id"], tracks["artist_id"], tracks["artist"], strict=True):
        known = (key for key in artist_keys(track_id, artist_id, artist) if not key.startswith(_TRACK))
        yield (
            track_key(corpus, track_id),
            frozenset(key if key.startswith("name ") else f"{corpus} {key}" for key in known),
        )


def track_key(corpus: str, track_id: str) -> str:
    """The key of a track of a corpus."""
    return f"{corpus} {_TRACK}{track_id}"


def fitted_keys(dataset: Dataset) -> tuple[set[str], set[str]]:
    """Keys of the tracks and of the artists that a model trained on a data set is fitted on."""
    tracks, artists = set[str](), set[str]()
    for name in FITTED_ON:
        try:
            part = dataset.split(name)
        except DatasetError:  # a data set without a validation split
            continue
        for track, of_artist in identity_keys(dataset, part.tracks):
            tracks.add(track)
            artists |= of_artist
    return tracks, artists
