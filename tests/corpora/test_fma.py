from pathlib import Path

import pytest
from corpus_trees import fma_row, write_fma

from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.fma import FMA, SUBSETS
from geoclass.errors import CorpusError, UsageError


def tracks(corpus: FMA) -> dict[str, Track]:
    return {item.track_id: item for item in corpus.tracks() if isinstance(item, Track)}


def skipped(corpus: FMA) -> dict[str, str]:
    return {item.track_id: item.reason for item in corpus.tracks() if isinstance(item, Skipped)}


def test_a_row_becomes_a_track(tmp_path: Path) -> None:
    row = fma_row(2, artist_name="Sim&oacute;n <b>Band</b>", artist_id=77, artist_location="<p>Brooklyn, NY</p>")
    track = tracks(FMA(write_fma(tmp_path, [row])))["2"]
    assert track == Track(
        track_id="2",
        path="000/000002.mp3",
        artist_id="77",
        artist="Simón Band",
        album="Songs",
        title="Song 2",
        latitude=41.9,
        longitude=12.5,
        place="Brooklyn, NY",
        genre="Folk",
        duration_s=30.0,
        licence="CC BY",
    )


def test_artists_without_a_place_come_through_for_the_build_step_to_count(tmp_path: Path) -> None:
    row = fma_row(2, artist_latitude="", artist_longitude="", artist_location="")
    track = tracks(FMA(write_fma(tmp_path, [row])))["2"]
    assert (track.latitude, track.longitude, track.place) == (None, None, "")


@pytest.mark.parametrize(
    ("subset", "expected"), [("small", "2"), ("medium", "2 3"), ("large", "2 3 5"), ("full", "2 3 5")]
)
def test_subsets_contain_those_before_them(tmp_path: Path, subset: str, expected: str) -> None:
    rows = [fma_row(2), fma_row(3, set_subset="medium"), fma_row(5, set_subset="large")]
    corpus = FMA(write_fma(tmp_path, rows, audio=f"fma_{subset}"), subset=subset)
    assert sorted(tracks(corpus)) == expected.split()
    outside = 3 - len(expected.split())
    assert any(f"{outside} tracks" in note for note in corpus.notes) == bool(outside)


@pytest.mark.parametrize("audio", ["fma_small", "fma_audio/fma_small", "fma_large", "fma_audio/fma_full", "fma_audio"])
@pytest.mark.parametrize("at_metadata", [False, True])
def test_sound_is_found_beside_or_below_and_in_larger_subsets(tmp_path: Path, audio: str, at_metadata: bool) -> None:
    root = write_fma(tmp_path, [fma_row(2)], audio=audio)
    corpus = FMA(root / "fma_metadata" if at_metadata else root)
    assert list(tracks(corpus)) == ["2"]
    assert corpus.audio_root == tmp_path / audio


def test_the_folder_of_the_subset_itself_comes_first(tmp_path: Path) -> None:
    root = write_fma(tmp_path, [fma_row(2)], audio="fma_large")
    write_fma(tmp_path, [fma_row(2)], audio="fma_audio/fma_small")
    assert FMA(root).audio_root == tmp_path / "fma_audio/fma_small"


def test_durations_are_those_of_the_files(tmp_path: Path) -> None:
    whole = FMA(write_fma(tmp_path, [fma_row(2)], audio="fma_full"), subset="full")
    assert tracks(whole)["2"].duration_s == 168


def test_metadata_may_be_the_root_itself(tmp_path: Path) -> None:
    root = write_fma(tmp_path / "fma", [fma_row(2)])
    for file in (root / "fma_metadata").iterdir():
        file.rename(root / file.name)
    (root / "fma_metadata").rmdir()
    assert list(tracks(FMA(root))) == ["2"]


@pytest.mark.parametrize("subset", SUBSETS[1:])
def test_a_subset_without_sound_is_one_error(tmp_path: Path, subset: str) -> None:
    root = write_fma(tmp_path, [fma_row(2)])
    (root / f"fma_{subset}").mkdir()  # made, but nothing unpacked into it
    with pytest.raises(CorpusError, match=f"no sound for the FMA subset {subset}") as caught:
        FMA(root, subset=subset)
    assert f"fma_{subset}.zip" in str(caught.value.hint)


def test_an_unknown_subset_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tiny"):
        FMA(write_fma(tmp_path, [fma_row(2)]), subset="tiny")


def test_no_metadata_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "fma_small").mkdir()
    with pytest.raises(CorpusError, match=r"no tracks\.csv") as caught:
        FMA(tmp_path)
    assert "fma_metadata.zip" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("task", "column"),
    [
        ("country", "artist_latitude"),
        ("country", "set_subset"),
        ("genre", "track_genres_all"),
        ("genre", "track_genre_top"),
        ("country,genre", "artist_location"),
    ],
)
def test_a_missing_column_is_named_at_once(tmp_path: Path, task: str, column: str) -> None:
    root = write_fma(tmp_path, [fma_row(2)], without=[column])
    with pytest.raises(CorpusError, match=column.replace("_", ".", 1)) as caught:
        FMA(root, task=task)
    assert "tracks.csv" in caught.value.message
    assert "two rows are headers" in str(caught.value.hint)


