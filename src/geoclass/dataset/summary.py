"""What a data set holds and what it left out, counted: for `summary.json` and `dataset.json`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geoclass.config.settings import BuildConfig
from geoclass.corpora.base import Corpus, Skipped, Track
from geoclass.dataset.placement import OFFICIAL, Segment
from geoclass.dataset.protocol import Claim
from geoclass.dataset.select import Selection, labels_of, reason_kind
from geoclass.dataset.split import empty_cells
from geoclass.errors import DatasetError
from geoclass.vocabulary import SPLITS

Labels = Mapping[str, tuple[str, ...]]  # task -> labels in order


def surviving_labels(tracks: Iterable[Track], labels: Labels, config: BuildConfig) -> dict[str, tuple[str, ...]]:
    """The labels that some track still has after decoding.

    Raises:
        DatasetError: Fewer than two are left.
    """
    alive: dict[str, set[str]] = {task: set() for task in labels}
    for track in tracks:
        for task in labels:
            alive[task].update(labels_of(track, task, multi_label=config.multi_label))
    surviving = {task: tuple(name for name in names if name in alive[task]) for task, names in labels.items()}
    for task, names in surviving.items():
        if len(names) < 2:
            raise DatasetError(
                f"{len(names)} {task} label(s) left after decoding: at least two are needed",
                hint="is the audio complete? `geoclass build-dataset` with --min-tracks 1 shows what can be decoded",
            )
    return surviving


def count(labels: Labels, segments: Sequence[Segment], config: BuildConfig) -> dict[str, Any]:
    """Tracks and segments in all, and by task, label and split."""
    counts: dict[str, Any] = {
        "tracks": len({segment.track.track_id for segment in segments}),
        "segments": len(segments),
    }
    for task, names in labels.items():
        placed = [
            (label, segment.split, segment.track.track_id)
            for segment in segments
            for label in labels_of(segment.track, task, multi_label=config.multi_label)
        ]
        n_segments = Counter((label, split) for label, split, _ in placed)
        n_tracks = Counter((label, split) for label, split, _ in set(placed))
        counts[task] = {
            label: {split: {"tracks": n_tracks[label, split], "segments": n_segments[label, split]} for split in SPLITS}
            for label in names
        }
    return counts


def summarize(
    corpus: Corpus,
    selection: Selection,
    *,
    skipped: Sequence[Skipped],
    counts: Mapping[str, Any],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The content of `summary.json`: what was read, labelled, kept and skipped."""
    reasons = Counter(reason_kind(item.reason) for item in skipped)
    return {
        "corpus": corpus.name,
        "read": selection.n_read,
        "labelled": selection.n_labelled,
        "kept": counts,
        "skipped": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "artists_without_place": selection.artists_without_place,
        "warnings": [*warnings, *corpus.notes],
    }


def warnings_of(
    counts: Mapping[str, Any], tracks: Iterable[Track], *, claim: Claim, config: BuildConfig, source: str
) -> list[str]:
    """What a reader of scores on this data set should know.

    Args:
        counts: As `count` gives them.
        tracks: All tracks that are kept.
        claim: The protocol of the split.
        config: Task and group.
        source: Of the split: OFFICIAL, or a seed.
    """
    task = config.tasks[0]
    cells = [(label, split) for label, of in counts[task].items() for split in SPLITS if of[split]["tracks"]]
    missing = empty_cells([label for label, _ in cells], [split for _, split in cells])
    found = [f"the {split} split has no {task} {', '.join(gone)}" for split, gone in missing.items()]
    if claim.leaky:
        found.append(f"the splits leak: {claim.leak}")
    if (
        config.group == "artist"
        and source != OFFICIAL
        and (alone := sum(not (track.artist_id or track.artist) for track in tracks))
    ):
        found.append(f"{alone} tracks have no artist: each is treated as a separate artist")
    return found
