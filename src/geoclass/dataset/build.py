"""A corpus to a data set: select, split, extract, normalize, write. The manifest comes last."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from geoclass import __version__
from geoclass.config.frontends import TableConfig
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import to_dict
from geoclass.corpora.base import Corpus, Skipped, Track
from geoclass.dataset.balance import surplus
from geoclass.dataset.dataset import FORMAT, SEGMENT_COLUMNS, TRACK_COLUMNS, Dataset, dataset_fingerprint
from geoclass.dataset.extract import Extracted, FeatureWriter, Job, extract, extract_all, normalization
from geoclass.dataset.protocol import claim_of
from geoclass.dataset.select import Selection, labels_of, reason_kind, select_tracks
from geoclass.dataset.split import artist_keys, empty_cells, merge_groups, split_groups, split_segments
from geoclass.errors import DatasetError
from geoclass.parallel.cluster import cluster_map
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import PATIENCE_S, ordered_map
from geoclass.progress import Progress
from geoclass.storage import atomic_path, fingerprint, read_json, write_json, write_text
from geoclass.vocabulary import SPLITS


@dataclass(frozen=True)
class Segment:
    """One row of the feature store."""

    track: Track
    start_s: float
    shift: float  # semitones
    split: str


def build_dataset(
    corpus: Corpus,
    *,
    out: str | Path,
    config: BuildConfig | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Build a data set from a corpus, or go on with one that was interrupted.

    Args:
        corpus: Where tracks come from.
        out: Folder of the data set.
        config: What to keep and how to cut it; None: the defaults.
        workers: Decoding threads; None: one per core. The result does not depend on it.
        scheduler: Address of a dask scheduler to extract on, such as "tcp://host:8786"; None: here.
        progress: Called as progress(0, note="read …") while the corpus is read, then as progress(n_tracks, total=n)
            while features are extracted.

    Raises:
        CorpusError: The corpus is not laid out as it should be.
        DatasetError: Nothing to learn from, or `out` holds something else.
        StorageError: `out` cannot be written.
    """
    config = config or BuildConfig(task=corpus.tasks[0])
    if corpus.columns:
        config = replace(config, front_end=TableConfig(columns=corpus.columns))
    out = Path(out)
    selection = select_tracks(corpus, config=config, progress=progress)
    tracks, left_out, official = _assign_splits(selection, config)
    _require_splits(
        {track.split for track in tracks} | ({*SPLITS} if config.group == "segment" else set()),
        config,
        official=official,
    )
    plan = fingerprint(to_dict(config), corpus.name, [(track.track_id, track.path, track.split) for track in tracks])
    features_name = fingerprint(to_dict(config.front_end))[:16]
    if _is_complete(out, plan):
        return Dataset.open(out)

    folder = out / "features" / features_name
    failed: list[Skipped] = []
    if isinstance(config.front_end, TableConfig):
        segments = _store_table(tracks, corpus.columns, folder)
    else:
        run = _runner(corpus, config, workers=workers, scheduler=scheduler)
        segments, failed = _store_sound(tracks, folder, config, plan=plan, run=run, progress=progress)
    segments = _finish_segments(segments, config)
    _require_splits({segment.split for segment in segments}, config, official=official)
    kept = {segment.track.track_id for segment in segments}
    tracks = [track for track in tracks if track.track_id in kept]
    labels = _surviving_labels(tracks, selection.labels, config)
    if config.group == "segment":
        tracks = [replace(track, split="mixed") for track in tracks]

    skipped = sorted([*selection.skipped, *left_out, *failed], key=lambda item: (item.track_id, item.path))
    train = [index for index, segment in enumerate(segments) if segment.split == "train"]
    mean, std = normalization(np.load(folder / "features.npy", mmap_mode="r"), np.array(train, np.int64))
    _write_csv(folder / "segments.csv", SEGMENT_COLUMNS, map(_segment_row, segments))
    _write_csv(out / "tracks.csv", TRACK_COLUMNS, map(_track_row, tracks))
    _write_csv(out / "skipped.csv", ["track_id", "path", "reason"], ((s.track_id, s.path, s.reason) for s in skipped))
    counts = _counts(labels, segments, config)
    summary = _summary(corpus, selection, skipped, counts, config)
    claim = claim_of(
        ((track.track_id, track.artist_id, track.artist) for track in tracks),
        {(segment.track.track_id, segment.split) for segment in segments},
        wanted=config.group,
    )
    if claim.leaky:
        summary["warnings"].append(f"the splits leak: {claim.leak}")
    if config.group == "artist" and (alone := sum(not (track.artist_id or track.artist) for track in tracks)):
        summary["warnings"].append(f"{alone} tracks have no artist: each counts as an artist of its own")
    write_json(out / "summary.json", summary, format="geoclass/summary")
    document = {
        "geoclass": __version__,
        "corpus": {"name": corpus.name, "description": corpus.description},
        "task": config.task,
        "labels": {task: list(names) for task, names in labels.items()},
        "build": to_dict(config),
        "split": {
            "group": config.group,
            "protocol": claim.protocol,
            "source": "official" if official else f"seed {config.seed or 0}",
        },
        "counts": counts,
        "features": features_name,
        "normalization": {
            name: [round(float(x), 6) for x in values] for name, values in (("mean", mean), ("std", std))
        },
        "plan": plan,
        "fingerprint": dataset_fingerprint(out, to_dict(config)),
        "audio_root": None if corpus.audio_root is None else str(corpus.audio_root),
    }
    write_json(out / "dataset.json", document, format=FORMAT)
    (folder / "progress.jsonl").unlink(missing_ok=True)
    (folder / "plan.json").unlink(missing_ok=True)
    return Dataset.open(out)


