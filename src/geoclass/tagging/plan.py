"""Plans: what would be written to which file, decided without writing anything."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from geoclass.evidence.pool import pool
from geoclass.evidence.registry import Sources
from geoclass.parallel.threads import closing_source
from geoclass.tagging.consult import Consultation, Predictor
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.decide import decide
from geoclass.tagging.entries import KeptEntries, read_entries
from geoclass.tagging.file_plan import FilePlan
from geoclass.tagging.policy import Policy
from geoclass.tagging.vote import group_sizes, vote


class Plan:
    """A plan that is computed while it is iterated over, and kept: iterating twice runs the model once."""

    def __init__(self, files: Iterator[FilePlan]) -> None:
        self._source = files
        self._files: list[FilePlan] = []

    def __iter__(self) -> Iterator[FilePlan]:
        yield from self._files
        for file in self._source:
            self._files.append(file)
            yield file

    def close(self) -> None:
        """Stop predicting: from now on the plan ends with the files decided so far."""
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
        sources: What witnesses may use beside the files, such as the artist table.

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
    run = Consultation(classifier, policy or Policy(), remembered or Corrections(), sources or Sources())
    paths, kept = list(paths), KeptEntries()
    entries = run.predicted(run.examined(read_entries(paths, kept=kept)))
    if run.policy.vote != "none":
        sizes = group_sizes(paths, by=run.policy.vote, keep=kept)
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
