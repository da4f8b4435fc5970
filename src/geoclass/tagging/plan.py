"""What would be written to which file, and why not: decided without writing anything."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from geoclass.errors import GeoclassError, UsageError
from geoclass.inference.prediction import Failure, FieldPrediction, Prediction
from geoclass.parallel.threads import closing_source
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.entries import Entry, genre_of_label, is_ours, parse_provenance, provenance, read_entries
from geoclass.tagging.rewrite import Stamp
from geoclass.tagging.tags import Tags, Values
from geoclass.tagging.vote import vote

FIELDS = ("country", "genre")
_KEPT_CANDIDATES = 10  # in a plan
_ASKED = Failure(path=Path(), reason="the model gave no answer")


class Predictor(Protocol):
    """What a plan needs of a `geoclass.Classifier`."""

    @property
    def model_id(self) -> str:
        """Name, version and the first eight hex digits of the weights' SHA-256; "; " between models."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The fields that it answers."""

    def predict_many(self, paths: Iterable[Path]) -> Iterator[Prediction | Failure]:
        """One answer a path, in order."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What may be written, and when."""

    fields: tuple[str, ...] = FIELDS
    overwrite: frozenset[str] = frozenset()  # fields whose present values may be replaced
    min_confidence: float | None = None  # instead of the model's calibrated threshold
    vote: Literal["none", "artist", "album"] = "none"  # one country for all files of an artist or album
    release_country: bool = False  # write it to the release country too, where there is none
    candidates: bool = False  # note the candidates of fields on which the model abstains
    region_fallback: bool = False  # note the UN sub-region where no country is sure but a region is
    again: bool = False  # ask the model about files that it has decided before

    def __post_init__(self) -> None:
        unknown = (set(self.fields) | self.overwrite) - set(FIELDS)
        if unknown or not self.fields:
            raise UsageError(f"fields {', '.join(sorted(unknown)) or 'none'}: there are {' and '.join(FIELDS)}")


@dataclass(frozen=True, kw_only=True)
class FieldPlan:
    """One field of one file."""

    value: tuple[str, ...]  # what the file will hold; () when the model abstains and nothing is there
    probability: float | None  # of the value, or of the best candidate; None: the model has said nothing of it
    candidates: tuple[tuple[str, float], ...]  # best first


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """One file: what is there, what would change."""

    path: Path  # as it was given
    target: Path  # links resolved
    status: str  # planned, unchanged, abstained or failed; after apply also written
    reason: str = ""  # why it failed, or why the model was not asked
    hint: str | None = None
    fields: Mapping[str, FieldPlan] = field(default_factory=dict)
    changes: Values = field(default_factory=dict)  # by field of formats.fields.FIELDS
    before: Values = field(default_factory=dict)  # all fields that are there
    stamp: Stamp | None = None  # of the file when its tags were read
    dissent: str = ""  # what the model says of this file where a vote decided otherwise


class Plan:
    """A plan that is made while it is read, and remembered: reading it twice asks the model once."""

    def __init__(self, files: Iterator[FilePlan]) -> None:
        self._source = files
        self._files: list[FilePlan] = []

    def __iter__(self) -> Iterator[FilePlan]:
        yield from self._files
        for file in self._source:
            self._files.append(file)
            yield file

    def close(self) -> None:
        """Ask the model no more: from now on the plan ends with what was decided."""
        with closing_source(self._source):
            pass


def plan_tags(
    classifier: Predictor,
    *,
    paths: Iterable[Path | str],
    policy: Policy | None = None,
    remembered: Corrections | None = None,
) -> Plan:
    """Decide what to write to each file. Writes nothing.

    Args:
        classifier: A `geoclass.Classifier`, or anything with `model_id` and `predict_many`.
        paths: Sound files. Each is planned once, also when several links lead to it.
        policy: What may be written, and when.
        remembered: Corrections that people made; they win over the model.

    Returns:
        An iterable of `FilePlan`, in the order of `paths`.
    """
    return Plan(iter_plan(classifier, paths=paths, policy=policy, remembered=remembered))


def iter_plan(
    classifier: Predictor,
    *,
    paths: Iterable[Path | str],
    policy: Policy | None = None,
    remembered: Corrections | None = None,
) -> Iterator[FilePlan]:
    """As `plan_tags`, but nothing is kept: for large libraries."""
    policy, remembered = policy or Policy(), remembered or Corrections()
    fields = tuple(name for name in policy.fields if name in classifier.tasks)
    if not fields:
        raise UsageError(f"the model answers {' and '.join(classifier.tasks)}, not {' or '.join(policy.fields)}")
    policy = replace(policy, fields=fields)
    entries = _predicted(classifier, read_entries(paths), policy, remembered)
    if policy.vote != "none":
        entries = vote(entries, by=policy.vote, model_id=classifier.model_id)
    with closing_source(entries) as decided:
        for entry in decided:
            yield _decide(entry, policy, remembered, classifier.model_id)


# ---- which files the model is asked about -----------------------------------------------------------------------


