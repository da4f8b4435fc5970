"""What would be written to which file, and why not: decided without writing anything."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from geoclass.errors import UsageError
from geoclass.evidence import sung_language
from geoclass.evidence.pool import pool
from geoclass.evidence.registry import Sources
from geoclass.inference.prediction import Failure, Prediction
from geoclass.parallel.threads import closing_source
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.decide import FilePlan, decide
from geoclass.tagging.entries import Entry, is_ours, read_entries
from geoclass.tagging.policy import Policy
from geoclass.tagging.testimony import evidence_identity, hear, hear_language, testify
from geoclass.tagging.vote import group_sizes, vote

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
    classifier: Predictor | None,
    *,
    paths: Iterable[Path | str],
    policy: Policy | None = None,
    remembered: Corrections | None = None,
    sources: Sources | None = None,
) -> Plan:
    """Decide what to write to each file. Writes nothing.

    Args:
        classifier: A `geoclass.Classifier`, or anything with `model_id` and `predict_many`; None where the policy's
            evidence needs no sound.
        paths: Sound files. Each is planned once, also when several links lead to it.
        policy: What may be written, and when.
        remembered: Corrections that people made; they win over the model.
        sources: What witnesses may ask beside the files: the artist table.

    Returns:
        An iterable of `FilePlan`, in the order of `paths`.
    """
    files = iter_plan(classifier, paths=paths, policy=policy, remembered=remembered, sources=sources)
    return Plan(in_order(files))


def iter_plan(
    classifier: Predictor | None,
    *,
    paths: Iterable[Path | str],
    policy: Policy | None = None,
    remembered: Corrections | None = None,
    sources: Sources | None = None,
) -> Iterator[FilePlan]:
    """As `plan_tags`, but nothing is kept, and with a vote files come as soon as their group is done."""
    run = _Run(classifier, policy or Policy(), remembered or Corrections(), sources or Sources())
    paths = list(paths)
    entries = run.predicted(run.examined(read_entries(paths)))
    if run.policy.vote != "none":
        sizes = group_sizes(paths, by=run.policy.vote)
        entries = vote(entries, by=run.policy.vote, sizes=sizes, model_id=run.decided_by, pools=run.policy.pools)
    with closing_source(entries) as decided:
        for entry in decided:
            if run.policy.pools and run.policy.vote == "none":
                entry.verdict = pool(entry.opinions)
            yield decide(entry, run.policy, run.remembered, run.decided_by)


def in_order(files: Iterator[FilePlan]) -> Iterator[FilePlan]:
    """The files in the order in which they were given; those that come early wait."""
    early: dict[int, FilePlan] = {}
    following = 0
    with closing_source(files) as source:
        for file in source:
            early[file.index] = file
            while following in early:
                yield early.pop(following)
                following += 1
    for index in sorted(early):  # a plan that ended early
        yield early[index]


class _Run:
    """One run: who is asked, and what about."""

    def __init__(self, classifier: Predictor | None, policy: Policy, remembered: Corrections, sources: Sources) -> None:
        tasks = classifier.tasks if classifier is not None else ()
        answered = {*tasks, "country"} if policy.pools else set(tasks)
        fields = tuple(name for name in policy.fields if name in answered)
        if not fields:
            raise UsageError(f"the model answers {' and '.join(tasks)}, not {' or '.join(policy.fields)}")
        self.classifier, self.remembered, self.sources = classifier, remembered, sources
        self.policy = replace(policy, fields=fields)
        ids = [classifier.model_id] if classifier is not None else []
        if policy.evidence is not None:
            ids.append(evidence_identity(policy.evidence, sources))
        self.decided_by = "; ".join(ids)

    def examined(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries with what all witnesses but the sound say."""
        for entry in entries:
            entry.settled = entry.error is not None or is_settled(entry, self.policy, self.remembered, self.decided_by)
            votes = self.policy.vote != "none"  # what was decided earlier still speaks for the artist's new files
            if self.policy.evidence is not None and (votes or not entry.settled):
                entry.opinions = testify(entry, witnesses=self.policy.evidence, sources=self.sources)
                if sung_language.NAME in self.policy.evidence and not entry.settled and not self._is_sure(entry):
                    entry.opinions = entry.opinions + hear_language(entry, self.sources)
            yield entry

    def predicted(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """The entries in order, those that need it with a prediction; decoding runs ahead inside the classifier."""
        if self.classifier is None:
            yield from entries
            return
        waiting: deque[Entry] = deque()

        def to_ask(first: Entry) -> Iterator[Path]:
            yield first.target
            for entry in entries:
                waiting.append(entry)
                if self._must_be_heard(entry):
                    entry.prediction = _ASKED
                    yield entry.target

        for entry in entries:
            if not self._must_be_heard(entry):
                yield entry
                continue
            entry.prediction = _ASKED
            waiting.append(entry)
            with closing_source(self.classifier.predict_many(to_ask(entry))) as answers:
                for answer in answers:
                    while waiting[0].prediction is not _ASKED:
                        yield waiting.popleft()
                    answered = waiting.popleft()
                    answered.prediction = answer
                    if self.policy.evidence is not None and "sound" in self.policy.evidence:
                        answered.opinions = answered.opinions + hear(answered)
                    yield answered
        yield from waiting

    def _must_be_heard(self, entry: Entry) -> bool:
        """Whether a field is open that only the sound can settle: cheap witnesses come first."""
        if entry.settled or self.classifier is None:
            return False
        return any(
            name in self.classifier.tasks and not (name == "country" and self._needs_no_sound(entry))
            for name in unfinished(entry, self.policy, self.remembered)
        )

    def _needs_no_sound(self, entry: Entry) -> bool:
        if self.policy.evidence is None:
            return False
        return "sound" not in self.policy.evidence or self._is_sure(entry)

    def _is_sure(self, entry: Entry) -> bool:
        """Whether those who have spoken settle the country."""
        verdict = pool(entry.opinions)
        return verdict is not None and verdict.candidates(1)[0][1] >= self.policy.threshold(None)


def unfinished(entry: Entry, policy: Policy, remembered: Corrections) -> Sequence[str]:
    """The fields that may be written and that nobody has corrected."""
    return [
        name
        for name in policy.fields
        if (name in policy.overwrite or not entry.tags.get(name))
        and not remembered.find(name, entry.target, entry.tags)
    ]


def is_settled(entry: Entry, policy: Policy, remembered: Corrections, decided_by: str) -> bool:
    """Whether the file's own tags say all: nothing is open, or the same models have decided it before."""
    tags = entry.tags
    open_ = unfinished(entry, policy, remembered)
    if not open_:
        return True
    if policy.again or tags.values.get("model") != (decided_by,):
        return False
    decided = any(f"{name}_candidates" in tags.values for name in policy.fields)
    decided = decided or (policy.region_fallback and "region" in tags.values)
    return decided and all(not tags.get(name) or is_ours(tags, name) for name in open_)
