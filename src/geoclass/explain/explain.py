"""Why a model predicted what it did for a file: which seconds, bands or numbers decided."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geoclass.audio.decode import load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.bundle.bundle import Bundle
from geoclass.errors import EvaluationError
from geoclass.explain.attribution import integrated_gradients, shapley_values
from geoclass.explain.score import columns_of, label_score
from geoclass.inference.prediction import FieldPrediction
from geoclass.storage import atomic_path


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """One prediction for one file, and where it comes from."""

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
        """The segment that contributes most to the label."""
        return int(self.support.argmax())

    def strongest_columns(self, n: int = 20) -> list[tuple[str, float]]:
        """Of a row model: the columns that add or subtract most, over all segments, strongest first."""
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
    """Explain the best prediction of a model for a file.

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
    score = label_score(bundle, head, chosen)
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
