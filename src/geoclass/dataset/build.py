"""From a corpus to a data set: select, place, extract, normalize, write. The manifest comes last."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from geoclass import __version__
from geoclass.config.frontends import TableConfig
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import to_dict
from geoclass.corpora.base import Corpus, Skipped, Track
from geoclass.dataset.dataset import FORMAT, SEGMENT_COLUMNS, TRACK_COLUMNS, Dataset, dataset_fingerprint
from geoclass.dataset.extract import create_runner, front_end_of
from geoclass.dataset.normalization import normalization
from geoclass.dataset.placement import Placement, Segment, place_segments, place_tracks
from geoclass.dataset.protocol import claim_of
from geoclass.dataset.select import Selection, select_tracks
from geoclass.dataset.store import FeatureWriter, store_sound, store_table
from geoclass.dataset.summary import count, summarize, surviving_labels, warnings_of
from geoclass.errors import DatasetError
from geoclass.progress import Progress
from geoclass.storage import fingerprint, read_json, write_json, write_text

_PLAN_FORMAT = "geoclass/plan"
_SEVERAL = "mixed"  # the split of a track whose segments are in several


def build_dataset(
    corpus: Corpus,
    *,
    out: str | Path,
    config: BuildConfig | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Build a data set from a corpus, or continue one that was interrupted.

    Args:
        corpus: Where tracks come from.
        out: Folder of the data set.
        config: What to keep and how to cut it; None: the defaults, for the first task of the corpus.
        workers: Decoding threads; None: one per core. The result does not depend on it.
        scheduler: Address of a dask scheduler to extract on, such as "tcp://host:8786"; None: here.
        progress: Called as progress(0, note="read …") while the corpus is read, then as progress(n_tracks, total=n)
            while features are extracted.

    Raises:
        CorpusError: The corpus is not laid out as it should be.
        DatasetError: Fewer than two labels, a split without tracks, or `out` holds something else.
        StorageError: `out` cannot be written.
    """
    out = Path(out)
    config = config or BuildConfig(task=corpus.tasks[0])
    if corpus.columns:
        config = replace(config, front_end=TableConfig(columns=corpus.columns))
    elif config.front_end.kind == "embedding":
        from geoclass.features.registry import resolve_front_end

        config = replace(config, front_end=resolve_front_end(config.front_end))
    selection = select_tracks(corpus, config=config, progress=progress)
    placement = place_tracks(selection.tracks, config)
    plan = _plan(corpus, placement, config)
    if _is_complete(out, plan):
        return Dataset.open(out)
    folder = out / "features" / fingerprint(to_dict(config.front_end))[:16]
    segments, failed = _store_features(
        corpus, placement, folder, config, plan=plan, workers=workers, scheduler=scheduler, progress=progress
    )
    segments = place_segments(segments, config, source=placement.source)
    selection.skipped.extend([*placement.left_out, *failed])
    _write(corpus, selection, placement, segments, folder, config, plan=plan)
    for name in ("progress.jsonl", "plan.json"):
        (folder / name).unlink(missing_ok=True)
    return Dataset.open(out)


def _plan(corpus: Corpus, placement: Placement, config: BuildConfig) -> str:
    """What identifies a build: settings, corpus, tracks and their splits."""
    tracks = [(track.track_id, track.path, track.split or "train") for track in placement.tracks]
    return fingerprint(to_dict(config), corpus.name, tracks)


def _is_complete(out: Path, plan: str) -> bool:
    if not (out / "dataset.json").exists():
        if out.exists() and not out.is_dir():
            raise DatasetError(f"{out} is a file, not a folder", hint="name a folder for the data set")
        return False
    if read_json(out / "dataset.json", format=FORMAT).get("plan") == plan:
        return True
    raise _occupied(out, "another data set")


def _occupied(out: Path, what: str) -> DatasetError:
    return DatasetError(
        f"{out} already holds {what}", hint="name another folder, as in `geoclass build-dataset FOLDER …`, or remove it"
    )


