"""Scripts, titles, credits and language tags: what is read from a text and what is not."""

import pytest

from geoclass.evidence.credits import host_names, is_nobody
from geoclass.evidence.language_names import language_name, parse_languages
from geoclass.evidence.scripts import letters_in, script_of
from geoclass.evidence.titles import clean_title


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("눈누난나 (NUNU NANA)", "Hangul"),
        ("夜に駆ける", "kana"),  # Han and kana: Japanese
        ("反方向的钟", "Han"),
        ("Σ'αγαπώ", "Greek"),
        ("Молодые ветра", "Cyrillic"),
        ("كايروكي", "Arabic"),
        ("ও শ্যাম", "Bengali"),
        ("เธอ", "Thai"),
        ("Café Müller", "Latin"),
        ("Ω Alpha and Omega", "Latin"),  # one letter is decoration
        ("Ωμ Alpha and Omega", "Greek"),  # two are not
        ("Я you", "Cyrillic"),  # unless the text is as short
        ("Я love", "Latin"),
        ("東京事変丸の内", "kana"),  # however many Han there are
        ("さくら", "kana"),
        ("あ", "kana"),
        ("あ abcd", "Latin"),
        ("さくら東 abcd", "kana"),
        ("ᎣᏏᏲ", ""),  # Cherokee, which no language here is written in
        ("ᎣᏏᏲ love", "Latin"),
        ("한 사랑 愛", "Hangul"),  # the one with most letters
        ("a" * 4_000 + "사랑", "Latin"),  # what stands behind a page is not read
        ("123 !?", ""),
        ("", ""),
    ],
)
def test_script(text: str, script: str) -> None:
    assert script_of(text) == script


def test_letters_of_one_script_keep_their_words_apart() -> None:
    assert letters_in("Love 사랑 you-나 3", "Hangul").split() == ["사랑", "-나", "3"]
    assert letters_in("夜に駆ける night", "kana").split() == ["夜に駆ける"]
    assert letters_in("夜に駆ける night", "Han").split() == ["夜", "駆"]


@pytest.mark.parametrize(
    ("title", "artist", "clean"),
    [
        ("Burna Boy - Last Last (Official Video)", "Burna Boy", "Last Last"),
        ("03 - Du Hast", "", "Du Hast"),
        ("Last Last feat. Wizkid", "", "Last Last"),
        ("Gece_yarısı", "", "Gece yarısı"),
        ("X Ambassadors", "", "X Ambassadors"),
        ("Sia - Chandelier", "Sia", "Chandelier"),
        ("BURNA BOY Last Last", "Burna Boy", "Last Last"),
        ("Nadie Como Tú (Audio)(MP3 128K)", "", "Nadie Como Tú"),
        ("Wonderwall - Remastered 2014", "Oasis", "Wonderwall"),
        ("Baraye (Ft Amir Khalvat)", "", "Baraye"),
        ("Sevmek (Acoustic Love)", "", "Sevmek (Acoustic Love)"),
        ("Zombie\x00\u202e\u200b", "", "Zombie"),
        ("Queen", "Queen", "Queen"),  # what is left must not be nothing
        ("99 Luftballons", "Nena", "99 Luftballons"),
        ("Track 03", "", ""),
        ("Son Feci Bisiklet-dQw4w9WgXcQ", "", "Son Feci Bisiklet"),
        ("Kalbim [1b4XyZ09]", "", "Kalbim"),
        ("20190304-WA0003", "", ""),
        ("Love4eva", "", "Love4eva"),
        ("99 Problems 2gether", "", "99 Problems 2gether"),
        ("TR_48fb37f4_7", "", ""),
        ("Чай2000", "", "Чай2000"),
        ("03", "", ""),
        ("music-72", "", ""),
        ("Ya", "", ""),  # too short to be in a language
        ("愛", "", "愛"),
    ],
)
def test_only_the_title_is_left_of_a_title(title: str, artist: str, clean: str) -> None:
    assert clean_title(title, artist=artist) == clean


@pytest.mark.parametrize(
    ("artist", "hosts"),
    [
        ("Burna Boy feat. Wizkid", ("Burna Boy",)),
        ("Burna Boy (ft. Wizkid)", ("Burna Boy",)),
        ("Simon & Garfunkel", ("Simon & Garfunkel", "Simon")),
        ("Nusrat Fateh Ali Khan with Michael Brook", ("Nusrat Fateh Ali Khan",)),
        ("Run-D.M.C. presents Aerosmith", ("Run-D.M.C.",)),
        ("With the Beatles", ("With the Beatles",)),  # nobody stands before the guest
        ("Tarkan, Sezen Aksu", ("Tarkan, Sezen Aksu", "Tarkan")),
        ("Various Artists & Friends", ("Various Artists & Friends",)),
        ("Various Artists", ()),
        ("VARIOUS", ()),
        ("V.A.", ()),
        ("[unknown]", ()),
        ("V/A", ()),  # not V and A
        ("Çeşitli Sanatçılar", ()),
        ("", ()),
        ("Feat", ("Feat",)),
        ("!!!", ("!!!",)),
    ],
)
def test_the_host_is_asked_about_not_the_guest(artist: str, hosts: tuple[str, ...]) -> None:
    assert host_names(artist) == hosts
    assert is_nobody(artist) == (not hosts)


def test_a_guest_does_not_make_nobody_somebody() -> None:
    assert host_names("Unknown Artist feat. Somebody") == ()
    assert host_names("Various Artists with Friends") == ()


@pytest.mark.parametrize(
    ("tag", "codes"),
    [
        (("tur",), ("tr",)),
        (("Turkish",), ("tr",)),
        (("tr-TR",), ("tr",)),
        (("ger",), ("de",)),
        (("English / Français",), ("en", "fr")),
        (("nob", "nno"), ("no",)),
        (("zxx",), ()),
        (("XXX", "und", "mul"), ()),
        (("klingon",), ()),
        (("",), ()),
        (("x" * 10_000_000,), ()),
    ],
)
def test_language_tags_as_people_write_them(tag: tuple[str, ...], codes: tuple[str, ...]) -> None:
    assert parse_languages(tag) == codes


def test_languages_have_names() -> None:
    assert [language_name(code) for code in ("tr", "el", "no", "xx")] == ["Turkish", "Greek", "Norwegian", "xx"]
