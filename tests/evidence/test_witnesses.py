"""Each witness: what it speaks for, what it keeps quiet about; and all of them on input that means no good."""

import subprocess
import sys
import time

import numpy as np
import pytest

from geoclass.errors import UsageError
from geoclass.evidence import codes, language, words
from geoclass.evidence.facts import Facts
from geoclass.evidence.opinion import Opinion, background, country_index
from geoclass.evidence.pool import pool
from geoclass.evidence.registry import CHEAP, WITNESSES, Sources, ask, parse_witnesses

TURKISH = "Gece yarısı düşündüm seni, yağmur yağıyordu sokaklara, kalbim hâlâ seni bekliyor güzelim"


def best(facts: Facts) -> tuple[str, float]:
    verdict = pool(ask(facts))
    return verdict.candidates(1)[0] if verdict else ("", 0.0)


def clues(facts: Facts) -> list[str]:
    return [found.clue for found in ask(facts)]


# ---- language ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "country"),
    [
        ("눈누난나", "KR"),
        ("夜に駆ける", "JP"),
        ("ขอบคุณ", "TH"),
        ("שיר אהבה", "IL"),
        ("Şarkılar seni söyler", "TR"),
        ("Em của ngày hôm qua", "VN"),
        ("Sen jag träffade dig är jag inte mig själv", "SE"),
        ("Aku yang jatuh cinta", "ID"),
        ("آهنگ عاشقانه من برای تو", "IR"),  # Persian, of the scripts that leave several languages open
        ("зөвхөн чамд", "MN"),
        ("қазақ елім", "KZ"),
    ],
)
def test_a_title_in_the_language_of_one_country_names_it(title: str, country: str) -> None:
    code, probability = best(Facts(title=title))
    assert code == country
    assert probability >= 0.9


@pytest.mark.parametrize(
    "title",
    ["Love Me Tender", "Yesterday", "Te quiero mi amor", "Молодые ветра", "爱情转移", "Ich liebe dich", "حبيبي"],
)
def test_languages_of_several_countries_name_none(title: str) -> None:
    assert best(Facts(title=title))[1] < 0.9


def test_han_alone_may_be_japanese() -> None:
    (said,) = ask(Facts(title="夜行"))
    assert said.log_weights[country_index()["JP"]] > 0
    assert best(Facts(title="夜行"))[1] < 0.9


def test_a_personal_name_alone_is_no_witness() -> None:
    assert ask(Facts(artist="Mehmet Yılmaz Öztürk", album_artist="Søren Kjærgaard")) == []


def test_the_artists_name_within_the_title_is_not_read() -> None:
    with_name = ask(Facts(title="Björk Guðmundsdóttir - Hello", artist="Björk Guðmundsdóttir"))
    without = ask(Facts(title="Hello"))
    assert (with_name[0].log_weights == without[0].log_weights).all()


def test_the_tag_wins_over_lyrics_and_these_over_the_title() -> None:
    full = Facts(languages=("jpn",), lyrics=TURKISH, title="Bésame mucho, amor mío")
    assert best(full)[0] == "JP"
    assert best(Facts(lyrics=full.lyrics, title=full.title))[0] == "TR"
    assert clues(full) == ["language tag"]


def test_english_beside_another_language_is_the_refrain() -> None:
    with_refrain, without = (best(Facts(languages=tags)) for tags in (("eng", "tur"), ("tur",)))
    assert with_refrain == without
    assert without[0] == "TR"


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        (Facts(lyrics=TURKISH), "the lyrics are Turkish"),
        (Facts(comment=TURKISH), "the comment is Turkish"),
        (Facts(album="Şarkılar seni söyler"), "the album's title is Turkish"),
        (Facts(title="Şarkılar seni söyler"), "the title is Turkish"),
        (Facts(lyrics="눈누난나" * 10), "the lyrics are Korean, in Hangul letters"),
        (Facts(title="Tata"), "the title is in no clear language"),  # a father in a dozen languages
    ],
)
def test_a_reason_reads_as_a_sentence(facts: Facts, because: str) -> None:
    (found,) = ask(facts)
    assert found.because == because


