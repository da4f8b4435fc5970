"""What people corrected: whom it holds for, and that it is found again."""

import json
from pathlib import Path

import pytest

from geoclass.errors import StorageError
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.tags import Tags

A, B = Path("/music/a.mp3"), Path("/music/b.mp3")
NOBODY = Tags(kind="mp3")


def by(artist: str) -> Tags:
    return Tags(kind="mp3", values={"artist": (artist, "Guest")})


def test_nothing_is_corrected_at_first() -> None:
    assert Corrections().find("country", A, by("Selda")) == ()
    assert Corrections.load().find("country", A, by("Selda")) == ()


def test_a_country_belongs_to_the_artist_however_the_name_is_spelled() -> None:
    remembered = Corrections()
    remembered.add("country", A, by("Barış Manço"), ("TR",))
    for spelling in ("Barış Manço", " BARIŞ MANÇO ", "Baris Manco"):
        assert remembered.find("country", B, by(spelling)) == ("TR",)
    assert remembered.find("country", A, by("Selda")) == ()
    assert remembered.find("genre", A, by("Barış Manço")) == ()
    assert remembered.find("country", A, NOBODY) == ()


def test_a_genre_belongs_to_the_file() -> None:
    remembered = Corrections()
    remembered.add("genre", A, by("Selda"), ("Folk", "Rock"))
    assert remembered.find("genre", A, by("Selda")) == ("Folk", "Rock")
    assert remembered.find("genre", A, by("Other")) == ("Folk", "Rock")
    assert remembered.find("genre", B, by("Selda")) == ()
    assert remembered.find("country", A, by("Selda")) == ()


def test_the_country_of_a_file_without_an_artist_belongs_to_the_file_and_outlives_its_tags() -> None:
    remembered = Corrections()
    remembered.add("country", A, NOBODY, ("TR",))
    assert remembered.find("country", A, NOBODY) == ("TR",)
    assert remembered.find("country", A, by("Selda")) == ("TR",)
    assert remembered.find("country", B, NOBODY) == ()


def test_the_last_word_counts() -> None:
    remembered = Corrections()
    remembered.add("country", A, by("Selda"), ("GR",))
    remembered.add("country", B, by("Selda"), ("TR",))
    assert remembered.find("country", A, by("Selda")) == ("TR",)


@pytest.mark.parametrize("named", [False, True])
def test_what_is_saved_is_found_again(home: Path, tmp_path: Path, named: bool) -> None:
    path = tmp_path / "corrections.json" if named else None
    remembered = Corrections()
    odd = Path("/music/caf\udce9.mp3")  # a name that is not UTF-8
    remembered.add("genre", odd, NOBODY, ("Folk", "Rock"))
    remembered.add("country", A, by("Selda"), ("TR",))
    remembered.save(path)
    where = path or home / "state" / "corrections.json"
    document = json.loads(where.read_text(encoding="utf-8"))
    assert (document["format"], document["version"]) == ("geoclass/corrections", 1)
    assert document["values"]["country of selda"] == ["TR"]
    assert list(document["values"]) == sorted(document["values"])
    found = Corrections.load(path)
    assert found.find("genre", odd, NOBODY) == ("Folk", "Rock")
    assert found.find("country", B, by("SELDA")) == ("TR",)
    assert found.find("genre", Path("/music/caf.mp3"), NOBODY) == ()


def test_names_that_are_not_utf8_are_told_apart() -> None:
    remembered = Corrections()
    remembered.add("genre", Path("/music/\udce9.mp3"), NOBODY, ("Folk",))
    assert remembered.find("genre", Path("/music/\udcea.mp3"), NOBODY) == ()
    assert remembered.find("genre", Path("/music/\udce9.mp3"), NOBODY) == ("Folk",)


def test_names_of_artists_saved_by_the_first_version_are_found(tmp_path: Path) -> None:
    path = tmp_path / "corrections.json"
    values = {"country of beyoncé": ["US"], "country in /music/é.mp3": ["FR"]}
    path.write_text(json.dumps({"format": "geoclass/corrections", "version": 1, "values": values}))
    found = Corrections.load(path)
    assert found.find("country", A, by("Beyoncé")) == ("US",)
    assert found.find("country", Path("/music/é.mp3"), NOBODY) == ("FR",)


def test_another_file_in_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "corrections.json"
    path.write_text('{"format": "geoclass/else", "version": 1, "values": {}}')
    with pytest.raises(StorageError):
        Corrections.load(path)
