from pathlib import Path

import pytest
from corpus_trees import uci_tree, write_csv

from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.uci import UCI
from geoclass.errors import CorpusError, UsageError


@pytest.mark.parametrize(("n_features", "first", "last"), [(68, "f01", "f68"), (116, "f001", "f116")])
def test_both_files(tmp_path: Path, n_features: int, first: str, last: str) -> None:
    corpus = UCI(uci_tree(tmp_path, n_features=n_features).root, n_features=n_features)
    assert (corpus.columns[0], corpus.columns[-1], len(corpus.columns)) == (first, last, n_features)
    track = next(corpus.tracks())
    assert isinstance(track, Track)
    assert (track.latitude, track.longitude, track.country) == (-15.75, -47.95, "")
    assert track.features is not None
    assert track.features[last] == n_features / 7
    assert track.licence == "CC BY 4.0"


def test_the_folder_of_the_archive_is_looked_into(tmp_path: Path) -> None:
    uci_tree(tmp_path / "Geographical Original of Music")
    assert len(list(UCI(tmp_path).tracks())) == 4


def test_the_other_file_is_not_taken_for_the_one_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="default_plus_chromatic"):
        UCI(uci_tree(tmp_path).root, n_features=116)


def test_another_number_of_features_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="70") as caught:
        UCI(uci_tree(tmp_path).root, n_features=70)
    assert "68, 116" in str(caught.value.hint)


def test_rows_that_cannot_be_used_are_skipped_each_with_its_reason(tmp_path: Path) -> None:
    good = [0.5 * number for number in range(68)]
    rows = [[*good, 10, 20], [*good[::-1], 95, 20], [*good[:-1], "x", 10, 20], good[:5], [7]]
    write_csv(tmp_path / "default_features_1059_tracks.txt", rows)
    assert {item.track_id: item.reason for item in UCI(tmp_path).tracks() if isinstance(item, Skipped)} == {
        "uci-0002": "latitude or longitude out of range",
        "uci-0003": "f68 is not a finite number",
        "uci-0004": "wrong number of values: expected 68, found 3",
        "uci-0005": "wrong number of values: expected 68, found 0",
    }


def test_a_constant_column_is_left_out_and_named(tmp_path: Path) -> None:
    rows = [[row * column + 1.0 for column in range(68)] + [10, 20] for row in range(3)]  # f01 is 1 in every row
    write_csv(tmp_path / "default_features_1059_tracks.txt", rows)
    corpus = UCI(tmp_path)
    assert corpus.columns[0] == "f02"
    list(corpus.tracks())
    assert any("f01" in note for note in corpus.notes)