def test_a_reason_says_which_language() -> None:
    assert "Turkish" in ask(Facts(title="Şarkılar seni söyler"))[0].because
    assert "Hangul" in ask(Facts(title="눈누난나"))[0].because


@pytest.mark.parametrize(
    ("title", "country", "language"),
    [("ٹوٹے ہوئے دل", "PK", "Urdu"), ("пісня про кохання", "UA", "Ukrainian"), ("আমি তোমাকে ভালোবাসি", "BD", "Bengali"),
     ("मराठी गाणी आमची", "IN", "Marathi"), ("حبيبي يا نور العين", "EG", "Arabic")],
)  # fmt: skip
def test_letters_of_one_language_name_it_among_those_of_its_script(title: str, country: str, language: str) -> None:
    (found,) = ask(Facts(title=title))
    assert found.says(1)[0][0] == country
    assert found.because.startswith(f"the title is {language}, in ")


def test_a_tag_of_two_languages_speaks_for_both_by_halves() -> None:
    (found,) = ask(Facts(languages=("tur", "ell")))
    said = dict(found.says(300))
    assert said["TR"] == pytest.approx(dict(ask(Facts(languages=("tur",)))[0].says(300))["TR"] / 2, abs=0.01)
    assert said["GR"] + said["CY"] == pytest.approx(0.5, abs=0.02)
    assert found.because == "the language tag says Turkish and Greek"


def test_who_sings_english_is_from_anywhere_and_who_sings_turkish_is_not() -> None:
    """A share of each language's singers is from elsewhere: three of four for English, one of fifty for the others."""
    english, turkish = (dict(ask(Facts(languages=(tag,)))[0].says(300)) for tag in ("eng", "tur"))
    japan = background()[country_index()["JP"]]
    assert english["JP"] == pytest.approx(0.75 * japan, rel=0.1)
    assert turkish["JP"] == pytest.approx(0.02 * japan, rel=0.1)
    assert turkish["TR"] > 0.9
    assert sum(english.values()) == pytest.approx(1)


def test_a_language_that_is_nowhere_at_home_says_nothing() -> None:
    assert ask(Facts(languages=("zxx", "klingon"))) == []
    found = ask(Facts(languages=("epo",)))  # Esperanto
    assert found == [] or found[0].says(1)[0][1] < 0.5


def test_what_is_read_first_must_be_clear_to_have_the_word() -> None:
    """Lyrics that are no text and titles beside an album leave it to the next; the album has the last word."""
    assert clues(Facts(lyrics="la " * 5, title="Şarkılar seni söyler")) == ["title"]
    assert clues(Facts(lyrics="xq zw " * 30, title="Şarkılar seni söyler")) == ["title"]
    assert clues(Facts(lyrics=TURKISH, title="눈누난나")) == ["lyrics"]
    assert clues(Facts(title="Şarkılar seni söyler", album="눈누난나")) == ["title"]
    assert clues(Facts(title="12 34", album="눈누난나")) == ["album"]
    assert clues(Facts(title="", comment=TURKISH)) == ["comment"]
    assert clues(Facts(album="Şarkılar", comment=TURKISH)) == ["album"]


# ---- codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("isrc", "country"),
    [
        ("FRZ039801212", "FR"),
        ("FR-Z03-98-01212", "FR"),
        ("isrc fr z03 98 01212", "FR"),
        ("UKACT1000001", "GB"),
        ("QM8DG1200001", None),
        ("ZZ0AA0000001", None),
        ("TCABC1200001", None),
        ("FR", None),
        ("XQZ039801212", None),
        ("１２３４５６７８９０１２", None),
    ],
)
def test_isrc(isrc: str, country: str | None) -> None:
    assert codes.isrc_country(isrc) == country


@pytest.mark.parametrize("code", ["XW", "XE", "", "nowhere"])
def test_a_worldwide_release_says_nothing(code: str) -> None:
    assert ask(Facts(release_country=code)) == []


# ---- words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "country"),
    [
        (Facts(genres=("Turkish pop",)), "TR"),
        (Facts(genres=("Fado",)), "PT"),
        (Facts(genres=("K-Pop",)), "KR"),
        (Facts(genres=("Rock", "Rebetiko")), "GR"),
        (Facts(grouping="Brasil"), "BR"),
        (Facts(folders=("Music", "Türkiye", "Album")), "TR"),
        (Facts(folders=("Turkish Music",)), "TR"),
    ],
)
def test_words_name_countries(facts: Facts, country: str) -> None:
    assert best(facts)[0] == country