def _store_features(
    corpus: Corpus,
    placement: Placement,
    folder: Path,
    config: BuildConfig,
    *,
    plan: str,
    workers: int | None,
    scheduler: str | None,
    progress: Progress | None,
) -> tuple[list[Segment], list[Skipped]]:
    """Fill the feature store in `folder`; the segments in the order of its rows, and what could not be decoded."""
    if isinstance(config.front_end, TableConfig):
        return store_table(placement.tracks, corpus.columns, folder), []
    if corpus.audio_root is None:
        raise DatasetError(f"the {corpus.name} corpus has neither audio nor a table of features")
    if not (folder / "plan.json").exists():
        write_json(folder / "plan.json", {"plan": plan}, format=_PLAN_FORMAT)
    elif read_json(folder / "plan.json", format=_PLAN_FORMAT)["plan"] != plan:
        raise _occupied(folder.parent.parent, "an unfinished data set made with other settings")
    front_end = front_end_of(config.front_end)
    row_shape = front_end.feature_shape(round(config.segment_seconds * front_end.sample_rate))
    return store_sound(
        placement.tracks,
        writer=FeatureWriter(folder, row_shape=row_shape),
        run=create_runner(corpus.audio_root, config, workers=workers, scheduler=scheduler),
        pitch_shift=config.pitch_shift,
        progress=progress,
    )


def _write(
    corpus: Corpus,
    selection: Selection,
    placement: Placement,
    segments: Sequence[Segment],
    folder: Path,
    config: BuildConfig,
    *,
    plan: str,
) -> None:
    """Write everything beside the features; the manifest last."""
    out = folder.parent.parent
    kept = {segment.track.track_id for segment in segments}
    tracks = [track for track in placement.tracks if track.track_id in kept]
    labels = surviving_labels(tracks, selection.labels, config)
    skipped = sorted(selection.skipped, key=lambda item: (item.track_id, item.path))
    counts = count(labels, segments, config)
    claim = claim_of(
        ((track.track_id, track.artist_id, track.artist) for track in tracks),
        {(segment.track.track_id, segment.split) for segment in segments},
        wanted=config.group,
    )
    train = np.flatnonzero([segment.split == "train" for segment in segments])
    mean, std = normalization(np.load(folder / "features.npy", mmap_mode="r"), train)
    _write_csv(folder / "segments.csv", SEGMENT_COLUMNS, map(_segment_row, segments))
    _write_csv(out / "tracks.csv", TRACK_COLUMNS, map(_track_row, tracks))
    _write_csv(out / "skipped.csv", ["track_id", "path", "reason"], ((s.track_id, s.path, s.reason) for s in skipped))
    warnings = warnings_of(counts, tracks, claim=claim, config=config, source=placement.source)
    summary = summarize(corpus, selection, skipped=skipped, counts=counts, warnings=warnings)
    write_json(out / "summary.json", summary, format="geoclass/summary")
    document = {
        "geoclass": __version__,
        "corpus": {"name": corpus.name, "description": corpus.description},
        "task": config.task,
        "labels": {task: list(names) for task, names in labels.items()},
        "build": to_dict(config),
        "split": {"group": config.group, "protocol": claim.protocol, "source": placement.source},
        "counts": counts,
        "features": folder.name,
        "normalization": {
            name: [round(float(x), 6) for x in values] for name, values in (("mean", mean), ("std", std))
        },
        "plan": plan,
        "fingerprint": dataset_fingerprint(out, to_dict(config)),
        "audio_root": None if corpus.audio_root is None else str(corpus.audio_root),
    }
    write_json(out / "dataset.json", document, format=FORMAT)


def _track_row(track: Track) -> list[Any]:
    own = {"genres": "|".join(track.genres), "split": track.split or _SEVERAL}
    values = (own.get(name, getattr(track, name)) for name in TRACK_COLUMNS)
    return ["" if value is None else value for value in values]


def _segment_row(segment: Segment) -> list[Any]:
    return [segment.track.track_id, segment.start_s, segment.shift, segment.split]


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
