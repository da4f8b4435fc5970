"""From the tracks of a corpus to those of a data set: countries resolved, labels chosen, others left out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from geoclass.config.settings import BuildConfig
from geoclass.corpora.base import Corpus, Skipped, Track
from geoclass.errors import DatasetError
from geoclass.geo.borders import countries_at
from geoclass.geo.places import Geocoder, create_geocoder
from geoclass.progress import Progress


@dataclass(frozen=True)
class Selection:
    """Tracks to build from, ordered by track_id, and all that was left out."""

    tracks: list[Track]
    skipped: list[Skipped]
    labels: dict[str, tuple[str, ...]]  # task -> labels in order
    n_read: int
    n_labelled: int
    artists_without_place: int


def select_tracks(corpus: Corpus, *, config: BuildConfig, progress: Progress | None = None) -> Selection:
    """Read a corpus and keep the tracks that carry every label of `config.task`.

    `progress` is called as progress(0, note="read …") every thousand tracks, and with an empty note at the end.

    Raises:
        DatasetError: Nothing could be labelled, or fewer than two labels are left.
    """
    tracks, skipped = _read(corpus, progress)
    n_read = len(tracks) + len(skipped)
    without_place = 0
    if "country" in config.tasks:
        artists = {track.artist_id or track.track_id for track in tracks}
        tracks = _keep(resolve_countries(tracks, create_geocoder(config.geocoder)), skipped)
        without_place = len(artists - {track.artist_id or track.track_id for track in tracks})
    if "genre" in config.tasks:
        tracks = _keep(_require_genre(tracks, multi_label=config.multi_label), skipped)
    n_labelled = len(tracks)
    labels: dict[str, tuple[str, ...]] = {}
    for task in config.tasks:
        labels[task] = choose_labels(tracks, task, config=config)
        tracks = _keep(_with_label(tracks, task, set(labels[task]), multi_label=config.multi_label), skipped)
    for task, names in labels.items():
        if len(names) < 2:
            left = f"1 {task} label left: {names[0]}" if names else f"0 {task} labels left"
            raise DatasetError(
                f"{n_read:,} tracks read, {n_labelled:,} labelled, {left}",
                hint=f"a data set needs two: lower --min-tracks, or name more labels; skipped: {_reasons(skipped)}",
            )
    tracks.sort(key=lambda track: track.track_id)
    skipped.sort(key=lambda item: (item.track_id, item.path))
    return Selection(tracks, skipped, labels, n_read, n_labelled, without_place)


def _read(corpus: Corpus, progress: Progress | None) -> tuple[list[Track], list[Skipped]]:
    tracks: list[Track] = []
    skipped: list[Skipped] = []
    for number, item in enumerate(corpus.tracks(), start=1):
        if progress and number % 1_000 == 0:
            progress(0, note=f"{number:,} tracks read")
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            tracks.append(item)
    if progress:
        progress(0, note="")
    return tracks, skipped


def resolve_countries(tracks: Iterable[Track], geocoder: Geocoder) -> Iterator[Track | Skipped]:
    """Give each track its country: the corpus' own, else by coordinates, else by the place's name."""
    tracks = list(tracks)
    # The tracks of an artist share a point and a place: each is looked up once.
    points = list({(track.latitude, track.longitude) for track in tracks if not track.country})
    degrees = np.array([[np.nan if number is None else number for number in point] for point in points]).reshape(-1, 2)
    country_of = dict(zip(points, map(str, countries_at(degrees[:, 0], degrees[:, 1])), strict=True))
    locate = cache(geocoder.locate)
    for track in tracks:
        if track.country:
            yield track
        elif country := country_of[track.latitude, track.longitude]:
            yield track._replace(country=country)
        elif track.place and (place := locate(track.place)) is not None and place.country:
            unknown = not (track.latitude or track.longitude)  # none, or 0, 0
            point = (place.latitude, place.longitude) if unknown else (track.latitude, track.longitude)
            yield track._replace(country=place.country, latitude=point[0], longitude=point[1])
        elif track.place:
            yield skip(track, f"place not found: {track.place!r}")
        elif track.latitude is not None:
            yield skip(track, f"coordinates in no country: {track.latitude}, {track.longitude}")
        else:
            yield skip(track, "no coordinates and no place")


def choose_labels(tracks: Iterable[Track], task: str, *, config: BuildConfig) -> tuple[str, ...]:
    """The labels of a task, alphabetically: named, or the most frequent, each with at least `min_tracks`."""
    counts = Counter(label for track in tracks for label in labels_of(track, task, multi_label=config.multi_label))
    chosen = [label for label, count in counts.items() if count >= config.min_tracks]
    if task == "country" and config.countries:
        if missing := [code for code in config.countries if counts[code] == 0]:
            raise DatasetError(
                f"no track is from {', '.join(missing)}",
                hint="the countries with the most tracks are "
                + ", ".join(f"{code} ({count})" for code, count in counts.most_common(8)),
            )
        chosen = [code for code in chosen if code in config.countries]
    elif task == "country" and config.top_countries:
        chosen = sorted(chosen, key=lambda label: (-counts[label], label))[: config.top_countries]
    return tuple(sorted(chosen))


def labels_of(track: Track, task: str, *, multi_label: bool = False) -> tuple[str, ...]:
    """A track's label or labels for a task."""
    if task == "genre" and multi_label:
        return track.genres
    label = track.country if task == "country" else track.genre
    return (label,) if label else ()


def _require_genre(tracks: Iterable[Track], *, multi_label: bool) -> Iterator[Track | Skipped]:
    for track in tracks:
        yield track if labels_of(track, "genre", multi_label=multi_label) else skip(track, "no genre")


def _with_label(tracks: Iterable[Track], task: str, kept: set[str], *, multi_label: bool) -> Iterator[Track | Skipped]:
    for track in tracks:
        own = labels_of(track, task, multi_label=multi_label)
        yield track if kept & set(own) else skip(track, f"{task} not among the labels: {', '.join(own)}")


def _keep(items: Iterable[Track | Skipped], skipped: list[Skipped]) -> list[Track]:
    """The tracks of a stage; what it skipped is added to `skipped`."""
    tracks = []
    for item in items:
        if isinstance(item, Track):
            tracks.append(item)
        else:
            skipped.append(item)
    return tracks


def skip(track: Track, reason: str) -> Skipped:
    """A track as one that was left out."""
    return Skipped(track_id=track.track_id, path=track.path, reason=reason)


def _reasons(skipped: Iterable[Skipped]) -> str:
    counts = Counter(reason_kind(item.reason) for item in skipped)
    return ", ".join(f"{reason} ({count})" for reason, count in counts.most_common(4)) or "nothing was skipped"


def reason_kind(reason: str) -> str:
    """A reason without its particulars: "place not found: 'Mars'" -> "place not found"."""
    return reason.partition(":")[0]
