"""Names compared across spellings; markup removed."""

import pytest

from geoclass.text import name_key, normalize_name, plain_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Berlin<br />Germany</p>", "Berlin Germany"),
        ('<a href="http://example.org/?a=1&b=2">Brooklyn</a>, NY', "Brooklyn, NY"),
        ("Simon &amp; Garfunkel", "Simon & Garfunkel"),
        ("I <3 you > me", "I <3 you > me"),
        (" two \n lines ", "two lines"),
        ("", ""),
    ],
)
def test_markup_is_removed_and_text_is_kept(text: str, expected: str) -> None:
    assert plain_text(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beyoncé", "BEYONCE"),
        ("Beyonce\u0301", "Beyoncé"),
        ("Sigur Rós", "sigur ros"),
        ("Guns N’ Roses", "Guns N' Roses"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("  The   Beatles ", "the beatles"),
        ("Mötley Crüe", "Motley Crue"),
        ("Dvořák", "Dvorak"),
        ("Łona", "Lona"),
        ("St. Vincent", "Saint Vincent"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) == normalize_name(one) != ""


@pytest.mark.parametrize(("one", "other"), [("AC/DC", "ABCD"), ("!!!", "???"), ("Виктор Цой", "Цой"), ("U2", "U")])
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_only_a_blank_name_has_no_key() -> None:
    assert name_key(" \t") == ""
    assert name_key("!!!") == "!!!"