# ---- who goes where -------------------------------------------------------------------------------------------


def _assign_splits(selection: Selection, config: BuildConfig) -> tuple[list[Track], list[Skipped], bool]:
    """Tracks with their split, those that balancing leaves out, and whether the split is the corpus' own."""
    tracks, task, seed = selection.tracks, config.tasks[0], config.seed or 0
    official = config.group == "artist" and config.seed is None and {track.split for track in tracks} >= set(SPLITS)
    left_out = []
    if official:  # such as the clips that the fault-filtered split of GTZAN leaves out
        left_out = [_skipped(track, "left out by the official split") for track in tracks if not track.split]
        tracks = [track for track in tracks if track.split]
    if config.group == "segment":
        tracks = [replace(track, split="train") for track in tracks]  # segments are dealt out later
    elif not official:
        groups = [track.track_id for track in tracks]
        if config.group == "artist":
            groups = merge_groups([artist_keys(track.track_id, track.artist_id, track.artist) for track in tracks])
        splits = split_groups(
            groups,
            [_main_label(track, task, config) for track in tracks],
            valid_fraction=config.valid_fraction,
            test_fraction=config.test_fraction,
            seed=seed,
        )
        tracks = [replace(track, split=split) for track, split in zip(tracks, splits, strict=True)]
    if config.balance != "downsample":
        return tracks, left_out, official
    gone = surplus(
        [track.track_id for track in tracks],
        [_main_label(track, task, config) for track in tracks],
        [track.split for track in tracks],
        seed=seed,
    )
    left_out += [
        _skipped(track, "balance: its label has enough tracks") for index, track in enumerate(tracks) if index in gone
    ]
    return [track for index, track in enumerate(tracks) if index not in gone], left_out, official


def _skipped(track: Track, reason: str) -> Skipped:
    return Skipped(track_id=track.track_id, path=track.path, reason=reason)


