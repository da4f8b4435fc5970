from pathlib import Path

import pytest
from corpus_trees import write_csv
from hypothesis import given
from hypothesis import strategies as st

from geoclass.corpora.tables import (
    coordinates,
    find_columns,
    find_table,
    finite,
    header_of,
    number_table,
    read_rows,
)
from geoclass.errors import CorpusError

FILE = Path("table.csv")


@given(st.text() | st.floats().map(str))
def test_finite_gives_finite_numbers_or_nothing(text: str) -> None:
    number = finite(text)
    assert number is None or abs(number) <= 1.7976931348623157e308


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("41.9", "12.5", (41.9, 12.5)),
        ("0", "0", (0.0, 0.0)),  # for the build step to judge
        ("91", "12", (None, None)),
        ("12", "-180.5", (None, None)),
        ("", "12", (None, None)),
        ("nan", "12", (None, None)),
    ],
)
def test_coordinates_come_in_pairs_on_the_globe(
    latitude: str, longitude: str, expected: tuple[float | None, float | None]
) -> None:
    assert coordinates(latitude, longitude) == expected


def test_columns_are_found_by_any_of_their_names_and_any_case() -> None:
    found = find_columns(
        [" Artist ", "TRACK_TITLE", "x"], FILE, required={"track": ("track_name", "track_title"), "artist": ("artist",)}
    )
    assert found == {"track": 1, "artist": 0}


def test_the_first_accepted_name_wins() -> None:
    assert find_columns(["track", "track_name"], FILE, required={"track": ("track_name", "track")}) == {"track": 1}


def test_of_two_columns_of_one_name_the_first_counts() -> None:
    assert find_columns(["track", "Track"], FILE, required={"track": ("track",)}) == {"track": 0}


def test_all_missing_columns_are_named_with_what_was_accepted() -> None:
    with pytest.raises(CorpusError) as caught:
        find_columns(
            ["x", "y"],
            FILE,
            required={"track": ("track_name", "track"), "country": ("country",)},
            optional={"z": ("z",)},
        )
    assert "table.csv has no column for track (accepted: track_name, track)" in caught.value.message
    assert caught.value.message.endswith("and none for country"), "z is optional; country has no other name"
    assert caught.value.hint == "its columns are: x, y"


def test_rows_survive_long_fields_line_breaks_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [["a", "b"], ["x" * 200_000, 'two\nlines, "quoted"'], []])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    rows = list(read_rows(path))
    assert [row for _, row in rows] == [["a", "b"], ["x" * 200_000, 'two\nlines, "quoted"']]
    assert [line for line, _ in rows] == [1, 3]


def test_unreadable_tables_are_one_error_each(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("città".encode("latin-1"))
    with pytest.raises(CorpusError, match="not UTF-8"):
        list(read_rows(tmp_path / "latin.csv"))
    with pytest.raises(CorpusError, match="cannot read"):
        list(read_rows(tmp_path / "missing.csv"))
    (tmp_path / "empty.csv").touch()
    with pytest.raises(CorpusError, match="is empty"):
        header_of(read_rows(tmp_path / "empty.csv"), tmp_path / "empty.csv")


def test_a_table_is_found_as_given_or_below_the_root(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [["a"]])
    assert find_table(path, tmp_path / "elsewhere") == path
    assert find_table("t.csv", tmp_path) == path
    with pytest.raises(CorpusError, match=r"u\.csv"):
        find_table("u.csv", tmp_path)


def test_numbers_faults_repeats_and_constant_columns() -> None:
    table = number_table(
        FILE,
        ["tempo", "meter", "mode"],
        [
            ("a", ["1", "4", "0"]),
            ("b", ["2", "4", "1"]),
            ("a", ["9", "9", "9"]),
            ("c", ["inf", "4", "1"]),
            ("d", ["1"]),
        ],
    )
    assert table.columns == ("tempo", "mode")
    assert table.row("b") == {"tempo": 2.0, "mode": 1.0}
    assert table.faults == {"c": "tempo is not a finite number", "d": "wrong number of values: expected 3, found 1"}
    assert "c" in table
    assert "e" not in table
    assert len(table) == 2
    notes = " ".join(table.notes(FILE))
    assert "meter" in notes
    assert "1 rows repeat" in notes


def test_a_column_that_repeats_another_is_left_out_and_named() -> None:
    rows = [("a", ["1", "5", "1", "2"]), ("b", ["2", "5", "2.0", "1"]), ("c", ["3", "5", "3", "3"])]
    table = number_table(FILE, ["energy", "key", "power", "loudness"], rows)
    assert table.columns == ("energy", "loudness")
    assert table.row("b") == {"energy": 2.0, "loudness": 1.0}
    assert (table.constant, table.copies) == (("key",), ("power",))
    assert [note.rpartition(": ")[2] for note in table.notes(FILE)] == ["key", "power"]


def test_a_table_without_a_column_that_varies_is_one_error() -> None:
    with pytest.raises(CorpusError, match="the same value in all"):
        number_table(FILE, ["a", "b"], [("x", ["1", "2"]), ("y", ["1", "2"])])


def test_a_table_without_a_usable_row_is_one_error() -> None:
    with pytest.raises(CorpusError, match="a is not a finite number"):
        number_table(FILE, ["a"], [("x", ["nan"])])
    with pytest.raises(CorpusError, match="no usable row"):
        number_table(FILE, ["a"], [])
