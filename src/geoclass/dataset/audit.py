"""What two splits share: artists, albums, titles, recordings, and sound that is nearly identical."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoclass.config.frontends import LogMelConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.fingerprints import SAME, describe, nearest, reduce_log_mels, similarity
from geoclass.dataset.split import artist_keys
from geoclass.progress import Progress
from geoclass.text import name_key
from geoclass.vocabulary import SPLITS

NEIGHBOURS = 5  # segments of the other side that are compared in full
_BLOCK = 512  # segments at a time
_NO_TITLES = frozenset({"", "untitled", "intro", "outro", "interlude", "track"})


@dataclass(frozen=True, kw_only=True)
class Shared:
    """One kind of thing on both sides of two splits."""

    kind: str  # "artist", "album", "title", "recording" or "sound"
    first: str  # the split that is learned from: "train", or "valid" beside "test"
    second: str  # the split that is scored
    shared: int  # different artists, albums, … on both sides; for sound, pairs of tracks
    tracks: int  # of the second split that are touched
    of: int  # tracks of the second split
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Two tracks that sound the same, on two sides of a split."""

    first: str
    second: str
    first_track: str
    second_track: str
    similarity: float  # correlation of their log-mels at the best shift


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """What an audit found."""

    group: str  # what the splits were made to keep apart
    shared: tuple[Shared, ...]
    copies: tuple[Copy, ...]  # most alike first
    compared: int  # pairs of segments laid over each other; 0: sound was not compared
    note: str = ""  # why sound was not compared

    @property
    def clean(self) -> bool:
        """Whether a model cannot profit from what it was trained on; a shared title alone does not count as a leak."""
        return not any(entry.shared for entry in self.shared if entry.kind != "title")


def audit(
    dataset: Dataset, *, same: float = SAME, neighbours: int = NEIGHBOURS, progress: Progress | None = None
) -> AuditResult:
    """Look for what no split should share with another.

    Artists are compared by id and by name, albums by artist and name, names without case, accents and punctuation.
    Sound is compared segment by segment: the nearest `neighbours` of the other side by a short description, then
    those in full. Shifted training copies are left out.

    Args:
        dataset: Any; tables are compared row by row instead of by sound.
        same: Correlation from which two segments are one recording.
        neighbours: Segments of the other side that are compared in full.
        progress: Called with the number of segments done, and once with total=.
    """
    sides = {name: part for name in SPLITS if (part := _tracks(dataset, name)) is not None}
    found: list[Shared] = []
    for first, second in combinations(sides, 2):
        for kind, keys in _KEYS.items():
            found.append(_shared(kind, first, second, sides[first], sides[second], keys))
    copies, compared, note = _copies(dataset, sides, same=same, neighbours=neighbours, progress=progress)
    for first, second in combinations(sides, 2):
        pairs = [copy for copy in copies if (copy.first, copy.second) == (first, second)]
        found.append(Shared(
            kind="sound", first=first, second=second, shared=len(pairs),
            tracks=len({copy.second_track for copy in pairs}), of=len(sides[second]),
            examples=tuple(f"{copy.second_track} = {copy.first_track} ({copy.similarity:.2f})" for copy in pairs[:5]),
        ))  # fmt: skip
    return AuditResult(group=dataset.group, shared=tuple(found), copies=tuple(copies), compared=compared, note=note)


def leaking_tracks(dataset: Dataset, result: AuditResult, *, split: str) -> dict[str, set[str]]:
    """Ids of the tracks of a split that training has met, by kind: artist, album, recording, sound."""
    train, scored = _tracks(dataset, "train"), _tracks(dataset, split)
    if train is None or scored is None:
        return {}
    tracks = {
        kind: set(scored["track_id"][_met(train, scored, keys)]) for kind, keys in _KEYS.items() if kind != "title"
    }
    tracks["sound"] = {copy.second_track for copy in result.copies if (copy.first, copy.second) == ("train", split)}
    return tracks


def _tracks(dataset: Dataset, name: str) -> pd.DataFrame | None:
    ids = set(dataset.segments["track_id"][dataset.segments["split"] == name])
    part = dataset.tracks[dataset.tracks["track_id"].isin(ids)].reset_index(drop=True)
    return part if len(part) else None


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