def _require_splits(present: set[str], config: BuildConfig, *, official: bool) -> None:
    """Refuse what could not be trained, calibrated or scored."""
    empty = [split for split in SPLITS if split not in present]
    if not empty:
        return
    if official:
        hint = "--seed 0 draws a split instead of using the official one"
    elif config.group == "artist":
        hint = "add recordings of more artists (three per label are enough), or split by --group track"
    else:
        hint = "add recordings, or raise --set valid_fraction=… and test_fraction=…"
    raise DatasetError(f"no tracks are left for the {' and the '.join(empty)} split", hint=hint)


def _main_label(track: Track, task: str, config: BuildConfig) -> str:
    return labels_of(track, task, multi_label=config.multi_label)[0]


def _finish_segments(segments: list[Segment], config: BuildConfig) -> list[Segment]:
    """Deal segments out to splits where whole tracks were not, and balance them."""
    task, seed = config.tasks[0], config.seed or 0
    names = [f"{segment.track.track_id}@{segment.start_s}{segment.shift:+g}" for segment in segments]
    labels = [_main_label(segment.track, task, config) for segment in segments]
    if config.group == "segment":
        fractions = {"valid_fraction": config.valid_fraction, "test_fraction": config.test_fraction}
        splits = split_segments(names, labels, seed=seed, **fractions)
        segments = [replace(segment, split=split) for segment, split in zip(segments, splits, strict=True)]
    if config.balance == "segments":
        gone = surplus(names, labels, [segment.split for segment in segments], seed=seed)
        segments = [
            replace(segment, split="unused") if index in gone else segment for index, segment in enumerate(segments)
        ]
    return segments


def _surviving_labels(
    tracks: Iterable[Track], labels: dict[str, tuple[str, ...]], config: BuildConfig
) -> dict[str, tuple[str, ...]]:
    alive: dict[str, set[str]] = {task: set() for task in labels}
    for track in tracks:
        for task in labels:
            alive[task].update(labels_of(track, task, multi_label=config.multi_label))
    surviving = {task: tuple(name for name in names if name in alive[task]) for task, names in labels.items()}
    for task, names in surviving.items():
        if len(names) < 2:
            raise DatasetError(
                f"{len(names)} {task} label(s) left after decoding: nothing to tell apart",
                hint="is the audio complete? skipped tracks and reasons stand in the summary",
            )
    return surviving


# ---- features -------------------------------------------------------------------------------------------------


def _runner(
    corpus: Corpus, config: BuildConfig, *, workers: int | None, scheduler: str | None
) -> Callable[[Iterable[Job]], Iterator[Extracted]]:
    if corpus.audio_root is None:
        raise DatasetError(f"the {corpus.name} corpus has neither sound nor a table of features")
    work = partial(extract, audio_root=corpus.audio_root, config=config)
    if scheduler is None:
        return partial(_run_on_threads, work, workers=workers)
    check = partial(_check_audio_root, corpus.audio_root)
    return lambda jobs: cluster_map(partial(_alone, work), jobs, scheduler=scheduler, check=check)


def _alone(work: Callable[[Job], Extracted], job: Job) -> Extracted:
    """One track on a cluster's worker."""
    return on_one_thread(work)(job)


def _check_audio_root(folder: Path) -> None:
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}")


def _run_on_threads(
    work: Callable[[Job], Extracted], jobs: Iterable[Job], *, workers: int | None
) -> Iterator[Extracted]:
    return ordered_map(on_one_thread(work), jobs, workers=workers, patience_s=PATIENCE_S)


