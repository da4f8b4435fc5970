"""Words that name countries: which phrase of which text speaks, how far it is trusted, and what names nothing."""

import json
from pathlib import Path

import pytest

from geoclass.evidence import words
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import background, country_index

RATES = json.loads((Path(words.__file__).parent / "data/weights.json").read_text("utf-8"))["words"]


def said(facts: Facts) -> dict[str, tuple[str, float, str]]:
    """By clue: the likeliest country, its probability were nothing else known, and the reason."""
    return {found.clue: (*found.says(1)[0], found.because) for found in words.opinions(facts)}


def alone(code: str, probability: float) -> float:
    """What is missing to 1 goes to all countries as if nothing were known."""
    return probability + (1 - probability) * float(background()[country_index()[code]])


@pytest.mark.parametrize(
    ("genre", "code", "phrase"),
    [
        ("Guinea Bissau", "GW", "guinea bissau"),  # the longest phrase, not "guinea"
        ("Equatorial Guinea Folk", "GQ", "equatorial guinea"),
        ("Papua New Guinea", "PG", "papua new guinea"),
        ("South Korea Pop", "KR", "south korea"),
        ("Contemporary Fado", "PT", "fado"),
        ("Georgia", "GE", "georgia"),  # alone it is no song's
        ("TÜRKİYE", "TR", "turkiye"),
    ],
)
def test_the_longest_phrase_that_names_a_country_speaks(genre: str, code: str, phrase: str) -> None:
    found = said(Facts(genres=(genre,)))["genre words"]
    assert found[0] == code
    assert found[2].startswith(f"the genre says '{phrase}")


@pytest.mark.parametrize(
    "genre",
    [
        "Georgia Mountain",
        "Cold Turkey",
        "Guinea Pig",
        "Jordan Rock",
        "one " * 12 + "Fado",
        "Rock",
        "",
        "TUR",
        "tr",
        "DE",
    ],
)
def test_what_is_more_often_something_else_or_stands_far_behind_says_nothing(genre: str) -> None:
    assert said(Facts(genres=(genre,))) == {}


def test_the_first_text_that_says_anything_is_heard() -> None:
    assert said(Facts(genres=("Rock", "Fado", "Rebetiko")))["genre words"][0] == "PT"
    assert said(Facts(genres=("Rebetiko", "Fado")))["genre words"][0] == "GR"


def test_each_kind_of_text_speaks_once_and_is_trusted_as_was_fitted() -> None:
    facts = Facts(genres=("Turkish",), grouping="Turkish", album="Turkish", folders=("Turkish Music",))
    found = said(facts)
    assert list(found) == ["genre words", "grouping words", "album words", "folder"]
    assert {one.witness for one in words.opinions(facts)} == {"words"}
    for clue, (code, probability, _) in found.items():
        shipped = RATES["folder"] if clue == "folder" else 0.95 * RATES[clue]
        assert (code, probability) == ("TR", pytest.approx(alone("TR", shipped)))
    assert [because for _, _, because in found.values()] == [
        "the genre says 'turkish'", "the grouping says 'turkish'", "the album says 'turkish'",
        "it lies in the folder 'Turkish Music'",
    ]  # fmt: skip


def test_a_genre_is_trusted_as_its_line_in_the_table_says() -> None:
    (row,) = [line for line in table() if line["name"] == "city pop"]
    assert said(Facts(genres=("City Pop",)))["genre words"][1] == pytest.approx(
        alone("JP", float(row["probability"]) * RATES["genre words"])
    )


def test_a_genre_of_two_countries_gives_each_its_half() -> None:
    row = next(line for line in table() if len(line["countries"].split()) == 2)
    (found,) = words.opinions(Facts(genres=(row["name"],)))
    half = float(row["probability"]) * RATES["genre words"] / 2
    rest = 1 - 2 * half
    for code in row["countries"].split():
        assert dict(found.says(300))[code] == pytest.approx(half + rest * background()[country_index()[code]])


def table() -> list[dict[str, str]]:
    import csv

    with open(Path(words.__file__).parent / "data/genres.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "word", ["Spanish", "English", "Portuguese", "French", "German", "Dutch", "Greek", "Dominican"]
)
def test_a_language_of_several_countries_is_never_enough(word: str) -> None:
    for facts in (Facts(genres=(word,)), Facts(grouping=word), Facts(album=word), Facts(folders=(word, "Album"))):
        ((_, probability, _),) = said(facts).values()
        assert 0.3 < probability < 0.7


# ---- folders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folders", "code"),
    [
        (("Türkiye", "Japan", "Album"), "JP"),  # the innermost
        (("Japan", "Türkiye"), "TR"),
        (("Turkish Music", "x"), "TR"),
        (("Japan Rock Songs",), "JP"),
        (("Japan", "1", "2", "3", "4", "5"), "JP"),
        (("Japan", "1", "2", "3", "4", "5", "6"), None),  # too far out
        (("Japan Airlines",), None),
        (("Music", "Rock"), None),
        (("JP", "jpn", "TUR"), None),
        ((), None),
    ],
)
def test_the_innermost_folder_that_is_named_after_a_country_speaks(folders: tuple[str, ...], code: str | None) -> None:
    found = said(Facts(folders=folders))
    assert (found["folder"][0] if found else None) == code


@pytest.mark.parametrize("field", ["artist", "album_artist", "album"])
def test_a_folder_that_is_named_after_the_artist_or_the_album_is_passed_over(field: str) -> None:
    assert "folder" not in said(Facts(folders=("JAPAN",), **{field: "Japan"}))
    assert said(Facts(folders=("Türkiye", "Japan"), **{field: "Japan"}))["folder"][0] == "TR"
