from collections import Counter
from pathlib import Path

import pytest
from corpus_trees import gtzan_tree, write_csv, write_sound

from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.gtzan import GTZAN, _filtered_split
from geoclass.errors import CorpusError, UsageError


def test_the_shipped_lists_are_those_of_the_paper() -> None:
    split = _filtered_split()
    assert Counter(split.values()) == {"train": 443, "valid": 197, "test": 290}
    assert Counter(clip.split(".")[0] for clip in split).keys() == {
        *("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
    }


def test_the_filtered_split_is_the_default_and_leaves_clips_out_by_name(tmp_path: Path) -> None:
    found = list(GTZAN(gtzan_tree(tmp_path).root).tracks())
    assert {item.track_id: item.split for item in found if isinstance(item, Track)} == {
        "blues.00029": "train",
        "blues.00000": "valid",
        "blues.00012": "test",
        "rock.00010": "test",
    }
    assert {item.track_id: item.reason for item in found if isinstance(item, Skipped)} == {
        "jazz.00033": "left out by the fault-filtered split",
        "notes": "file is not named as a GTZAN clip (blues.00000.wav)",
    }


def test_clips_of_the_split_that_are_not_there_are_counted(tmp_path: Path) -> None:
    corpus = GTZAN(gtzan_tree(tmp_path).root)
    list(corpus.tracks())
    assert corpus.notes == ["926 of the 930 clips of the fault-filtered split are not here"]


def test_random_means_every_clip_and_no_official_split(tmp_path: Path) -> None:
    corpus = GTZAN(gtzan_tree(tmp_path).root, split="random")
    found = [item for item in corpus.tracks() if isinstance(item, Track)]
    assert len(found) == 5
    assert {track.split for track in found} == {""}
    assert {track.artist_id for track in found} == {""}
    assert "leak" in corpus.description


def test_an_unknown_split_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="artist"):
        GTZAN(gtzan_tree(tmp_path).root, split="artist")


@pytest.mark.parametrize("base", ["genres_original", "genres", "."])
@pytest.mark.parametrize("suffix", [".wav", ".au", ".WAV"])
def test_both_layouts_and_formats(tmp_path: Path, base: str, suffix: str) -> None:
    write_sound(tmp_path / base / f"jazz/jazz.00054{suffix}")
    corpus = GTZAN(tmp_path, split="random")
    (track,) = corpus.tracks()
    assert isinstance(track, Track)
    assert (track.genre, track.path) == ("jazz", f"jazz/jazz.00054{suffix}")
    assert corpus.audio_root == tmp_path / base


def test_a_clip_in_two_formats_counts_once(tmp_path: Path) -> None:
    write_sound(tmp_path / "genres/jazz/jazz.00001.au")
    write_sound(tmp_path / "genres/jazz/jazz.00001.wav")
    found = list(GTZAN(tmp_path, split="random").tracks())
    assert [type(item) for item in found] == [Track, Skipped]


def test_empty_clips_are_skipped(tmp_path: Path) -> None:
    write_sound(tmp_path / "genres/jazz/jazz.00001.au", b"")
    (item,) = GTZAN(tmp_path, split="random").tracks()
    assert isinstance(item, Skipped)
    assert "empty" in item.reason


def test_no_clips_is_one_error(tmp_path: Path) -> None:
    write_sound(tmp_path / "genres_original/jazz/jazz.00001.mp3")
    with pytest.raises(CorpusError, match="no clips") as caught:
        GTZAN(tmp_path)
    assert "--features" in str(caught.value.hint)


ROWS = [
    ["filename", "length", "tempo", "rms_mean", "meter", "label"],
    ["blues.00029.wav", 661794, 120, 0.1, 4, "blues"],
    ["blues.00000.wav", 660000, 90, 0.2, 4, "blues"],
    ["rock.00010.wav", 661794, 100, 0.3, 4, "rock"],
    ["jazz.00033.wav", 661794, 101, 0.3, 4, "jazz"],
    ["rock.00011.wav", 661794, "nan", 0.3, 4, "rock"],
]


def test_the_table_of_statistics(tmp_path: Path) -> None:
    write_csv(tmp_path / "features_30_sec.csv", ROWS)
    corpus = GTZAN(tmp_path, features="features_30_sec.csv")
    assert corpus.columns == ("tempo", "rms_mean")  # length is no feature, meter says nothing
    assert corpus.audio_root is None
    found = list(corpus.tracks())
    first = found[0]
    assert isinstance(first, Track)
    assert (first.track_id, first.genre, first.split, first.path) == ("blues.00029", "blues", "train", "")
    assert first.features == {"tempo": 120.0, "rms_mean": 0.1}
    assert {item.track_id: item.reason for item in found if isinstance(item, Skipped)} == {
        "jazz.00033": "left out by the fault-filtered split",
        "rock.00011": "tempo is not a finite number",
    }
    assert any("meter" in note for note in corpus.notes)


@pytest.mark.parametrize("column", ["filename", "label"])
def test_a_table_without_its_columns_is_one_error(tmp_path: Path, column: str) -> None:
    place = ROWS[0].index(column)
    write_csv(tmp_path / "t.csv", [row[:place] + row[place + 1 :] for row in ROWS])
    with pytest.raises(CorpusError, match=f"no column for {column}"):
        GTZAN(tmp_path, features="t.csv")


def test_a_missing_table_is_one_error(tmp_path: Path) -> None:
    write_sound(tmp_path / "genres/jazz/jazz.00001.au")
    with pytest.raises(CorpusError, match=r"no table f\.csv"):
        GTZAN(tmp_path, features="f.csv")
