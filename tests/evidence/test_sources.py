"""What the witnesses may ask: the user's table of artists, and what `learn` found out."""

import pytest

from geoclass.evidence.artist_table import Artist, default_path, write_table
from geoclass.evidence.facts import Facts
from geoclass.evidence.library import LibraryEvidence
from geoclass.evidence.registry import Sources, ask
from geoclass.storage import data_dir

SELDA = Facts(artist="Selda")


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def table() -> None:
    write_table([Artist(mbid="x", name="Selda", country="TR")], path=default_path(), source="test")


def test_the_table_is_asked_for_the_witness_of_artists_alone(table: None, notes: list[str]) -> None:
    (said,) = ask(SELDA, sources=Sources.open(("language", "artists"), learned=False, note=notes.append))
    assert said.says(1)[0][0] == "TR"
    assert Sources.open(("language", "sound"), learned=False, note=notes.append).artists is None
    assert notes == []


def test_who_has_nothing_is_told_nothing(notes: list[str]) -> None:
    sources = Sources.open(("artists",), learned=True, note=notes.append)
    assert (sources.artists, sources.library, notes) == (None, None, [])


def test_a_damaged_table_is_named_once_and_not_asked(table: None, notes: list[str]) -> None:
    default_path().write_bytes(b"SQLite format 3\x00" + b"\xff" * 5_000)
    sources = Sources.open(("artists",), learned=False, note=notes.append)
    assert ask(SELDA, sources=sources) == []
    (note,) = notes
    assert str(default_path()) in note
    assert "geoclass artists import" in note


def test_what_learn_found_out_counts_where_it_is_wanted(notes: list[str]) -> None:
    folder = data_dir() / "models" / "mine"
    folder.mkdir(parents=True)
    LibraryEvidence(trust={"title": 0.5}, artists={"TR": 9}).save(folder)
    found = Sources.open((), learned=True, note=notes.append).library
    assert found is not None
    assert found.trust == {"title": 0.5}
    assert Sources.open((), learned=False, note=notes.append).library is None
