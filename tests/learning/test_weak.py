"""Weak labels: who gets one, and how certain it must be."""

from collections.abc import Iterable, Sequence

import pytest

from geoclass.evidence.opinion import Opinion, opinion
from geoclass.learning import weak
from geoclass.learning.weak import sure_countries
from geoclass.library.song import Song


def said(country: str, probability: float) -> list[Opinion]:
    return [opinion("tags", "owner", {country: probability}, "x")]


SAYS = {"sure": said("TR", 0.99), "unsure": said("TR", 0.85), "other": said("GR", 0.99), "silent": []}


def songs(*rows: tuple[str, str]) -> list[Song]:
    """(what is said of it, country) as songs."""
    return [Song(path=f"/music/{number}-{what}.mp3", country=country) for number, (what, country) in enumerate(rows)]


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The songs of which witnesses are asked."""
    found: list[int] = []

    def opinions_on(songs: Sequence[Song], chosen: Iterable[int]) -> dict[int, list[Opinion]]:
        found.extend(chosen)
        return {index: SAYS[songs[index].path.split("-")[1].removesuffix(".mp3")] for index in found}

    monkeypatch.setattr(weak, "opinions_on", opinions_on)
    return found


def test_only_what_is_almost_certain_is_a_label() -> None:
    library = songs(("sure", ""), ("unsure", ""), ("silent", ""))
    assert sure_countries(library, ["a", "b", "c"]) == {0: ("TR",)}


def test_the_files_of_an_artist_get_one_country() -> None:
    library = songs(("sure", ""), ("silent", ""), ("sure", ""), ("other", ""))
    assert sure_countries(library, ["a", "a", "b", "b"]) == {0: ("TR",), 1: ("TR",)}, "two countries are no certainty"


def test_what_people_wrote_is_not_asked_and_what_geoclass_wrote_is(asked: list[int]) -> None:
    library = songs(("other", "TR"), ("sure", ""))
    library.append(Song(path="/music/2-sure.mp3", country="GR", country_sure=0.97))
    library.append(Song(path="/music/3-sure.mp3", error="damaged"))
    assert sure_countries(library, ["a", "a", "a", "a"]) == {1: ("TR",), 2: ("TR",)}
    assert sorted(asked) == [1, 2]