def _store_sound(
    tracks: Sequence[Track],
    folder: Path,
    config: BuildConfig,
    *,
    plan: str,
    run: Callable[[Iterable[Job]], Iterator[Extracted]],
    progress: Progress | None,
) -> tuple[list[Segment], list[Skipped]]:
    from geoclass.features.registry import create_front_end

    if (folder / "plan.json").exists():
        if read_json(folder / "plan.json", format="geoclass/plan")["plan"] != plan:
            raise _occupied(folder.parent.parent, "an unfinished data set made with other settings")
    else:
        write_json(folder / "plan.json", {"plan": plan}, format="geoclass/plan")
    front_end = create_front_end(config.front_end)
    row_shape = front_end.feature_shape(round(config.segment_seconds * front_end.sample_rate))
    both = (0.0, config.pitch_shift, -config.pitch_shift)
    jobs = [
        Job(track.track_id, track.path, both if config.pitch_shift and track.split == "train" else (0.0,))
        for track in tracks
    ]
    done = extract_all(jobs, writer=FeatureWriter(folder, row_shape=row_shape), run=run, progress=progress)
    segments, failed = [], []
    for track, line in zip(tracks, done, strict=True):
        if line["error"]:
            failed.append(Skipped(track_id=track.track_id, path=track.path, reason=line["error"]))
        for start_s, shift in zip(line["starts_s"], line["shifts"], strict=True):
            segments.append(Segment(track, start_s, shift, track.split))
    return segments, failed


def _store_table(tracks: Sequence[Track], columns: Sequence[str], folder: Path) -> list[Segment]:
    rows = np.array([[(track.features or {})[name] for name in columns] for track in tracks], np.float32)
    with atomic_path(folder / "features.npy") as temporary, open(temporary, "wb") as file:
        np.save(file, rows)
    return [Segment(track, 0.0, 0.0, track.split) for track in tracks]


# ---- what is written ------------------------------------------------------------------------------------------


def _is_complete(out: Path, plan: str) -> bool:
    if not (out / "dataset.json").exists():
        if out.exists() and not out.is_dir():
            raise DatasetError(f"{out} is a file, not a folder", hint="name a folder for the data set")
        return False
    if read_json(out / "dataset.json", format=FORMAT).get("plan") == plan:
        return True
    raise _occupied(out, "another data set")


def _occupied(out: Path, what: str) -> DatasetError:
    return DatasetError(f"{out} already holds {what}", hint="name another folder, or remove this one")


def _counts(labels: dict[str, tuple[str, ...]], segments: Sequence[Segment], config: BuildConfig) -> dict[str, Any]:
    """Tracks and segments by task, label and split."""
    counts: dict[str, Any] = {
        "tracks": len({segment.track.track_id for segment in segments}),
        "segments": len(segments),
    }
    for task, names in labels.items():
        pairs = [
            (label, segment.split, segment.track.track_id)
            for segment in segments
            for label in labels_of(segment.track, task, multi_label=config.multi_label)
        ]
        n_segments = Counter((label, split) for label, split, _ in pairs)
        n_tracks = Counter((label, split) for label, split, _ in set(pairs))
        counts[task] = {
            label: {split: {"tracks": n_tracks[label, split], "segments": n_segments[label, split]} for split in SPLITS}
            for label in names
        }
    return counts


def _summary(
    corpus: Corpus, selection: Selection, skipped: Sequence[Skipped], counts: dict[str, Any], config: BuildConfig
) -> dict[str, Any]:
    reasons = Counter(reason_kind(item.reason) for item in skipped)
    task = config.tasks[0]
    cells = [(label, split) for label, of in counts[task].items() for split in SPLITS if of[split]["tracks"]]
    warnings = [
        f"the {split} split has no {task} {', '.join(gone)}"
        for split, gone in empty_cells([label for label, _ in cells], [split for _, split in cells]).items()
    ]
    return {
        "corpus": corpus.name,
        "read": selection.n_read,
        "labelled": selection.n_labelled,
        "kept": counts,
        "skipped": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "artists_without_place": selection.artists_without_place,
        "warnings": [*warnings, *corpus.notes],
    }


def _track_row(track: Track) -> list[Any]:
    return [
        "|".join(track.genres) if name == "genres" else "" if (value := getattr(track, name)) is None else value
        for name in TRACK_COLUMNS
    ]


def _segment_row(segment: Segment) -> list[Any]:
    return [segment.track.track_id, segment.start_s, segment.shift, segment.split]


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
