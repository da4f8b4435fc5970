"""How well a model agrees with the tags that people gave their files, and the confidence to require of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from geoclass.errors import EvaluationError, TaggingError
from geoclass.evaluation.advice import Advice, advise
from geoclass.evaluation.overlap import is_fitted_on
from geoclass.evaluation.report import Report, report_on
from geoclass.evaluation.tagged_files import TaggedFiles, written_country
from geoclass.evaluation.witnesses import Statements, WitnessScore, score_witnesses
from geoclass.evidence.registry import Sources, ask
from geoclass.inference.prediction import Failure, Prediction
from geoclass.progress import Progress
from geoclass.tagging.testimony import facts_heard

if TYPE_CHECKING:
    from geoclass.inference.classifier import Classifier
    from geoclass.tagging.tags import Tags


@dataclass(frozen=True, kw_only=True)
class LibraryReport:
    """A model against a library's own tags."""

    report: Report
    advice: Mapping[str, Advice]  # by task
    witnesses: tuple[WitnessScore, ...]  # on the country: each alone, all but it, all
    failures: tuple[Failure, ...]
    left_out: Mapping[str, Mapping[str, int]]  # task -> reason -> files


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
    silent files, those without the tag or with a value that the model does not know, and those that the model was
    fitted on, or on their artist.

    Args:
        classifier: The models.
        paths: Sound files.
        sources: What the witnesses on the country may use, such as a table of artists.
        bootstrap: Resamples of artists for the intervals.
        seed: Of the resampling.
        progress: Called after each file.

    Raises:
        EvaluationError: No file has a tag to compare with.
    """
    found = {task: TaggedFiles(task) for task in classifier.tasks}
    fitted = {task: bundle.training_set for bundle in classifier.bundles for task in bundle.tasks}
    statements: list[Statements] = []
    failures = []
    for read in map(_with_tags, classifier.predict_many(paths)):
        if progress is not None:
            progress(1)
        if isinstance(read, Failure):
            failures.append(read)
            continue
        answer, tags = read
        artists = (*tags.get("artist"), *tags.get("album_artist"))
        known = {task: of is not None and is_fitted_on(of, answer.path, artists=artists) for task, of in fitted.items()}
        for task, of_task in found.items():
            of_task.add(answer, tags, is_known=known[task])
        if (truth := written_country(tags)) is not None:
            heard = None if known.get("country") else answer.fields.get("country")
            facts = facts_heard(answer.path, tags, heard=heard, sources=sources)
            statements.append(Statements(truth=truth, opinions=tuple(ask(facts, sources=sources))))
    usable = {task: of_task for task, of_task in found.items() if of_task.predictions}
    scores = score_witnesses(statements)
    if not usable and not scores:
        reasons = sum((of_task.left_out for of_task in found.values()), Counter[str]())
        said = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common()) or "no readable file"
        raise EvaluationError(f"no file has a tag to compare with ({said})", hint="tag some files by hand first")
    reports, advice = {}, {}
    for task, of_task in usable.items():
        source = of_task.as_split()
        context = {"model": classifier.model_id, "split": "library", "group": "unknown", "protocol": "library"}
        reports[task] = report_on(source, context=context, majority=None, bootstrap=bootstrap, seed=seed)
        advice[task] = advise(source.predictions)
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


def _with_tags(answer: Prediction | Failure) -> "tuple[Prediction, Tags] | Failure":
    from geoclass.tagging.tags import read_tags

    if isinstance(answer, Failure):
        return answer
    try:
        return answer, read_tags(answer.path)
    except TaggingError as error:
        return Failure(path=answer.path, reason=error.message.removeprefix(f"{answer.path}: "))
