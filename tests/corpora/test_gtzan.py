import json
from collections import Counter
from pathlib import Path

import pytest
from corpus_trees import gtzan_tree, write_csv, write_sound

from geoclass.config.settings import BuildConfig
from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.gtzan import GTZAN, _filtered_split
from geoclass.dataset.build import build_dataset
from geoclass.errors import CorpusError


def test_the_shipped_lists_are_those_of_the_paper() -> None:
    split = _filtered_split()
    assert Counter(split.values()) == {"train": 443, "valid": 197, "test": 290}
    assert Counter(clip.split(".")[0] for clip in split).keys() == {
        *("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
    }


def test_the_filtered_split_is_the_official_one_and_has_no_place_for_some_clips(tmp_path: Path) -> None:
    found = list(GTZAN(gtzan_tree(tmp_path).root).tracks())
    assert {item.track_id: item.split for item in found if isinstance(item, Track)} == {
        "blues.00029": "train",
        "blues.00000": "valid",
        "blues.00012": "test",
        "rock.00010": "test",
        "jazz.00033": "",
    }
    assert {track.artist_id for track in found if isinstance(track, Track)} == {""}
    assert {item.track_id: item.reason for item in found if isinstance(item, Skipped)} == {
        "notes": "file is not named as a GTZAN clip (blues.00000.wav)",
    }


def test_clips_of_the_split_that_are_not_there_are_counted(tmp_path: Path) -> None:
    corpus = GTZAN(gtzan_tree(tmp_path).root)
    list(corpus.tracks())
    assert corpus.notes == ["926 of the 930 clips of the fault-filtered split are missing"]


@pytest.mark.parametrize("base", ["genres_original", "genres", "."])
@pytest.mark.parametrize("suffix", [".wav", ".au", ".WAV"])
def test_both_layouts_and_formats(tmp_path: Path, base: str, suffix: str) -> None:
    write_sound(tmp_path / base / f"jazz/jazz.00054{suffix}")
    corpus = GTZAN(tmp_path)
    (track,) = corpus.tracks()
    assert isinstance(track, Track)
    assert (track.genre, track.path) == ("jazz", f"jazz/jazz.00054{suffix}")
    assert corpus.audio_root == tmp_path / base


def test_a_clip_in_two_formats_counts_once(tmp_path: Path) -> None:
    write_sound(tmp_path / "genres/jazz/jazz.00001.au")
    write_sound(tmp_path / "genres/jazz/jazz.00001.wav")
    found = list(GTZAN(tmp_path).tracks())
    assert [type(item) for item in found] == [Track, Skipped]


def test_empty_clips_are_skipped(tmp_path: Path) -> None:
    write_sound(tmp_path / "genres/jazz/jazz.00001.au", b"")
    (item,) = GTZAN(tmp_path).tracks()
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


@pytest.mark.parametrize(
    ("config", "n_tracks", "source", "protocol"),
    [
        (BuildConfig(task="genre"), 36, "official", "track-disjoint (artists unknown)"),
        (BuildConfig(task="genre", group="track"), 42, "seed 0", "leaky"),
        (BuildConfig(task="genre", seed=3), 42, "seed 3", "track-disjoint (artists unknown)"),
    ],
)
def test_the_library_uses_the_filtered_split_unless_another_is_asked_for(
    tmp_path: Path, config: BuildConfig, n_tracks: int, source: str, protocol: str
) -> None:
    filtered = _filtered_split()
    by_split = {split: [clip for clip in filtered if filtered[clip] == split] for split in ("train", "valid", "test")}
    chosen = [
        clip
        for own in by_split.values()
        for genre in ("jazz", "pop")
        for clip in [clip for clip in own if clip.startswith(genre)][:6]
    ]
    left_out = [f"jazz.{number:05d}" for number in range(100) if f"jazz.{number:05d}" not in filtered][:3]
    left_out += [f"pop.{number:05d}" for number in range(100) if f"pop.{number:05d}" not in filtered][:3]
    header = ["filename", "tempo", "rms", "label"]
    rows = [[f"{clip}.wav", n, 3 * n + n % 2, clip.split(".")[0]] for n, clip in enumerate([*chosen, *left_out])]
    write_csv(tmp_path / "t.csv", [header, *rows])
    dataset = build_dataset(GTZAN(tmp_path, features="t.csv"), out=tmp_path / "out", config=config)
    assert len(dataset.tracks) == n_tracks
    assert dataset.document["split"]["source"] == source
    assert dataset.protocol == protocol
    warnings = json.loads((tmp_path / "out" / "summary.json").read_text())["warnings"]
    alone = "42 tracks have no artist: each is treated as a separate artist"
    assert (alone in warnings) == (config.seed == 3)  # only a split that is drawn by artist can say so


def test_without_a_config_the_first_task_of_the_corpus_is_built(tmp_path: Path) -> None:
    filtered = [clip for clip in _filtered_split() if clip[:4] in ("blue", "rock")]
    rows = [[f"{clip}.wav", n, n % 7, clip.split(".")[0]] for n, clip in enumerate(filtered)]
    write_csv(tmp_path / "t.csv", [["filename", "tempo", "rms", "label"], *rows])
    dataset = build_dataset(GTZAN(tmp_path, features="t.csv"), out=tmp_path / "out")
    assert dataset.tasks == ("genre",)
