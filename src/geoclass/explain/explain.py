"""Why a model answers as it does: which seconds, bands or numbers decided; for a class, what is typical."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoclass.audio.decode import load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.bundle.bundle import Bundle, Head
from geoclass.dataset.dataset import Dataset
from geoclass.errors import EvaluationError
from geoclass.evaluation.predict import SplitPredictions, predict_split
from geoclass.explain.attribution import Score, integrated_gradients, permutation_importance, shapley_values
from geoclass.inference.prediction import FieldPrediction
from geoclass.progress import Progress
from geoclass.storage import atomic_path

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """One answer about one file, and where it comes from."""

    path: Path
    model: str
    prediction: FieldPrediction
    label: str  # that is explained: the best one
    waveform: NDArray[np.float32]  # (n_samples,) the excerpt that was heard
    sample_rate: int  # Hz
    segment_seconds: float
    starts_s: tuple[float, ...]  # of the segments, in the excerpt
    features: NDArray[np.float32]  # (n_segments, n_bands, n_frames), or (n_segments, n_columns)
    contributions: NDArray[np.float64]  # the same shape: what each place adds to the label's score
    attention: NDArray[np.float64] | None  # (n_segments, n_frames) the network's own, where it has one
    support: NDArray[np.float64]  # (n_segments,) probability of the label by each segment alone
    columns: tuple[str, ...]  # of a row model; () when there are bands and frames

    def top_segment(self) -> int:
        """The segment that speaks most for the label."""
        return int(self.support.argmax())

    def strongest_columns(self, n: int = 20) -> list[tuple[str, float]]:
        """Of a row model: the columns that add or take most, over all segments, strongest first."""
        mean = self.contributions.mean(axis=0)
        order = np.argsort(-np.abs(mean), kind="stable")[:n]
        return [(self.columns[index], float(mean[index])) for index in order]


def explain(
    bundle: Bundle,
    path: str | Path,
    *,
    task: str | None = None,
    label: str | None = None,
    excerpt_seconds: float = 30.0,
) -> Explanation:
    """Explain the best answer of a model about a file.

    Args:
        bundle: The model.
        path: A sound file.
        task: Of a model with several; None: its first.
        label: To be explained instead of the best one.
        excerpt_seconds: How much of the middle of the file is heard, as in tagging.

    Raises:
        AudioError: The file cannot be decoded, or is too short.
        ModelError: The model reads a table, not sound.
        EvaluationError: The label is not one of the model's.
    """
    import torch

    head = bundle.head(task or bundle.tasks[0])
    rate = bundle.front_end.sample_rate
    waveform = load_excerpt(path, sample_rate=rate, duration_s=excerpt_seconds)
    segments, starts_s = cut_segments(waveform, sample_rate=rate, seconds=bundle.segment_seconds)
    with torch.inference_mode():
        features = bundle.front_end(torch.from_numpy(np.array(segments)).to(bundle.device))
        logits = bundle.logits(features)[head.task].double().cpu().numpy()
    probabilities = head.probabilities(logits.mean(axis=0, keepdims=True))[0]
    if label is not None and label not in head.labels:
        raise EvaluationError(f"model {bundle.name} does not know {label!r}", hint=f"it knows {', '.join(head.labels)}")
    chosen = head.labels.index(label) if label is not None else int(probabilities.argmax())
    score = _score(bundle, head, chosen)
    x = bundle.normalize(features.clone())
    if x.ndim == 2:
        contributions, attention = shapley_values(score, x), None
    else:
        contributions = integrated_gradients(score, x)
        with torch.inference_mode():
            weights = bundle.model.attention_map(x)
        attention = None if weights is None else weights.double().cpu().numpy()
    return Explanation(
        path=Path(path),
        model=bundle.identity,
        prediction=FieldPrediction(
            task=head.task, kind=head.kind, labels=head.labels, probabilities=probabilities, threshold=head.threshold
        ),
        label=head.labels[chosen],
        waveform=waveform,
        sample_rate=rate,
        segment_seconds=bundle.segment_seconds,
        starts_s=tuple(starts_s),
        features=features.float().cpu().numpy(),
        contributions=contributions,
        attention=attention,
        support=head.probabilities(logits)[:, chosen].astype(np.float64),
        columns=columns_of(bundle) if x.ndim == 2 else (),
    )


def write_segment(explanation: Explanation, path: str | Path, *, index: int | None = None) -> Path:
    """Write one segment's sound as a 16-bit WAV; None: the one that speaks most for the label."""
    import soundfile

    chosen = explanation.top_segment() if index is None else index
    start = round(explanation.starts_s[chosen] * explanation.sample_rate)
    length = round(explanation.segment_seconds * explanation.sample_rate)
    with atomic_path(Path(path)) as temporary:
        soundfile.write(temporary, explanation.waveform[start : start + length], explanation.sample_rate, format="WAV")
    return Path(path)


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

    Typical are the segments whose own answer is right and surest, at most one a track. Classes without one have no
    portrait.

    Raises:
        EvaluationError: The two do not fit together (see `predict_split`), or no segment is answered right.
    """
    import torch

    answers = predict_split(bundle, dataset, split=split, progress=progress)
    chosen_task = task or next(iter(answers))
    if chosen_task not in answers:
        raise EvaluationError(f"model and data set do not share the task {chosen_task}")
    given, part = answers[chosen_task], dataset.split(split)
    head = bundle.head(chosen_task)
    typical = _typical(given, part, dataset, per_class)
    if not len(typical):
        raise EvaluationError(f"no segment of the {split} split is answered right: there is nothing typical to show")
    labels = tuple(dict.fromkeys(typical["label"]))
    maps, examples = [], []
    for label in labels:
        ids = typical.loc[typical["label"] == label, "segment_id"].to_numpy(np.int64)
        features = torch.from_numpy(np.asarray(dataset.features[ids])).to(bundle.device, torch.float32)
        x = bundle.normalize(features)
        score = _score(bundle, head, head.labels.index(label))
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


def columns_of(bundle: Bundle) -> tuple[str, ...]:
    """Names of the numbers that a row model reads."""
    return tuple(getattr(bundle.front_end_config, "columns", ()))


def _typical(given: SplitPredictions, part: Any, dataset: Dataset, per_class: int) -> pd.DataFrame:
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
        answers = bundle.logits(torch.from_numpy(features))[task].argmax(dim=1).cpu().numpy()
        return float((labels[answers] == truth).mean())

    return permutation_importance(accuracy, rows)


def _score(bundle: Bundle, head: Head, index: int) -> Score:
    """What speaks for a label: its logit; where one label excludes the others, minus the mean of theirs.

    Softmax does not change when all logits rise together, so a logit alone says nothing there.
    """

    def score(x: "Tensor") -> "Tensor":
        logits = bundle.split_logits(bundle.model(x))[head.task]
        own = logits[:, index]
        if head.kind == "multi" or len(head.labels) == 1:
            return own
        return own - (logits.sum(dim=1) - own) / (len(head.labels) - 1)

    return score
