"""Predicting a split: which labels of model and data set correspond, and what the model says of every track."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.frontends import FOUND_BY
from geoclass.config.toml import override, to_dict
from geoclass.dataset.dataset import Dataset, Split
from geoclass.dataset.loading import SegmentLoader
from geoclass.errors import EvaluationError
from geoclass.metrics.predictions import TaskPredictions, mean_by_track
from geoclass.progress import Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitPredictions:
    """What a model says of a split for one task, and what had to be left out."""

    predictions: TaskPredictions
    tracks: pd.DataFrame  # (n_tracks, …) rows of tracks.csv, in the order of `predictions`
    uncalibrated: NDArray[np.float32] | None  # (n_tracks, n_labels) probabilities at temperature 1, where known
    embeddings: NDArray[np.float32] | None  # (n_tracks, embedding_dim), mean over the track's segments, where known
    omitted: dict[str, Any]  # counts and labels that the score does not cover


@dataclass(frozen=True)
class _Outputs:
    """The outputs of the network, for all tasks."""

    logits: dict[str, NDArray[np.float32]]  # task -> (n_segments, n_labels)
    embeddings: NDArray[np.float32]  # (n_segments, embedding_dim)


def predict_split(
    bundle: Bundle, dataset: Dataset, *, split: str = "test", batch_size: int = 256, progress: Progress | None = None
) -> dict[str, SplitPredictions]:
    """Run a model over the stored features of a split.

    Args:
        bundle: The model; it runs on its own device.
        dataset: Where the split is from; it must have been built with the model's front end.
        split: "train", "valid" or "test".
        batch_size: Segments that go through the model together.
        progress: Called with the number of segments done, and once with total=.

    Returns:
        Predictions for each task that both have.

    Raises:
        EvaluationError: The two do not fit together, nothing or only one label is left to score, or the model's
            outputs are not finite.
        DatasetError: There is no such split.
    """
    tasks = [task for task in bundle.tasks if task in dataset.tasks]
    if not tasks:
        raise EvaluationError(
            f"model {bundle.name} predicts {' and '.join(bundle.tasks)}; {dataset.folder} is labelled with "
            f"{' and '.join(dataset.tasks)}",
            hint="choose another model, or build the data set with --task " + ",".join(bundle.tasks),
        )
    _check_front_end(bundle, dataset)
    part = dataset.split(split)
    plans = {task: _plan(bundle.head(task), dataset, part, task) for task in tasks}
    outputs = _run(bundle, dataset, part, batch_size=batch_size, progress=progress)
    return {task: _of_task(bundle.head(task), part, outputs, plan) for task, plan in plans.items()}


@dataclass(frozen=True)
class _Plan:
    """How the labels of a split become those of a head."""

    kept: NDArray[np.int64]  # tracks to score
    truth: NDArray[np.int64]  # (n_kept,) or (n_kept, n_columns)
    columns: NDArray[np.int64]  # of the head's labels, those that are scored
    omitted: dict[str, Any]


def _plan(head: Head, dataset: Dataset, part: Split, task: str) -> _Plan:
    kind = dataset.kind(task)
    if kind != head.kind:
        says = {"single": "one label per track", "multi": "a set of labels per track"}
        raise EvaluationError(
            f"{task}: the model predicts {says[head.kind]}, {dataset.folder} holds {says[kind]}",
            hint="build the data set with" + ("" if head.kind == "multi" else "out") + " --multi-label",
        )
    labels, targets = dataset.labels[task], part.targets(task)
    place = {label: index for index, label in enumerate(head.labels)}
    unknown = [label for label in labels if label not in place]
    if len(unknown) == len(labels):
        raise EvaluationError(
            f"{task}: the model knows none of the data set's labels ({', '.join(labels[:5])}, …); its own are "
            f"{', '.join(head.labels[:5])}, …"
        )
    new_place = np.array([place.get(label, -1) for label in labels])
    if kind == "multi":
        # A label that the data set never uses may apply to its tracks all the same: it cannot be scored.
        shared = new_place >= 0
        columns, hot = new_place[shared], targets[:, shared].astype(np.int64)
        kept = np.flatnonzero((hot.sum(axis=1) > 0) | (targets.sum(axis=1) == 0))
        truth = hot[kept]
        present = int((truth.sum(axis=0) > 0).sum())
    else:
        columns = np.arange(len(head.labels))
        moved = new_place[targets]
        kept = np.flatnonzero(moved >= 0)
        truth = moved[kept]
        present = len(np.unique(truth))
    if not len(kept):
        raise EvaluationError(f"{task}: no track of the {part.name} split has a label that the model knows")
    if present < 2:
        raise EvaluationError(
            f"{task}: the {part.name} split holds a single label: there is nothing to classify",
            hint="choose another split, or build the data set with more labels or a larger --test-fraction",
        )
    return _Plan(kept, truth, columns, {
        "tracks": len(part.tracks) - len(kept),
        "labels_unknown_to_the_model": unknown,
        "labels_never_in_the_data": [label for label in head.labels if label not in labels],
    })  # fmt: skip


def _check_front_end(bundle: Bundle, dataset: Dataset) -> None:
    own, other = to_dict(bundle.front_end_config), to_dict(dataset.front_end)
    if own["kind"] != other["kind"]:
        told = {"table": "a table of published numbers"}
        heard, held = (told.get(kind, f"{kind} features, computed from sound") for kind in (own["kind"], other["kind"]))
        raise EvaluationError(
            f"model {bundle.name} reads {heard}; {dataset.folder} holds {held}",
            hint=_same_features(own, bundle.segment_seconds) if own["kind"] != "table" else "choose another model",
        )
    if own["kind"] != "table":
        own["segment_seconds"], other["segment_seconds"] = bundle.segment_seconds, dataset.config.segment_seconds
    compared = (own.keys() | other.keys()) - (FOUND_BY if own["kind"] == "embedding" else frozenset())
    differing = [key for key in compared if own.get(key) != other.get(key)]
    if differing:
        listed = ", ".join(f"{key} {own.get(key)} / {other.get(key)}" for key in sorted(differing))
        raise EvaluationError(
            f"model {bundle.name} and {dataset.folder} use different features (model / data set: {listed[:300]})",
            hint=_same_features(to_dict(bundle.front_end_config), bundle.segment_seconds),
        )


def _same_features(front_end: Mapping[str, Any], segment_seconds: float) -> str:
    """The options of `build-dataset` for features that the model can read."""
    options = [f"--set {shlex.quote(override(f'front_end.{key}', value))}" for key, value in front_end.items()]
    return f"build the data set from sound with: --segment-seconds {segment_seconds:g} {' '.join(options)}"


def _run(bundle: Bundle, dataset: Dataset, part: Split, *, batch_size: int, progress: Progress | None) -> _Outputs:
    import torch

    loader = SegmentLoader(dataset, part, batch_size=batch_size, device=bundle.device)
    if progress is not None:
        progress(0, total=len(part.segment_ids))
    logits, embeddings = [], []
    for batch in loader.epoch():  # in the order of the segments: no seed was given
        of_batch, embedding = bundle.outputs(batch.x)
        logits.append(of_batch.cpu())
        embeddings.append(embedding.cpu())
        if progress is not None:
            progress(len(batch.tracks))
    by_task = bundle.split_logits(torch.cat(logits))
    return _Outputs({task: values.numpy() for task, values in by_task.items()}, torch.cat(embeddings).numpy())


def _of_task(head: Head, part: Split, outputs: _Outputs, plan: _Plan) -> SplitPredictions:
    segment_logits = outputs.logits[head.task]
    logits = mean_by_track(segment_logits, part.track_of_segment)[plan.kept]
    embeddings = mean_by_track(outputs.embeddings, part.track_of_segment)[plan.kept]
    new_row = np.full(len(part.tracks), -1)
    new_row[plan.kept] = np.arange(len(plan.kept))
    segment_track = new_row[part.track_of_segment]
    is_scored = segment_track >= 0
    segment_track = segment_track[is_scored]
    uncalibrated = Head(task=head.task, kind=head.kind, labels=head.labels)
    tracks = part.tracks.iloc[plan.kept].reset_index(drop=True)
    return SplitPredictions(
        predictions=TaskPredictions(
            task=head.task,
            kind=head.kind,
            labels=tuple(head.labels[column] for column in plan.columns),
            track_ids=tuple(tracks["track_id"]),
            artist_ids=tuple(tracks["artist_id"]),
            truth=plan.truth,
            probabilities=head.probabilities(logits)[:, plan.columns],
            segment_truth=plan.truth[segment_track],
            segment_probabilities=head.probabilities(segment_logits[is_scored])[:, plan.columns],
            segment_track=segment_track,
            threshold=head.threshold,
        ),
        tracks=tracks,
        uncalibrated=uncalibrated.probabilities(logits)[:, plan.columns],
        embeddings=embeddings.astype(np.float32),
        omitted=plan.omitted,
    )
