"""From the opinions and predictions on a file to the values written to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from geoclass.errors import GeoclassError
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, country_index
from geoclass.evidence.pool import Verdict
from geoclass.evidence.sound import opinions as opinions_on_sound
from geoclass.inference.prediction import Failure, FieldPrediction, Prediction
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.entries import Entry, genre_of_label, is_ours, parse_provenance, provenance
from geoclass.tagging.file_plan import Candidates, FieldPlan, FilePlan, Reason
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import Tags, Values

_KEPT_CANDIDATES = 10  # in a plan


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """The candidates for a field, from a model or from the pool."""

    candidates: Candidates
    proposed: tuple[str, ...]  # probable enough to be written
    evidence: tuple[Reason, ...]
    all_candidates: Candidates  # where a region may be written


def decide(entry: Entry, policy: Policy, remembered: Corrections, decided_by: str) -> FilePlan:
    """The plan of a file, after all witnesses were consulted.

    Args:
        entry: With the model's prediction and the verdict, where there are any.
        policy: What may be written.
        remembered: Corrections of people, which win.
        decided_by: For the tag that names models and evidence.
    """
    tags = entry.tags
    base = FilePlan(
        path=entry.path,
        target=entry.target,
        status="failed",
        before=tags.values,
        stamp=entry.stamp,
        dissent=entry.dissent,
        index=entry.index,
    )
    if entry.error is not None:
        return replace(base, reason=entry.error.message, hint=entry.error.hint)
    unheard = entry.prediction.reason if isinstance(entry.prediction, Failure) else ""
    if unheard and not policy.pools:
        return replace(base, reason=unheard)
    fields: dict[str, FieldPlan] = {}
    changes: dict[str, tuple[str, ...]] = {}
    answers = {name: _answer(entry, policy, name) for name in policy.fields}
    for name, answer in answers.items():
        corrected = remembered.find(name, entry.target, tags)
        proposed = corrected or (answer.proposed if answer else ())
        writable = name in policy.overwrite or not tags.get(name)
        fields[name] = _field(tags, name, answer, proposed if writable else (), corrected=bool(corrected))
        if writable:
            changes |= _changes(name, answer, proposed, policy, corrected=bool(corrected))
    country = fields["country"].value if "country" in fields else ()
    said = answers.get("country")
    if policy.region_fallback and not country and said is not None:
        changes |= _region(said.all_candidates, _threshold(entry, policy, "country"))
    if changes and any(answers.values()):
        changes["model"] = (decided_by,)
    if policy.release_country and country and not tags.get("release_country"):
        changes["release_country"] = country
    changes = {name: values for name, values in changes.items() if tags.values.get(name, ()) != values}
    fields = {name: _settle(of, name, changes) for name, of in fields.items()}
    if unheard and not changes:  # a file that cannot be decoded gets what its tags say; it fails where they say nothing
        return replace(base, reason=unheard)
    unsure = not all(of.value for of in fields.values())
    status = "planned" if changes else "abstained" if unsure else "unchanged"
    note = entry.prediction.note if isinstance(entry.prediction, Prediction) else unheard
    return replace(base, status=status, reason=note, fields=fields, changes=changes)


def _changes(
    name: str, answer: _Answer | None, proposed: tuple[str, ...], policy: Policy, *, corrected: bool
) -> dict[str, tuple[str, ...]]:
    """What goes into the tags with the value of a field: its candidates, and who spoke for it."""
    changes = {name: proposed} if proposed else {}
    if answer is None:
        return changes
    if proposed or policy.candidates:
        changes[f"{name}_candidates"] = (provenance(answer.candidates, n=len(proposed)),)
    if proposed and policy.pools and name == "country" and not corrected:
        witnesses = ", ".join(_witnesses_for(answer.evidence))
        changes["evidence"] = (witnesses,) if witnesses else ()  # none, where any confidence is enough
    return changes


def _answer(entry: Entry, policy: Policy, name: str) -> _Answer | None:
    """The candidates for a field; None where no witness was consulted."""
    if entry.settled:
        return None
    if name == "country" and policy.pools:
        return _of_verdict(entry.verdict, policy) if entry.verdict is not None else None
    model = _model_answer(entry, name)
    if model is None:
        return None
    clean: Callable[[str], str] = genre_of_label if name == "genre" and not model.owners_labels else str
    candidates = tuple((clean(label), probability) for label, probability in model.candidates)
    values = model.value(min_probability=_threshold(entry, policy, name))
    proposed = tuple(dict.fromkeys(filter(None, map(clean, values))))
    return _Answer(
        candidates=candidates[:_KEPT_CANDIDATES],
        proposed=proposed,
        evidence=_of_sound(model, candidates),
        all_candidates=candidates,
    )


def _of_verdict(verdict: Verdict, policy: Policy) -> _Answer:
    found = verdict.candidates(len(country_index()) if policy.region_fallback else _KEPT_CANDIDATES)
    code, probability = found[0]
    sure = probability >= policy.threshold(None)
    speaking = verdict.speaking_for(country_index()[code])
    silent = [of for of in verdict.opinions if of not in speaking]
    return _Answer(
        candidates=found[:_KEPT_CANDIDATES],
        proposed=(code,) if sure else (),
        evidence=tuple(_reason(of, speaks_for=of in speaking) for of in (*speaking, *silent)),
        all_candidates=found,
    )


def _reason(opinion: Opinion, *, speaks_for: bool) -> Reason:
    return Reason(
        witness=opinion.witness,
        clue=opinion.clue,
        says=opinion.says(),
        because=opinion.because,
        speaks_for=speaks_for,
    )


def _of_sound(model: FieldPrediction, candidates: Candidates) -> tuple[Reason, ...]:
    if model.task == "country":
        return tuple(_reason(of, speaks_for=True) for of in opinions_on_sound(Facts(heard=model)))
    if not candidates:
        return ()
    heard = Reason(witness="sound", clue="sound", says=candidates[:3], because=f"it sounds like {candidates[0][0]}")
    return (heard,)


def _model_answer(entry: Entry, name: str) -> FieldPrediction | None:
    if entry.prediction is None or isinstance(entry.prediction, Failure):
        return None
    return entry.prediction.fields.get(name)


def _threshold(entry: Entry, policy: Policy, name: str) -> float:
    return policy.threshold(None if name == "country" and policy.pools else _model_answer(entry, name))


def _field(tags: Tags, name: str, answer: _Answer | None, proposed: tuple[str, ...], *, corrected: bool) -> FieldPlan:
    """What the field will hold; `proposed` is () where it may not be written."""
    noted = parse_provenance("; ".join(tags.values.get(f"{name}_candidates", ())))
    candidates = answer.candidates if answer is not None else noted
    value = proposed or tags.get(name)
    evidence = answer.evidence if answer is not None else ()
    if not value:
        best = candidates[0][1] if candidates else None
        return FieldPlan(value=(), probability=best, candidates=candidates, outcome="unsure", evidence=evidence)
    ours = bool(proposed) or is_ours(tags, name)
    return FieldPlan(
        value=value,
        probability=dict(candidates).get(value[0]) if ours and not corrected else None,
        candidates=candidates,
        outcome="planned" if proposed else "written" if ours else "kept",
        evidence=evidence,
    )


def _settle(plan: FieldPlan, name: str, changes: Values) -> FieldPlan:
    """The outcome of a value that an earlier run wrote already is "written", not "planned"."""
    return replace(plan, outcome="written") if plan.outcome == "planned" and name not in changes else plan


def _witnesses_for(evidence: Sequence[Reason]) -> list[str]:
    return list(dict.fromkeys(reason.witness for reason in evidence if reason.speaks_for))


def _region(candidates: Candidates, threshold: float) -> dict[str, tuple[str, ...]]:
    """The UN sub-region whose countries together reach the threshold; {} if there is none."""
    from geoclass.geo.countries import subregion

    sums: dict[str, float] = {}
    for label, probability in candidates:
        try:
            region = subregion(label)
        except GeoclassError:
            continue
        if region:
            sums[region] = sums.get(region, 0.0) + probability
    best = max(sums, key=lambda region: sums[region], default=None)
    return {"region": (best,)} if best is not None and sums[best] >= threshold else {}
