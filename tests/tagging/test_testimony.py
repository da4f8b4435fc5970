"""What is read out of a file's tags and its path before the witnesses are asked."""

from pathlib import Path

import pytest

from geoclass.tagging.tags import Tags
from geoclass.tagging.testimony import facts_of


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
