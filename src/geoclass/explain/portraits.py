"""What a model listens for, class by class: mean contributions over the most typical segments of each."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoclass.bundle.bundle import Bundle
from geoclass.dataset.dataset import Dataset, Split
from geoclass.errors import EvaluationError
from geoclass.evaluation.predict import SplitPredictions, predict_split
from geoclass.explain.attribution import integrated_gradients, permutation_importance, shapley_values
from geoclass.explain.score import columns_of, label_score
from geoclass.progress import Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassPortraits:
    """What a model listens for, class by class, on a split."""

    task: str
    model: str
    labels: tuple[str, ...]  # that have a portrait
    maps: NDArray[np.float64]  # (n_labels, n_bands, n_frames), or (n_labels, n_columns): mean contributions
    typical: pd.DataFrame  # label, rank, track_id, path, start_s, probability: the surest right segments
    examples: NDArray[np.float32]  # (n_labels, …) features of the most typical segment of each
    importance: NDArray[np.float64] | None  # (n_columns,) of a row model: accuracy lost when the column is shuffled
    columns: tuple[str, ...]


def portray(
    bundle: Bundle,
    dataset: Dataset,
    *,
    task: str | None = None,
    split: str = "test",
    per_class: int = 6,
    progress: Progress | None = None,
) -> ClassPortraits:
    """Average what decides over the most typical segments of each class.

    Typical are the segments that are classified correctly with the highest confidence, at most one per track. Classes
    without one have no portrait.

    Raises:
        EvaluationError: The two do not fit together (see `predict_split`), or no segment is classified correctly.
    """
    import torch

    found = predict_split(bundle, dataset, split=split, progress=progress)
    chosen_task = task or next(iter(found))
    if chosen_task not in found:
        raise EvaluationError(f"model and data set do not share the task {chosen_task}")
    given, part = found[chosen_task], dataset.split(split)
    head = bundle.head(chosen_task)
    typical = _typical(given, part, dataset, per_class)
    if not len(typical):
        raise EvaluationError(
            f"no segment of the {split} split is classified correctly: there is nothing typical to show"
        )
    labels = tuple(dict.fromkeys(typical["label"]))
    maps, examples = [], []
    for label in labels:
        ids = typical.loc[typical["label"] == label, "segment_id"].to_numpy(np.int64)
        features = torch.from_numpy(np.asarray(dataset.features[ids])).to(bundle.device, torch.float32)
        x = bundle.normalize(features)
        score = label_score(bundle, head, head.labels.index(label))
        attribute = shapley_values if x.ndim == 2 else integrated_gradients
        maps.append(attribute(score, x).mean(axis=0))
        examples.append(features[0].cpu().numpy())
    has_columns = examples[0].ndim == 1
    importance = _importance(bundle, dataset, chosen_task) if has_columns and head.kind == "single" else None
    return ClassPortraits(
        task=chosen_task,
        model=bundle.identity,
        labels=labels,
        maps=np.stack(maps),
        typical=typical.drop(columns="segment_id"),
        examples=np.stack(examples),
        importance=importance,
        columns=columns_of(bundle) if has_columns else (),
    )


def _typical(given: SplitPredictions, part: Split, dataset: Dataset, per_class: int) -> pd.DataFrame:
    predictions = given.predictions
    assert predictions.segment_probabilities is not None
    assert predictions.segment_track is not None
    ids = part.segment_ids[np.isin(part.tracks["track_id"].to_numpy()[part.track_of_segment], predictions.track_ids)]
    starts_s = dataset.segments["start_s"].to_numpy()[ids]
    best = predictions.segment_probabilities.argmax(axis=1)
    right = predictions.targets[predictions.segment_track, best]
    sure = predictions.segment_probabilities.max(axis=1)
    rows = []
    for index, label in enumerate(predictions.labels):
        of_label = np.flatnonzero(right & (best == index))
        met: set[int] = set()
        for segment in of_label[np.argsort(-sure[of_label], kind="stable")]:
            track = int(predictions.segment_track[segment])
            if track in met or len(met) == per_class:
                continue
            met.add(track)
            rows.append({
                "label": label, "rank": len(met), "track_id": predictions.track_ids[track],
                "path": given.tracks["path"][track], "start_s": float(starts_s[segment]),
                "probability": float(sure[segment]), "segment_id": int(ids[segment]),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _importance(bundle: Bundle, dataset: Dataset, task: str, *, split: str = "test") -> NDArray[np.float64]:
    import torch

    part = dataset.split(split)
    rows = np.asarray(dataset.features[part.segment_ids], np.float32)
    truth = np.array(dataset.labels[task], object)[part.targets(task)][part.track_of_segment]
    labels = np.array(bundle.head(task).labels, object)

    def accuracy(features: NDArray[np.float32]) -> float:
        predicted = bundle.logits(torch.from_numpy(features))[task].argmax(dim=1).cpu().numpy()
        return float((labels[predicted] == truth).mean())

    return permutation_importance(accuracy, rows)
