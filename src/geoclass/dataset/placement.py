"""Which split each track and each segment goes to, and what balancing leaves out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from geoclass.config.settings import BuildConfig
from geoclass.corpora.base import Skipped, Track
from geoclass.dataset.balance import surplus
from geoclass.dataset.select import labels_of, skip
from geoclass.dataset.split import artist_keys, merge_groups, split_groups, split_segments
from geoclass.errors import DatasetError
from geoclass.vocabulary import SPLITS

OFFICIAL = "official"
UNUSED = "unused"  # segments that balancing leaves out


@dataclass(frozen=True)
class Segment:
    """One row of the feature store."""

    track: Track
    start_s: float
    shift: float  # semitones
    split: str  # "" until it is placed


@dataclass(frozen=True)
class Placement:
    """Tracks with their split, which is "" where segments are placed one by one."""

    tracks: list[Track]
    left_out: list[Skipped]
    source: str  # OFFICIAL, or "seed 0"


def place_tracks(tracks: Sequence[Track], config: BuildConfig) -> Placement:
    """Give each track its split: the corpus' own, or one that is drawn.

    The official split is used when it has tracks in every split and neither a seed nor another group is asked for.
    Tracks that it leaves out are then left out here.

    Raises:
        DatasetError: Too few artists or tracks, or a split without tracks.
    """
    left_out: list[Skipped] = []
    source = f"seed {config.seed or 0}"
    if _use_official(tracks, config):
        source = OFFICIAL
        left_out = [skip(track, "left out by the official split") for track in tracks if not track.split]
        placed = [track for track in tracks if track.split]
    elif config.group == "segment":
        placed = [track._replace(split="") for track in tracks]
    else:
        placed = _drawn(tracks, config)
    if config.balance == "downsample":
        names, labels = [track.track_id for track in placed], main_labels(placed, config)
        gone = surplus(names, labels, [track.split or "train" for track in placed], seed=config.seed or 0)
        left_out += [skip(placed[index], "balance: its label has enough tracks") for index in sorted(gone)]
        placed = [track for index, track in enumerate(placed) if index not in gone]
    if config.group != "segment":
        require_splits((track.split for track in placed), config, source=source)
    return Placement(placed, left_out, source)


def place_segments(segments: Sequence[Segment], config: BuildConfig, *, source: str) -> list[Segment]:
    """Place segments whose tracks have no split of their own, and balance the training segments.

    Args:
        segments: In the order of the feature store.
        config: Group, fractions, balance and seed.
        source: Of the placement of the tracks.

    Raises:
        DatasetError: A split without segments.
    """
    seed = config.seed or 0
    names = [f"{segment.track.track_id}@{segment.start_s}{segment.shift:+g}" for segment in segments]
    labels = main_labels((segment.track for segment in segments), config)
    splits = [segment.split for segment in segments]
    if config.group == "segment":
        splits = split_segments(
            names, labels, valid_fraction=config.valid_fraction, test_fraction=config.test_fraction, seed=seed
        )
    require_splits(splits, config, source=source)
    gone = surplus(names, labels, splits, seed=seed) if config.balance == "segments" else set()
    return [
        replace(segment, split=UNUSED if index in gone else split)
        for index, (segment, split) in enumerate(zip(segments, splits, strict=True))
    ]


def main_labels(tracks: Iterable[Track], config: BuildConfig) -> list[str]:
    """The label of the first task of each track, by which splits are stratified and balanced."""
    task = config.tasks[0]
    return [labels_of(track, task, multi_label=config.multi_label)[0] for track in tracks]


def require_splits(present: Iterable[str], config: BuildConfig, *, source: str) -> None:
    """Refuse what could not be trained, calibrated or scored.

    Raises:
        DatasetError: A split without tracks, with the way out.
    """
    found = set(present)
    empty = [split for split in SPLITS if split not in found]
    if not empty:
        return
    if source == OFFICIAL:
        hint = "--seed 0 draws a split instead of using the official one"
    elif config.group == "artist":
        hint = "add recordings of more artists (three per label are enough), or split by --group track"
    else:
        hint = "add recordings, or raise the fractions with --set valid_fraction=0.2 --set test_fraction=0.2"
    raise DatasetError(f"no tracks are left for the {' and the '.join(empty)} split", hint=hint)


def _use_official(tracks: Iterable[Track], config: BuildConfig) -> bool:
    whole = {track.split for track in tracks} >= set(SPLITS)
    return whole and config.group == "artist" and config.seed is None


def _drawn(tracks: Sequence[Track], config: BuildConfig) -> list[Track]:
    if config.group == "artist":
        groups = merge_groups([artist_keys(track.track_id, track.artist_id, track.artist) for track in tracks])
    else:
        groups = [track.track_id for track in tracks]
    splits = split_groups(
        groups,
        main_labels(tracks, config),
        valid_fraction=config.valid_fraction,
        test_fraction=config.test_fraction,
        seed=config.seed or 0,
    )
    return [track._replace(split=split) for track, split in zip(tracks, splits, strict=True)]
