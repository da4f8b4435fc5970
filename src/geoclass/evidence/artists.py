"""The witness of artists: what a table of facts, or MusicBrainz itself, knows of an artist by identifier or name."""

from collections.abc import Iterator

from geoclass.evidence.artist_table import Artist, Artists
from geoclass.evidence.credits import NOBODY_MBIDS, host_names
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, opinion
from geoclass.evidence.tables import load_json
from geoclass.evidence.titles import visible

NAME = "artists"


def opinions(facts: Facts, known: Artists | None) -> Iterator[Opinion]:
    """At most one opinion: by the identifier where the table knows it, else by the name.

    A name that artists of several countries share, or one of unknown country bears too, never decides alone.
    """
    if known is None:
        return
    rates = load_json("weights.json")["artists"]
    for mbid in facts.artist_mbids[:1]:
        artist = None if mbid.strip().lower() in NOBODY_MBIDS else known.by_mbid(mbid)
        if artist is not None:
            if artist.country:
                because = f"MusicBrainz has {artist.name} in {artist.country}"
                yield opinion(NAME, "artist id", {artist.country: rates["identifier"]}, because)
            return
    credit = visible(facts.artist or facts.album_artist)
    # "Crosby, Stills & Nash with Friends" may be in the table under the whole name.
    hosts = host_names(credit)
    for name in dict.fromkeys((credit, *hosts) if hosts else ()):
        bearers = known.by_name(name)
        if bearers:
            yield from _of_name(name, bearers, rates)
            return


def _of_name(name: str, bearers: tuple[Artist, ...], rates: dict[str, float]) -> Iterator[Opinion]:
    countries = [artist.country for artist in bearers if artist.country]
    if not countries:
        return
    distinct = sorted(set(countries))
    if len(distinct) == 1 and len(countries) == len(bearers):
        because = f"the artist table has {name} in {distinct[0]}"
        yield opinion(NAME, "artist name", {distinct[0]: rates["name"]}, because)
        return
    shares = {code: rates["shared name"] * countries.count(code) / len(bearers) for code in distinct}
    unknown = len(bearers) - len(countries)
    of = ", ".join(distinct[:5]) + (" …" if len(distinct) > 5 else "") + (" and elsewhere" if unknown else "")
    yield opinion(NAME, "shared artist name", shares, f"{len(bearers)} artists share the name {name}: {of}")