_KEYS: dict[str, Callable[[pd.DataFrame], Iterator[set[str]]]] = {
    "recording": _recording_keys,
    "artist": _artist_keys,
    "album": _album_keys,
    "title": _title_keys,
}


def _met(train: pd.DataFrame, scored: pd.DataFrame, keys: Callable[[pd.DataFrame], Iterator[set[str]]]) -> list[bool]:
    known = set[str]().union(*keys(train))
    return [bool(own & known) for own in keys(scored)]


def _shared(kind: str, first: str, second: str, a: pd.DataFrame, b: pd.DataFrame, keys: Any) -> Shared:
    known = set[str]().union(*keys(a))
    both = [own & known for own in keys(b)]
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


def _copies(
    dataset: Dataset,
    sides: dict[str, pd.DataFrame],
    *,
    same: float,
    neighbours: int,
    progress: Progress | None,
) -> tuple[list[Copy], int, str]:
    segments = dataset.segments
    original = (segments["shift"] == 0).to_numpy()
    rows = {name: np.flatnonzero(original & (segments["split"] == name).to_numpy()) for name in sides}
    names = segments["track_id"].to_numpy()
    if isinstance(dataset.front_end, LogMelConfig):
        compare: Any = _Sound(dataset, dataset.front_end, same)
    elif dataset.front_end.kind == "table":
        compare = _Rows(dataset)
    else:
        return [], 0, f"audio is compared by log-mels; this data set has {dataset.front_end.kind} features"
    advance = progress or (lambda *_, **__: None)
    advance(0, total=sum(len(ids) for ids in rows.values()))
    described = {name: compare.describe(ids, advance) for name, ids in rows.items()}
    best: dict[tuple[str, str, str, str], float] = {}
    compared = 0
    for first, second in combinations(sides, 2):
        near = nearest(described[second], described[first], neighbours)  # (n_segments, neighbours)
        here, there = np.repeat(rows[second], near.shape[1]), rows[first][near.ravel()]
        other = names[here] != names[there]  # the same recording is told by its name already
        here, there = here[other], there[other]
        compared += len(here)
        for a, b, value in zip(there, here, compare.similarity(there, here), strict=True):
            if value >= compare.same:
                key = (first, second, str(names[a]), str(names[b]))
                best[key] = max(best.get(key, 0.0), float(value))
    ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return (
        [Copy(first=a, second=b, first_track=x, second_track=y, similarity=value) for (a, b, x, y), value in ordered],
        compared,
        "",
    )


class _Sound:
    """Compares segments of log-mels."""

    def __init__(self, dataset: Dataset, config: LogMelConfig, same: float) -> None:
        self.features, self.config, self.same = dataset.features, config, same

    def describe(self, ids: NDArray[np.int64], advance: Progress) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(ids), _BLOCK):
            parts.append(describe(np.asarray(self.features[ids[start : start + _BLOCK]]), self.config))
            advance(len(parts[-1]))
        return np.concatenate(parts)

    def similarity(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        values = np.empty(len(a))
        for start in range(0, len(a), _BLOCK):
            block = slice(start, start + _BLOCK)
            left, right = (reduce_log_mels(np.asarray(self.features[ids[block]]), self.config) for ids in (a, b))
            values[block] = similarity(left, right, self.config)
        return values


class _Rows:
    """Compares rows of tables: only equal ones are copies."""

    same = 1.0

    def __init__(self, dataset: Dataset) -> None:
        self.features, self.mean, self.std = dataset.features, dataset.mean, dataset.std

    def describe(self, ids: NDArray[np.int64], advance: Progress) -> NDArray[np.float32]:
        values = (np.asarray(self.features[ids], np.float32) - self.mean) / np.maximum(self.std, 1e-9)
        advance(len(ids))
        return np.asarray(values, np.float32)

    def similarity(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        close = np.isclose(self.features[a], self.features[b], rtol=1e-6, atol=1e-9)
        return np.asarray(close.all(axis=1), np.float64)
