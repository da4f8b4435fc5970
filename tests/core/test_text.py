"""Names compared across spellings; markup removed."""

import json

import pytest

from geoclass.text import counted, json_line, name_key, normalize_name, plain_text, printable


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


@pytest.mark.parametrize(("value", "noun", "said"), [
    (1, "track", "1 track"), (0, "track", "0 tracks"), (1200, "artist", "1,200 artists"), (2, "class", "2 classes"),
    (1, "class", "1 class"), (0, "country", "0 countries"), (1, "country", "1 country"),
])  # fmt: skip
def test_a_number_and_its_noun_agree(value: int, noun: str, said: str) -> None:
    assert counted(value, noun) == said


def test_a_line_of_json_can_be_encoded_and_gives_the_document_back() -> None:
    for name in ("Türkiye.mp3", "bad \udcff bytes.mp3", "two\nlines"):
        line = json_line({"path": name})
        assert json.loads(line.encode("utf-8")) == {"path": name}
        assert "\n" not in line
    assert "Türkiye" in json_line({"path": "Türkiye"})


@pytest.mark.parametrize(("name", "shown"), [
    ("Şarkı 歌\u3000one.mp3", "Şarkı 歌\u3000one.mp3"), ("two\nlines", "two\\nlines"), ("\x1b[31mred", "\\x1b[31mred"),
    ("caf\udce9", "caf\\udce9"), ("\x9b2J", "\\x9b2J"),
])  # fmt: skip
def test_what_a_terminal_would_obey_is_shown_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown
    shown.encode()
