"""Artists, albums, titles and recordings that are in both of two splits, by their names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from geoclass.dataset.split import artist_keys
from geoclass.text import name_key

_NO_TITLES = frozenset({"", "untitled", "intro", "outro", "interlude", "track"})
Keys = Callable[[pd.DataFrame], Iterator[set[str]]]  # tracks -> for each, what no track of another split may have


@dataclass(frozen=True, kw_only=True)
class Shared:
    """One kind of thing on both sides of two splits."""

    kind: str  # "artist", "album", "title", "recording" or "sound"
    first: str  # the split that is learned from: "train", or "valid" beside "test"
    second: str  # the split that is scored
    shared: int  # different artists, albums, … on both sides; for sound, pairs of tracks
    tracks: int  # of the second split that have any of these
    of: int  # tracks of the second split
    examples: tuple[str, ...]


def _artist_keys(tracks: pd.DataFrame) -> Iterator[set[str]]:
    for own in map(artist_keys, tracks["track_id"], tracks["artist_id"], tracks["artist"]):
        yield {key for key in own if not key.startswith("track ")}


def _album_keys(tracks: pd.DataFrame) -> Iterator[set[str]]:
    for artist, album in zip(tracks["artist"], tracks["album"], strict=True):
        yield {f"{name_key(artist)}: {name_key(album)}"} if name_key(album) else set()


def _title_keys(tracks: pd.DataFrame) -> Iterator[set[str]]:
    for title in tracks["title"]:
        yield {name_key(title)} - _NO_TITLES


def _recording_keys(tracks: pd.DataFrame) -> Iterator[set[str]]:
    for track, path in zip(tracks["track_id"], tracks["path"], strict=True):
        yield {key for key in (f"track {track}", path) if key}


_KEYS: dict[str, Keys] = {
    "recording": _recording_keys,
    "artist": _artist_keys,
    "album": _album_keys,
    "title": _title_keys,
}


def shared_names(first: str, second: str, sides: Mapping[str, pd.DataFrame]) -> list[Shared]:
    """What two splits have in common, one entry per kind."""
    return [_shared(kind, first, second, sides[first], sides[second]) for kind in _KEYS]


def tracks_sharing(train: pd.DataFrame, scored: pd.DataFrame) -> dict[str, set[str]]:
    """Ids of the scored tracks that share something with a training track, by kind; titles do not count."""
    return {
        kind: {track for track, own in zip(scored["track_id"], _common(kind, train, scored), strict=True) if own}
        for kind in _KEYS
        if kind != "title"
    }


def _common(kind: str, a: pd.DataFrame, b: pd.DataFrame) -> list[set[str]]:
    """For each track of `b`, which of its keys a track of `a` has."""
    known = set[str]().union(*_KEYS[kind](a))
    return [own & known for own in _KEYS[kind](b)]


def _shared(kind: str, first: str, second: str, a: pd.DataFrame, b: pd.DataFrame) -> Shared:
    both = _common(kind, a, b)
    values = {
        min(values, key=lambda value: (value.startswith(("artist ", "track ")), value)) for values in both if values
    }
    if kind == "artist":
        values = {value.removeprefix("name ") for value in values}
    return Shared(
        kind=kind,
        first=first,
        second=second,
        shared=len(values),
        tracks=sum(1 for own in both if own),
        of=len(b),
        examples=tuple(sorted(values)[:5]),
    )
