"""One country for all files of an artist or of an album."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from geoclass.evidence.credits import is_nobody, without_guests
from geoclass.evidence.opinion import Opinion
from geoclass.evidence.pool import Verdict, pool, pool_files
from geoclass.inference.prediction import FieldPrediction, Prediction
from geoclass.tagging.entries import Entry, KeptEntries, is_ours, parse_provenance, read_entries
from geoclass.tagging.groups import Key, by_group
from geoclass.tagging.tags import Tags
from geoclass.tagging.testimony import owner_of
from geoclass.text import name_key

_WORTH_SAYING = 0.5  # a file with this probability of another country disagrees with the vote


def group_sizes(paths: Iterable[Path | str], *, by: str, keep: KeptEntries | None = None) -> Counter[Key]:
    """How many files each group has, from their tags alone; `keep` gets the entries."""
    sizes: Counter[Key] = Counter()
    for entry in read_entries(paths):
        sizes[group_key(entry.tags, by=by)] += 1
        if keep is not None:
            keep.add(entry)
    return sizes


def vote(
    entries: Iterable[Entry], *, by: str, sizes: Counter[Key], model_id: str, pools: bool = False
) -> Iterator[Entry]:
    """Give the files of each group the group's own country.

    Where only the model is used, its probabilities are averaged over the files. Countries that people left in the files
    are evidence too: if they agree, that is the country; if not, they weigh together as much as all of the model's
    opinions. Notes of earlier runs of this model count as its opinion. Where witnesses are pooled, what they say of all
    files is pooled, and people's values are one of them. The order of the files has no influence.

    Args:
        entries: In any order; a group is decided when its last file has come, or when too many files wait.
        by: "artist" or "album".
        sizes: Of `group_sizes`.
        model_id: Of the model that votes.
        pools: Whether the witnesses are pooled.

    Yields:
        The entries by group, with `dissent` set where the prediction for the file alone would differ.
    """
    decided: dict[Key, Verdict | None] = {}  # of groups that were given out early
    for group in by_group(entries, key=lambda entry: group_key(entry.tags, by=by), sizes=sizes):
        if not pools:
            if group.key:
                _average(group.items, model_id)
        elif group.key in decided:
            for entry in group.items:
                entry.verdict = decided[group.key]
        else:
            verdict = _pool_group(group.items)
            if not group.complete:
                decided[group.key] = verdict
        yield from group.items


def group_key(tags: Tags, *, by: str) -> Key:
    """What the files of a group have in common; () for a file that belongs to none: "Various Artists" is not an artist.

    A guest does not separate a song from the host's others: "X feat. Y" is X.
    """

    def first(*names: str) -> str:
        found = (without_guests(values[0]) for name in names if (values := tags.get(name)))
        return next((name_key(name) for name in found if not is_nobody(name)), "")

    if by == "artist":
        artist = first("artist", "album_artist")
        return (artist,) if artist else ()
    album = name_key(tags.get("album")[0]) if tags.get("album") else ""
    return (album, first("album_artist", "artist")) if album else ()


# ---- witnesses together -----------------------------------------------------------------------------------------


def _pool_group(members: list[Entry]) -> Verdict | None:
    files: list[list[Opinion]] = []
    for entry in members:
        owner = owner_of(entry) if len(members) > 1 else None
        files.append([owner] if owner is not None else entry.opinions)
    verdict = pool_files(files)
    for entry in members:
        entry.verdict = verdict
        if len(members) > 1 and verdict is not None:
            entry.dissent = _dissent(pool(entry.opinions), verdict)
    return verdict


def _dissent(own: Verdict | None, group: Verdict) -> str:
    if own is None:
        return ""
    (code, probability), (chosen, together) = own.candidates(1)[0], group.candidates(1)[0]
    if code == chosen or probability < _WORTH_SAYING:
        return ""
    return f"{code} {probability:.2f} on its own, {chosen} {together:.2f} in the vote"


# ---- a model alone ----------------------------------------------------------------------------------------------


def _average(members: list[Entry], model_id: str) -> None:
    asked = [entry for entry in members if _answer(entry) is not None]
    if not asked:
        return
    from geoclass.geo.countries import find_country

    opinions: list[Mapping[str, float]] = []
    persons: list[str] = []
    for entry in members:
        answer = _answer(entry)
        if entry.tags.get("country") and not is_ours(entry.tags, "country"):
            code = find_country(entry.tags.get("country")[0])
            persons += [code] if code else []
        elif answer is not None:
            opinions.append(dict(answer.candidates))
        elif entry.tags.values.get("model") == (model_id,):
            opinions.append(dict(parse_provenance("; ".join(entry.tags.values.get("country_candidates", ())))))
    pooled = _mean(opinions, persons)
    for entry in asked:
        answer = _answer(entry)
        assert answer is not None
        labels = answer.labels + tuple(sorted(set(persons) - set(answer.labels)))
        probabilities = np.array([pooled.get(label, 0.0) for label in labels], np.float32)
        decided = replace(answer, labels=labels, probabilities=probabilities)
        own, group = answer.candidates[0], decided.candidates[0]
        if own[0] != group[0]:
            entry.dissent = f"{own[0]} {own[1]:.2f} on its own, {group[0]} {group[1]:.2f} in the vote"
        assert isinstance(entry.prediction, Prediction)
        fields = dict(entry.prediction.fields) | {"country": decided}
        entry.prediction = replace(entry.prediction, fields=fields)


def _answer(entry: Entry) -> FieldPrediction | None:
    return entry.prediction.fields.get("country") if isinstance(entry.prediction, Prediction) else None


def _mean(opinions: list[Mapping[str, float]], persons: list[str]) -> dict[str, float]:
    """Mean probability by country. Sums run in sorted order, so that equal evidence gives equal bits."""
    said = {country: persons.count(country) / len(persons) for country in persons}
    if len(said) == 1 or not opinions:
        return said
    labels = sorted({label for opinion in opinions for label in opinion})
    heard = {label: float(np.mean(sorted(opinion.get(label, 0.0) for opinion in opinions))) for label in labels}
    if not said:
        return heard
    return {label: (heard.get(label, 0.0) + said.get(label, 0.0)) / 2 for label in {*heard, *said}}
