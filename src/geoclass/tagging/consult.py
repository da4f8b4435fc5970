"""The order in which witnesses and models are consulted: cheap ones first, audio where they leave a field open."""

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
from geoclass.tagging.entries import Entry, is_ours
from geoclass.tagging.policy import Policy
from geoclass.tagging.testimony import evidence_identity, hear, hear_language, testify

_ASKED = Failure(path=Path(), reason="the model gave no prediction")


class Predictor(Protocol):
    """What a plan needs of a `geoclass.Classifier`."""

    @property
    def model_id(self) -> str:
        """The identity of every model, "; " between them: name, release or data set hash, start of its SHA-256."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The fields that it predicts."""

    @property
    def never_sure(self) -> tuple[str, ...]:
        """Of these the fields on which it is never sure enough to write."""

    def predict_many(self, paths: Iterable[Path]) -> Iterator[Prediction | Failure]:
        """One prediction per path, in order."""


class Consultation:
    """The witnesses and the model of one run, and the fields to decide."""

    def __init__(self, classifier: Predictor | None, policy: Policy, remembered: Corrections, sources: Sources) -> None:
        tasks = classifier.tasks if classifier is not None else ()
        answered = {*tasks, "country"} if policy.pools else set(tasks)
        fields = tuple(name for name in policy.fields if name in answered)
        if not fields:
            raise UsageError(f"the model predicts {' and '.join(tasks)}, not {' or '.join(policy.fields)}")
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
            votes = self.policy.vote != "none"  # earlier decisions count as evidence for the artist's new files
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
                    if self.policy.asks_sound:
                        answered.opinions = answered.opinions + hear(answered, self.sources)
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
        if not self.policy.pools:
            return False
        if not self.policy.asks_sound or self._is_sure(entry):
            return True
        # Where the sound is the only witness, it is heard all the same.
        return self.policy.asks_others and self.classifier is not None and "country" in self.classifier.never_sure

    def _is_sure(self, entry: Entry) -> bool:
        """Whether those who have spoken settle the country."""
        verdict = pool(entry.opinions)
        return verdict is not None and verdict.candidates(1)[0][1] >= self.policy.threshold(None)


def unfinished(entry: Entry, policy: Policy, remembered: Corrections) -> Sequence[str]:
    """The fields that may be written and have not been corrected."""
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
