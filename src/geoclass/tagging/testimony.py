"""From a file's tags and path to what the witnesses say of its country."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from geoclass.evidence import sound, sung_language
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, opinion
from geoclass.evidence.registry import CHEAP, Sources, ask
from geoclass.evidence.tables import load_json
from geoclass.inference.prediction import FieldPrediction, Prediction
from geoclass.storage import fingerprint
from geoclass.tagging.entries import Entry, is_ours
from geoclass.tagging.tags import Tags

OWNER = "owner"


def facts_of(path: Path, tags: Tags) -> Facts:
    """What a file says of itself. Without a title, or an artist, the file's name may hold them: "Artist - Title"."""
    stem = path.stem.encode("utf-8", "replace").decode()
    named_artist, dash, named_title = stem.partition(" - ")
    artist = _first(tags, "artist")
    return Facts(
        title=_first(tags, "title") or (stem if artist or not dash else named_title),
        artist=artist
        or (named_artist if dash and not tags.get("title") and not named_artist.strip().isdigit() else ""),
        album_artist=_first(tags, "album_artist"),
        album=_first(tags, "album"),
        genres=tags.get("genre"),
        grouping=_first(tags, "grouping"),
        comment=_first(tags, "comment"),
        lyrics=_first(tags, "lyrics"),
        languages=tags.get("language"),
        isrc=_first(tags, "isrc"),
        release_country=_first(tags, "release_country"),
        artist_mbids=tags.get("musicbrainz_artist_id"),
        folders=tuple(part.encode("utf-8", "replace").decode() for part in path.parts[1:-1]),
    )


def facts_heard(path: Path, tags: Tags, *, heard: FieldPrediction | None, sources: Sources | None) -> Facts:
    """What a file says of itself, what a model heard in it, and what is sung, where there is a model to ask."""
    sung = sources.sung_language(path) if sources is not None and sources.sung_language is not None else {}
    return replace(facts_of(path, tags), heard=heard, sung=sung)


def testify(entry: Entry, *, witnesses: Sequence[str], sources: Sources) -> list[Opinion]:
    """What all witnesses but the sound say of a file."""
    if entry.error is not None:
        return []
    return ask(
        facts_of(entry.path, entry.tags), witnesses=[name for name in witnesses if name in CHEAP], sources=sources
    )


def hear(entry: Entry, sources: Sources) -> list[Opinion]:
    """The opinion of the sound on a file, where there is a prediction."""
    answer = entry.prediction.fields.get("country") if isinstance(entry.prediction, Prediction) else None
    return ask(Facts(heard=answer), witnesses=(sound.NAME,), sources=sources)


def hear_language(entry: Entry, sources: Sources) -> list[Opinion]:
    """What is sung in a file says of its country, where there is a model to ask."""
    if entry.error is not None or sources.sung_language is None:
        return []
    return list(sung_language.opinions(Facts(sung=sources.sung_language(entry.target))))


def owner_of(entry: Entry) -> Opinion | None:
    """What a person wrote into the file, as a witness on the artist's other files."""
    from geoclass.geo.countries import find_country

    written = entry.tags.get("country")
    if not written or is_ours(entry.tags, "country"):
        return None
    code = find_country(written[0])
    rate = load_json("weights.json")["owner"]
    return opinion("tags", OWNER, {code: rate}, f"other files of the artist say {code}") if code else None


def evidence_identity(witnesses: Sequence[str], sources: Sources) -> str:
    """Identifies in tags what decided: changes with the weights, the choice of witnesses and their sources."""
    known = [getattr(source, "identity", "") for source in (sources.artists, sources.sung_language)]
    known = known[:1] if sources.sung_language is None else known
    known += [sources.library.identity] if sources.library is not None else []
    return f"evidence 1 {fingerprint(load_json('weights.json'), sorted(witnesses), *known)[:8]}"


def _first(tags: Tags, name: str) -> str:
    values = tags.get(name)
    return values[0] if values else ""
