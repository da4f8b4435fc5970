"""One country for all files of an artist or of an album."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from geoclass.inference.prediction import FieldPrediction, Prediction
from geoclass.tagging.entries import Entry, is_ours, parse_provenance
from geoclass.tagging.tags import Tags


def vote(entries: Iterable[Entry], *, by: str, model_id: str) -> Iterator[Entry]:
    """Replace the country predictions within each group by the group's own.

    The model's probabilities are averaged over the files. Countries that people left in the files are evidence too: if
    they agree, that is the country; if not, they weigh together as much as all of the model's opinions. Notes of
    earlier runs of this model count as its opinion. The order of the files plays no part.

    Args:
        entries: All files; the whole run is read before the first is given back.
        by: "artist" or "album".
        model_id: Of the model that votes.

    Yields:
        The entries in order, with `dissent` set where the model alone would have said otherwise of the file.
    """
    files = list(entries)
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in files:
        key = group_key(entry.tags, by=by)
        if key:
            groups.setdefault(key, []).append(entry)
    for members in groups.values():
        _vote(members, model_id)
    yield from files


def group_key(tags: Tags, *, by: str) -> tuple[str, ...]:
    """What the files of a group have in common; () for a file that belongs to none."""

    def first(*names: str) -> str:
        return next((values[0].strip().casefold() for name in names if (values := tags.get(name))), "")

    if by == "artist":
        artist = first("artist", "album_artist")
        return (artist,) if artist else ()
    album, artist = first("album"), first("album_artist", "artist")
    return (album, artist) if album else ()


def _vote(members: list[Entry], model_id: str) -> None:
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
    pooled = _pool(opinions, persons)
    for entry in asked:
        answer = _answer(entry)
        assert answer is not None
        labels = answer.labels + tuple(sorted(set(persons) - set(answer.labels)))
        probabilities = np.array([pooled.get(label, 0.0) for label in labels], np.float32)
        decided = replace(answer, labels=labels, probabilities=probabilities)
        own, group = answer.candidates[0], decided.candidates[0]
        if own[0] != group[0]:
            entry.dissent = f"{own[0]} {own[1]:.2f} by itself, {group[0]} {group[1]:.2f} by the vote"
        assert isinstance(entry.prediction, Prediction)
        fields = dict(entry.prediction.fields) | {"country": decided}
        entry.prediction = replace(entry.prediction, fields=fields)


def _answer(entry: Entry) -> FieldPrediction | None:
    return entry.prediction.fields.get("country") if isinstance(entry.prediction, Prediction) else None


def _pool(opinions: list[Mapping[str, float]], persons: list[str]) -> dict[str, float]:
    """Mean probability by country. Sums run in sorted order, so that equal evidence gives equal bits."""
    said = {country: persons.count(country) / len(persons) for country in persons}
    if len(said) == 1 or not opinions:
        return said
    labels = sorted({label for opinion in opinions for label in opinion})
    heard = {label: float(np.mean(sorted(opinion.get(label, 0.0) for opinion in opinions))) for label in labels}
    if not said:
        return heard
    return {label: (heard.get(label, 0.0) + said.get(label, 0.0)) / 2 for label in {*heard, *said}}
