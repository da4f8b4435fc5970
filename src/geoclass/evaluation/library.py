"""How well a model agrees with the tags that people gave their files, and which confidence it should ask of itself."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoclass.bundle.calibration import choose_threshold, decisions
from geoclass.errors import EvaluationError, TaggingError
from geoclass.evaluation.predict import SplitPredictions
from geoclass.evaluation.report import Report, report_on
from geoclass.evaluation.witnesses import Statements, WitnessScore, score_witnesses
from geoclass.evidence.registry import Sources, ask
from geoclass.geo.countries import country_codes, find_country
from geoclass.inference.prediction import Failure, FieldPrediction, Prediction
from geoclass.metrics.predictions import TaskPredictions
from geoclass.progress import Progress
from geoclass.tagging.testimony import facts_of

if TYPE_CHECKING:
    from geoclass.inference.classifier import Classifier
    from geoclass.tagging.tags import Tags

TARGET_PRECISION = 0.9


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What tagging would have done to the files whose truth is known."""

    files: int  # with a value that the model could have predicted
    written: int  # labels at the model's own threshold
    agreeing: int  # of these, as the tags say
    min_confidence: float | None  # from which TARGET_PRECISION of what is written agrees; None: from none
    would_write: int  # labels from there on


@dataclass(frozen=True, kw_only=True)
class LibraryReport:
    """A model against a library's own tags."""

    report: Report
    advice: Mapping[str, Advice]  # by task
    witnesses: tuple[WitnessScore, ...]  # on the country: each alone, all but it, all
    failures: tuple[Failure, ...]
    left_out: Mapping[str, Mapping[str, int]]  # task -> reason -> files


@dataclass
class _Found:
    """Of one task, while the files go by."""

    predictions: list[FieldPrediction] = field(default_factory=list)
    truths: list[tuple[int, ...]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    artists: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)


def evaluate_library(
    classifier: "Classifier",
    paths: Iterable[Path],
    *,
    sources: Sources | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> LibraryReport:
    """Predict tagged files and compare with their tags.

    A country or genre that geoclass itself wrote does not count as truth; such files are left out and counted, as are
    silent files and those without the tag or with a value that the model does not know.

    Args:
        classifier: The models.
        paths: Sound files.
        sources: What the witnesses on the country may ask, such as a table of artists.
        bootstrap: Resamples of artists for the intervals.
        seed: Of the resampling.
        progress: Called after each file.

    Raises:
        EvaluationError: No file has a tag to compare with.
    """
    from geoclass.tagging.tags import read_tags

    found = {task: _Found() for task in classifier.tasks}
    statements: list[Statements] = []
    failures = []
    for answer in classifier.predict_many(paths):
        if progress is not None:
            progress(1)
        if isinstance(answer, Failure):
            failures.append(answer)
            continue
        try:
            tags = read_tags(answer.path)
        except TaggingError as error:
            failures.append(Failure(path=answer.path, reason=error.message.removeprefix(f"{answer.path}: ")))
            continue
        for task, of_task in found.items():
            _note(of_task, answer, task, tags)
        if (truth := _country_of(tags)) is not None:
            facts = replace(facts_of(answer.path, tags), heard=answer.fields.get("country"))
            statements.append(Statements(truth=truth, opinions=tuple(ask(facts, sources=sources))))
    usable = {task: of_task for task, of_task in found.items() if of_task.predictions}
    scores = score_witnesses(statements)
    if not usable and not scores:
        reasons = Counter[str]()
        for of_task in found.values():
            reasons.update(of_task.left_out)
        said = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common()) or "no readable file"
        raise EvaluationError(f"no file has a tag to compare with ({said})", hint="tag some files by hand first")
    reports, advice = {}, {}
    for task, of_task in usable.items():
        source = _source(task, of_task)
        context = {"model": classifier.model_id, "split": "library", "group": "unknown", "protocol": "library"}
        reports[task] = report_on(source, context=context, majority=None, bootstrap=bootstrap, seed=seed)
        advice[task] = _advise(source.predictions)
    if "country" in reports:
        stated = {"witnesses": [score.as_json() for score in scores]}
        reports["country"] = replace(reports["country"], metrics={**reports["country"].metrics, **stated})
    return LibraryReport(
        report=Report(tasks=reports),
        advice=advice,
        witnesses=scores,
        failures=tuple(failures),
        left_out={task: dict(of_task.left_out) for task, of_task in found.items()},
    )


def _note(found: _Found, answer: Prediction, task: str, tags: "Tags") -> None:
    prediction = answer.fields.get(task)
    values = tags.get(task)
    if not values:
        found.left_out["no such tag"] += 1
    elif prediction is None:
        found.left_out["silent: nothing to predict from"] += 1
    elif tags.get(f"{task}_candidates"):
        found.left_out["written by geoclass"] += 1
    else:
        place = {label.casefold(): index for index, label in enumerate(prediction.labels)}
        names = [_country(value) if task == "country" else value for value in values]
        truth = tuple(dict.fromkeys(place[name.casefold()] for name in names if name.casefold() in place))
        if not truth:
            found.left_out["a value that the model does not know"] += 1
            found.unknown.update(names)
            return
        found.predictions.append(prediction)
        found.truths.append(truth)
        found.paths.append(answer.path)
        found.artists.append(next(iter(tags.get("album_artist") or tags.get("artist")), ""))


def _country_of(tags: "Tags") -> str | None:
    """The country that a person wrote, if it is one."""
    values = tags.get("country")
    if not values or tags.get("country_candidates"):
        return None
    code = _country(values[0])
    return code if code in country_codes() else None


def _country(value: str) -> str:
    return find_country(value) or value


def _source(task: str, found: _Found) -> SplitPredictions:
    first = found.predictions[0]
    n_files, n_labels = len(found.truths), len(first.labels)
    if first.kind == "multi":
        truth = np.zeros((n_files, n_labels), np.int64)
        for row, labels in enumerate(found.truths):
            truth[row, list(labels)] = 1
    else:
        truth = np.array([labels[0] for labels in found.truths])
    probabilities = np.stack([prediction.probabilities for prediction in found.predictions]).astype(np.float32)
    names = tuple(str(path) for path in found.paths)
    return SplitPredictions(
        predictions=TaskPredictions(
            task=task,
            kind=first.kind,
            labels=first.labels,
            track_ids=names,
            artist_ids=tuple(found.artists),
            truth=truth,
            probabilities=probabilities,
            threshold=first.threshold,
        ),
        tracks=pd.DataFrame({"track_id": names, "path": names, "artist_id": found.artists}),
        uncalibrated=None,
        embeddings=None,
        omitted=_omitted(found),
    )


def _omitted(found: _Found) -> dict[str, Any]:
    return {
        "tracks": sum(found.left_out.values()),
        "labels_unknown_to_the_model": sorted(found.unknown),
        "labels_never_in_the_data": [],
        "reasons": dict(found.left_out),
    }


def _advise(predictions: TaskPredictions) -> Advice:
    confidence, correct = decisions(predictions.probabilities, predictions.truth)
    written = confidence >= (predictions.threshold or 0.0)
    threshold = choose_threshold(predictions.probabilities, predictions.truth, target_precision=TARGET_PRECISION)
    would = confidence >= threshold
    return Advice(
        files=predictions.n_tracks,
        written=int(written.sum()),
        agreeing=int(correct[written].sum()),
        min_confidence=None if threshold >= 1.0 else threshold,
        would_write=0 if threshold >= 1.0 else int(would.sum()),
    )