def test_columns_of_the_other_task_may_be_missing(tmp_path: Path) -> None:
    root = write_fma(tmp_path, [fma_row(2)], without=["artist_latitude", "track_genres_all", "track_license"])
    (root / "fma_metadata/genres.csv").unlink()
    with pytest.raises(CorpusError):
        FMA(root, task="country")
    root = write_fma(tmp_path / "g", [fma_row(2)], without=["artist_latitude"])
    assert tracks(FMA(root, task="genre"))["2"].latitude is None
    root = write_fma(tmp_path / "c", [fma_row(2)], without=["track_genres_all"])
    (root / "fma_metadata/genres.csv").unlink()
    assert tracks(FMA(root, task="country"))["2"].genres == ()


def test_a_table_with_one_header_row_is_not_taken_for_fma(tmp_path: Path) -> None:
    root = write_fma(tmp_path, [fma_row(2)])
    (root / "fma_metadata/tracks.csv").write_text("track_id,title\n2,Song\n")
    with pytest.raises(CorpusError, match=r"track\.title"):
        FMA(root)


def test_genres_carry_their_parents(tmp_path: Path) -> None:
    rows = [
        fma_row(2, track_genres_all="[79, 103]"),
        fma_row(3, track_genres_all="[17, 103]"),
        fma_row(5, track_genres_all="[]", track_genre_top=""),
        fma_row(7, track_genres_all=""),
    ]
    found = tracks(FMA(write_fma(tmp_path, rows), task="genre"))
    assert found["2"].genres == ("Reggae & Dub", "International", "Singer-Songwriter", "Folk")
    assert found["3"].genres == ("Folk", "Singer-Songwriter")
    assert (found["5"].genre, found["5"].genres) == ("", ())
    assert found["7"].genres == ()


def test_genres_that_cannot_be_read_are_skipped_with_the_reason(tmp_path: Path) -> None:
    rows = [fma_row(2, track_genres_all="[9999]"), fma_row(3, track_genres_all="Folk"), fma_row(5)]
    root = write_fma(tmp_path, rows)
    reasons = skipped(FMA(root, task="genre"))
    assert set(reasons) == {"2", "3"}
    assert "is not in genres.csv" in reasons["2"]
    assert "not a list" in reasons["3"]
    assert not skipped(FMA(root, task="country"))


def test_a_loop_of_parents_ends(tmp_path: Path) -> None:
    root = write_fma(tmp_path, [fma_row(2, track_genres_all="[1]")])
    (root / "fma_metadata/genres.csv").write_text("genre_id,#tracks,parent,title,top_level\n1,1,2,A,2\n2,1,1,B,2\n")
    assert tracks(FMA(root, task="genre"))["2"].genres == ("A", "B")


def test_a_broken_line_of_genres_is_one_error(tmp_path: Path) -> None:
    root = write_fma(tmp_path, [fma_row(2)])
    (root / "fma_metadata/genres.csv").write_text("genre_id,#tracks,parent,title,top_level\n1,1,x,A,2\n")
    with pytest.raises(CorpusError, match="line 2"):
        FMA(root, task="genre")


def test_the_official_split_is_used_when_it_is_whole(tmp_path: Path) -> None:
    rows = [fma_row(number, set_split=split) for number, split in ((2, "training"), (3, "validation"), (5, "test"))]
    root = write_fma(tmp_path, rows)
    assert [track.split for track in tracks(FMA(root)).values()] == ["train", "valid", "test"]
    (root / "fma_small/000/000005.mp3").unlink()
    corpus = FMA(root)
    assert [track.split for track in tracks(corpus).values()] == ["", ""]
    assert any("no test tracks" in note for note in corpus.notes)


def test_missing_and_empty_sound_is_skipped(tmp_path: Path) -> None:
    root = write_fma(tmp_path, [fma_row(2), fma_row(3), fma_row(5)])
    (root / "fma_small/000/000002.mp3").unlink()
    (root / "fma_small/000/000003.mp3").write_bytes(b"")
    assert skipped(FMA(root)) == {"2": "audio file is missing", "3": "audio file is empty (0 bytes)"}


def test_lines_that_are_cut_off_are_skipped(tmp_path: Path) -> None:
    root = write_fma(tmp_path, [fma_row(2)])
    with (root / "fma_metadata/tracks.csv").open("a") as file:
        file.write("3,Songs\n,x\n")
    reasons = skipped(FMA(root))
    assert "number of columns" in reasons["3"]
    assert "without a track id" in next(reason for key, reason in reasons.items() if key.startswith("line"))
