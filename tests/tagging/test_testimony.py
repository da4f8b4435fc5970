"""What is read out of a file's tags and its path before the witnesses are asked."""

from pathlib import Path

import pytest

from geoclass.evidence.artist_table import Artist
from geoclass.evidence.library import LibraryEvidence
from geoclass.evidence.registry import Sources
from geoclass.tagging.tags import Tags
from geoclass.tagging.testimony import evidence_identity, facts_of


@pytest.mark.parametrize(
    ("name", "tags", "artist", "title"),
    [
        ("Selda - Gözlerin.mp3", {}, "Selda", "Gözlerin"),
        ("Gözlerin.mp3", {}, "", "Gözlerin"),
        ("01 - Gözlerin.mp3", {}, "", "Gözlerin"),  # a track's number is nobody's name
        ("Selda - Yaz - Remix.mp3", {}, "Selda", "Yaz - Remix"),
        ("Selda-Gözlerin.mp3", {}, "", "Selda-Gözlerin"),
        ("Selda - Gözlerin.mp3", {"title": "Yaz"}, "", "Yaz"),  # who wrote a title would have written the artist
        ("Selda - Gözlerin.mp3", {"artist": "Barış"}, "Barış", "Selda - Gözlerin"),
        ("Selda - Gözlerin.mp3", {"artist": "Barış", "title": "Yaz"}, "Barış", "Yaz"),
    ],
)
def test_the_name_of_a_file_fills_in_for_tags(name: str, tags: dict[str, str], artist: str, title: str) -> None:
    values = {field: (text,) for field, text in tags.items()}
    found = facts_of(Path("/music") / name, Tags(kind="mp3", values=values))
    assert (found.artist, found.title) == (artist, title)


def test_folders_are_those_above_the_file_the_innermost_last() -> None:
    assert facts_of(Path("/music/Türkiye/Selda/a.mp3"), Tags(kind="mp3")).folders == ("music", "Türkiye", "Selda")


def test_a_name_that_is_not_utf_8_can_be_read_by_the_witnesses() -> None:
    found = facts_of(Path("/music/caf\udce9/Selda - \udcff.mp3"), Tags(kind="mp3"))
    assert found.artist == "Selda"
    for text in (found.title, *found.folders):
        text.encode("utf-8")


class Known:
    """A source of artists or of sung languages with an identity."""

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def __call__(self, path: Path) -> dict[str, float]:
        return {}

    def by_mbid(self, mbid: str) -> Artist | None:
        return None

    def by_name(self, name: str) -> tuple[Artist, ...]:
        return ()


def test_what_decided_is_another_where_anything_that_was_asked_is() -> None:
    """Or files that other evidence decided would count as settled."""
    learned = [LibraryEvidence(trust={"title": power}, artists={"TR": 9}) for power in (0.5, 0.6)]
    identities = [
        evidence_identity(("language", "codes"), sources)
        for sources in (
            Sources(),
            *(Sources(artists=Known(name)) for name in ("one", "two")),
            *(Sources(sung_language=Known(name)) for name in ("one", "two")),
            *(Sources(library=of) for of in learned),
        )
    ]
    identities.append(evidence_identity(("language",), Sources()))
    assert len(set(identities)) == len(identities)
    assert evidence_identity(("codes", "language"), Sources()) == identities[0], "their order does not matter"