def _predicted(
    classifier: Predictor, entries: Iterator[Entry], policy: Policy, remembered: Corrections
) -> Iterator[Entry]:
    """The entries in order, those that need it with a prediction; decoding runs ahead inside the classifier."""
    waiting: deque[Entry] = deque()

    def asks(entry: Entry) -> bool:
        return entry.error is None and not is_settled(entry, policy, remembered, classifier.model_id)

    def to_ask(first: Entry) -> Iterator[Path]:
        yield first.target
        for entry in entries:
            waiting.append(entry)
            if asks(entry):
                entry.prediction = _ASKED
                yield entry.target

    for entry in entries:
        if not asks(entry):
            yield entry
            continue
        entry.prediction = _ASKED
        waiting.append(entry)
        with closing_source(classifier.predict_many(to_ask(entry))) as answers:
            for answer in answers:
                while waiting[0].prediction is not _ASKED:
                    yield waiting.popleft()
                answered = waiting.popleft()
                answered.prediction = answer
                yield answered
    yield from waiting


def is_settled(entry: Entry, policy: Policy, remembered: Corrections, model_id: str) -> bool:
    """Whether the file's own tags say all: nothing is open, or this model has decided it before."""
    tags = entry.tags
    unfinished = [
        name
        for name in policy.fields
        if (name in policy.overwrite or not tags.get(name)) and not remembered.find(name, entry.target, tags)
    ]
    if not unfinished:
        return True
    if policy.again or tags.values.get("model") != (model_id,):
        return False
    decided = any(f"{name}_candidates" in tags.values for name in policy.fields)
    decided = decided or (policy.region_fallback and "region" in tags.values)
    return decided and all(not tags.get(name) or is_ours(tags, name) for name in unfinished)


# ---- what to write ----------------------------------------------------------------------------------------------


def _decide(entry: Entry, policy: Policy, remembered: Corrections, model_id: str) -> FilePlan:
    tags = entry.tags
    base = FilePlan(
        path=entry.path,
        target=entry.target,
        status="failed",
        before=tags.values,
        stamp=entry.stamp,
        dissent=entry.dissent,
    )
    if entry.error is not None:
        return replace(base, reason=entry.error.message, hint=entry.error.hint)
    if isinstance(entry.prediction, Failure):
        return replace(base, reason=entry.prediction.reason)
    note = entry.prediction.note if entry.prediction else ""
    fields: dict[str, FieldPlan] = {}
    changes: dict[str, tuple[str, ...]] = {}
    for name in policy.fields:
        answer = entry.prediction.fields.get(name) if entry.prediction else None
        candidates = _candidates(answer, tags, name)
        proposed = remembered.find(name, entry.target, tags) or _proposal(answer, policy)
        writable = name in policy.overwrite or not tags.get(name)
        value = proposed if writable and proposed else tags.get(name)
        fields[name] = FieldPlan(value=value, probability=_probability(value, candidates), candidates=candidates)
        if writable and proposed:
            changes[name] = proposed
        if answer is not None and writable and (proposed or policy.candidates):
            changes[f"{name}_candidates"] = (provenance(candidates, n=len(proposed)),)
    country = fields["country"].value if "country" in fields else ()
    if policy.region_fallback and not country and entry.prediction is not None:
        changes |= _region(entry.prediction.fields.get("country"), policy)
    if changes and entry.prediction is not None:
        changes["model"] = (model_id,)
    if policy.release_country and country and not tags.get("release_country"):
        changes["release_country"] = country
    changes = {name: values for name, values in changes.items() if tags.values.get(name, ()) != values}
    unsure = not all(field.value for field in fields.values())
    status = "planned" if changes else "abstained" if unsure else "unchanged"
    return replace(base, status=status, reason=note, fields=fields, changes=changes)


def _proposal(answer: FieldPrediction | None, policy: Policy) -> tuple[str, ...]:
    if answer is None:
        return ()
    values = answer.value(min_probability=policy.min_confidence)
    return tuple(dict.fromkeys(filter(None, map(genre_of_label, values)))) if answer.task == "genre" else values


def _candidates(answer: FieldPrediction | None, tags: Tags, name: str) -> tuple[tuple[str, float], ...]:
    """Of the model; else those that an earlier run noted."""
    if answer is None:
        return parse_provenance("; ".join(tags.values.get(f"{name}_candidates", ())))
    clean: Callable[[str], str] = genre_of_label if name == "genre" else str
    return tuple((clean(label), probability) for label, probability in answer.candidates[:_KEPT_CANDIDATES])


def _probability(value: tuple[str, ...], candidates: tuple[tuple[str, float], ...]) -> float | None:
    if not value:
        return candidates[0][1] if candidates else None
    known = dict(candidates)
    return known.get(value[0])


def _region(answer: FieldPrediction | None, policy: Policy) -> dict[str, tuple[str, ...]]:
    """The UN sub-region whose countries are together as sure as one country must be; {} when there is none."""
    if answer is None:
        return {}
    from geoclass.geo.countries import subregion

    sums: dict[str, float] = {}
    for label, probability in answer.candidates:
        try:
            region = subregion(label)
        except GeoclassError:
            continue
        if region:
            sums[region] = sums.get(region, 0.0) + probability
    threshold = answer.threshold if policy.min_confidence is None else policy.min_confidence
    best = max(sums, key=lambda region: sums[region], default=None)
    return {"region": (best,)} if best is not None and sums[best] >= threshold else {}