@pytest.mark.parametrize(
    "facts",
    [
        Facts(genres=("Rock",)),
        Facts(genres=("Pop", "Dance")),
        Facts(folders=("Music", "tr", "Rock", "DE")),
        Facts(album="Georgia on my mind"),
        Facts(folders=("Boston",), artist="Boston"),
        Facts(folders=("Japan",), artist="Japan"),
    ],
)
def test_other_words_name_none(facts: Facts) -> None:
    assert [found for found in ask(facts) if found.witness == words.NAME] == []


# ---- all of them ------------------------------------------------------------------------------------------------

HOSTILE = [
    Facts(title="x" * 10_000_000, artist="y" * 10_000_000, album="z" * 10_000_000, comment="\x00" * 10_000_000),
    Facts(lyrics="la la " * 2_000_000),
    Facts(title="\x00\x07\x1b[31m\u202e\ufeff", genres=("\x00",), isrc="\x00" * 12),
    Facts(title="\ud800 broken surrogate", artist="\udcff", genres=("\udcff",), folders=("\udcff",)),
    Facts(title="Любовь 愛 사랑 حب αγάπη love", lyrics="Любовь 愛 사랑 حب αγάπη love" * 100),
    Facts(title="((((((((((" * 1000, comment="[" * 100_000),
    Facts(genres=("Pop",) * 100_000, folders=("a",) * 100_000, languages=("tur",) * 100_000),
    Facts(isrc="١٢٣٤٥٦٧٨٩٠١٢", release_country="🇹🇷", languages=("🇹🇷",)),
]


@pytest.mark.parametrize("name", WITNESSES)
@pytest.mark.parametrize("facts", HOSTILE)
def test_conformance_to_what_a_witness_is(name: str, facts: Facts) -> None:
    for found in WITNESSES[name](facts, Sources()):
        assert isinstance(found, Opinion)
        assert found.witness == name
        assert found.log_weights.shape == background().shape
        assert np.isfinite(found.log_weights).all()
        assert found.because
        assert len(found.because) < 1_000
        assert found.because.isprintable()


@pytest.mark.parametrize("name", WITNESSES)
def test_a_file_that_says_nothing_is_given_no_opinion(name: str) -> None:
    assert list(WITNESSES[name](Facts(), Sources())) == []


def test_megabytes_of_lyrics_cost_no_more_than_a_page() -> None:
    page, book = Facts(lyrics=TURKISH * 50), Facts(lyrics=TURKISH * 100_000)
    ask(page)

    def cost(facts: Facts) -> float:
        start = time.process_time()
        for _ in range(20):
            ask(facts)
        return time.process_time() - start

    assert cost(book) < 5 * cost(page) + 0.05


def test_names_of_witnesses_are_parsed() -> None:
    assert parse_witnesses("sound, language,sound") == ("sound", "language")
    assert set(CHEAP) == set(WITNESSES) - {"sound", "sung-language"}
    for wrong in ("", "sounds", "language,,letters"):
        with pytest.raises(UsageError):
            parse_witnesses(wrong)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sounds,language", "--evidence sounds,language: unknown witness sounds"),
        ("", "--evidence names no witness"),
        (" ,", "--evidence names no witness"),
    ],
)
def test_a_wrong_choice_of_witnesses_is_told_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_witnesses(text)
    assert caught.value.message == message
    assert caught.value.hint == "the witnesses are artists, language, words, codes, sung-language, sound"


def test_only_the_witnesses_that_were_chosen_speak() -> None:
    facts = Facts(title="Şarkılar seni söyler", isrc="FRZ039801212")
    assert {found.witness for found in ask(facts, witnesses=("codes",))} == {codes.NAME}
    assert {found.witness for found in ask(facts)} == {codes.NAME, language.NAME}


def test_importing_the_witnesses_reads_no_model() -> None:
    heavy = "('py3langid', 'torch', 'requests')"
    check = f"import sys, geoclass.evidence.registry; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
