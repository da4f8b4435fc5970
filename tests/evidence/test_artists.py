"""Whom the witness of artists asks about, and how far it trusts what it is told."""

import json
from pathlib import Path

import pytest

from geoclass.evidence import artists
from geoclass.evidence.artist_table import Artist
from geoclass.evidence.artists import opinions
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, background, country_index
from geoclass.text import name_key

RATES = json.loads((Path(artists.__file__).parent / "data/weights.json").read_text("utf-8"))["artists"]
VARIOUS = "89ad4ac3-39f7-470e-963a-56509c546377"  # MusicBrainz' identifier of Various Artists


class Known:
    """Artists in memory, as (mbid, name, country)."""

    def __init__(self, *lines: tuple[str, str, str | None]) -> None:
        self.lines = [Artist(mbid=mbid, name=name, country=country) for mbid, name, country in lines]
        self.asked: list[str] = []

    def by_mbid(self, mbid: str) -> Artist | None:
        self.asked.append(mbid)
        return next((line for line in self.lines if line.mbid == mbid.strip().lower()), None)

    def by_name(self, name: str) -> tuple[Artist, ...]:
        self.asked.append(name)
        return tuple(line for line in self.lines if name_key(line.name) == name_key(name))


def share(found: Opinion, code: str) -> float:
    return dict(found.says(300))[code]


def with_rest(said: dict[str, float], code: str) -> float:
    return said.get(code, 0.0) + (1 - sum(said.values())) * float(background()[country_index()[code]])


def test_without_a_table_nothing_is_known() -> None:
    assert list(opinions(Facts(artist="Sezen Aksu", artist_mbids=("m1",)), None)) == []


def test_an_identifier_is_surer_than_a_name_and_is_asked_first() -> None:
    known = Known(("m1", "Sezen Aksu", "TR"), ("m2", "Nobody Else", "GR"))
    (found,) = opinions(Facts(artist="Sezen Aksu", artist_mbids=("m2",)), known)
    assert (found.clue, share(found, "GR")) == (
        "artist id",
        pytest.approx(with_rest({"GR": RATES["identifier"]}, "GR")),
    )
    assert found.because == "MusicBrainz has Nobody Else in GR"
    (found,) = opinions(Facts(artist="Sezen Aksu"), known)
    assert (found.clue, share(found, "TR")) == ("artist name", pytest.approx(with_rest({"TR": RATES["name"]}, "TR")))
    assert found.because == "the artist table has Sezen Aksu in TR"
    assert RATES["shared name"] < RATES["name"] < RATES["identifier"]


def test_the_first_identifier_is_the_hosts() -> None:
    known = Known(("m1", "Host", "TR"), ("m2", "Guest", "US"))
    (found,) = opinions(Facts(artist="Host feat. Guest", artist_mbids=("m1", "m2")), known)
    assert share(found, "TR") > 0.9


def test_an_identifier_whose_country_is_unknown_is_not_guessed_at_by_its_name() -> None:
    known = Known(("m1", "Nirvana", None), ("m2", "Nirvana", "US"))
    assert list(opinions(Facts(artist="Nirvana", artist_mbids=("m1",)), known)) == []


def test_an_identifier_that_nobody_knows_leaves_the_word_to_the_name() -> None:
    (found,) = opinions(Facts(artist="Sezen Aksu", artist_mbids=("m9",)), Known(("m1", "Sezen Aksu", "TR")))
    assert found.clue == "artist name"


@pytest.mark.parametrize("mbid", [VARIOUS, f" {VARIOUS.upper()} "])
def test_various_artists_are_from_nowhere_by_identifier_and_by_name(mbid: str) -> None:
    known = Known((VARIOUS, "Various Artists", "US"))
    assert list(opinions(Facts(artist_mbids=(mbid,)), known)) == []
    assert list(opinions(Facts(artist="Various Artists"), known)) == []
    assert list(opinions(Facts(artist="VA", album_artist="Various Artists", artist_mbids=(mbid,)), known)) == []
    assert known.asked == []


def test_a_song_on_a_sampler_is_its_artists() -> None:
    known = Known(("m1", "Sezen Aksu", "TR"))
    (found,) = opinions(Facts(artist="Sezen Aksu", album_artist="Various Artists", artist_mbids=(VARIOUS,)), known)
    assert share(found, "TR") > 0.9


def test_the_songs_artist_goes_before_the_albums() -> None:
    known = Known(("m1", "Singer", "TR"), ("m2", "Band", "GR"))
    (found,) = opinions(Facts(artist="Singer", album_artist="Band"), known)
    assert share(found, "TR") > 0.9
    (found,) = opinions(Facts(album_artist="Band"), known)
    assert share(found, "GR") > 0.9


@pytest.mark.parametrize("guest", ["feat.", "ft.", "featuring", "with", "vs.", "(feat.", "[with"])
def test_the_host_is_asked_about_whatever_brings_the_guest(guest: str) -> None:
    known = Known(("m1", "Host", "TR"), ("m2", "Guest", "US"))
    (found,) = opinions(Facts(artist=f"Host {guest} Guest"), known)
    assert share(found, "TR") > 0.9
    assert "Guest" not in known.asked


def test_the_whole_name_goes_before_its_first_half() -> None:
    """Simon & Garfunkel are one act; of two acts the first is the host."""
    known = Known(("m1", "Simon & Garfunkel", "US"), ("m2", "Simon", "GB"))
    (found,) = opinions(Facts(artist="Simon & Garfunkel"), known)
    assert share(found, "US") > 0.9
    (found,) = opinions(Facts(artist="Simon & Somebody"), known)
    assert share(found, "GB") > 0.9


def test_bearers_of_one_name_share_what_is_said_of_it() -> None:
    known = Known(("m1", "Nirvana", "US"), ("m2", "Nirvana", "US"), ("m3", "nirvana", "GB"), ("m4", "NIRVANA", None))
    (found,) = opinions(Facts(artist="Nirvana"), known)
    said = {"US": RATES["shared name"] * 2 / 4, "GB": RATES["shared name"] / 4}
    assert (found.witness, found.clue) == ("artists", "shared artist name")
    for code in ("US", "GB", "TR"):
        assert share(found, code) == pytest.approx(with_rest(said, code))
    assert found.because == "4 artists share the name Nirvana: GB, US and elsewhere"


def test_bearers_of_one_country_agree_unless_one_is_of_unknown_origin() -> None:
    (found,) = opinions(Facts(artist="X"), Known(("m1", "X", "TR"), ("m2", "X", "TR")))
    assert (found.clue, share(found, "TR")) == ("artist name", pytest.approx(with_rest({"TR": RATES["name"]}, "TR")))
    (found,) = opinions(Facts(artist="X"), Known(("m1", "X", "TR"), ("m2", "X", None)))
    assert found.clue == "shared artist name"
    assert share(found, "TR") == pytest.approx(with_rest({"TR": RATES["shared name"] / 2}, "TR"))
    assert list(opinions(Facts(artist="X"), Known(("m1", "X", None)))) == []


def test_of_many_countries_five_are_named() -> None:
    codes = ("TR", "GR", "DE", "FR", "US", "GB")
    known = Known(*[(f"m{n}", "X", code) for n, code in enumerate(codes)])
    (found,) = opinions(Facts(artist="X"), known)
    assert found.because == "6 artists share the name X: DE, FR, GB, GR, TR …"
    (found,) = opinions(Facts(artist="X"), Known(*[(f"m{n}", "X", code) for n, code in enumerate(codes[:5])]))
    assert found.because == "5 artists share the name X: DE, FR, GR, TR, US"
