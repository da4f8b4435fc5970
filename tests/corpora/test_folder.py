import os
from pathlib import Path

import pytest
from corpus_trees import write_csv, write_sound

from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.folder import Folder
from geoclass.errors import CorpusError, UsageError


def tracks(corpus: Folder) -> dict[str, Track]:
    return {item.path: item for item in corpus.tracks() if isinstance(item, Track)}


def skipped(corpus: Folder) -> dict[str, str]:
    return {item.track_id: item.reason for item in corpus.tracks() if isinstance(item, Skipped)}


@pytest.fixture
def csv_folder(tmp_path: Path) -> Path:
    for name in "abcdef":
        write_sound(tmp_path / f"sound/{name}.mp3")
    return tmp_path


def test_names_and_codes_of_countries_meet_in_one_label(tmp_path: Path) -> None:
    for path in ("Turkey/a.mp3", "TR/b.mp3", "türkiye/c.mp3"):
        write_sound(tmp_path / path)
    assert {track.country for track in tracks(Folder(tmp_path)).values()} == {"TR"}


def test_the_folders_below_the_label_are_artist_and_album(tmp_path: Path) -> None:
    for path in ("TR/a.mp3", "TR/Sezen Aksu/b.mp3", "TR/SEZEN AKSU/Git/disc 1/c.mp3"):
        write_sound(tmp_path / path)
    found = tracks(Folder(tmp_path))
    assert found["TR/a.mp3"].artist_id == ""
    assert found["TR/Sezen Aksu/b.mp3"].artist == "Sezen Aksu"
    assert found["TR/Sezen Aksu/b.mp3"].artist_id == found["TR/SEZEN AKSU/Git/disc 1/c.mp3"].artist_id != ""
    assert found["TR/SEZEN AKSU/Git/disc 1/c.mp3"].album == "Git"


def test_genres_are_taken_as_they_are(tmp_path: Path) -> None:
    write_sound(tmp_path / "Deep House/a.mp3")
    track = tracks(Folder(tmp_path, task="genre"))["Deep House/a.mp3"]
    assert (track.genre, track.genres, track.country) == ("Deep House", ("Deep House",), "")


def test_unknown_countries_are_skipped_by_name(tmp_path: Path) -> None:
    write_sound(tmp_path / "Atlantis/a.mp3")
    write_sound(tmp_path / "Peru/b.mp3")
    corpus = Folder(tmp_path)
    assert list(tracks(corpus)) == ["Peru/b.mp3"]
    assert skipped(corpus) == {"Atlantis/a.mp3": "unknown country: Atlantis"}


def test_no_known_country_at_all_is_one_error(tmp_path: Path) -> None:
    write_sound(tmp_path / "Atlantis/a.mp3")
    write_sound(tmp_path / "Narnia/b.mp3")
    with pytest.raises(CorpusError, match="Atlantis, Narnia") as caught:
        Folder(tmp_path)
    assert "--task genre" in str(caught.value.hint)


def test_what_is_not_sound_is_counted_and_hidden_files_are_not_seen(tmp_path: Path) -> None:
    for path in ("PE/a.mp3", "PE/cover.jpg", "PE/._a.mp3", "PE/.git/b.mp3", "readme.txt"):
        write_sound(tmp_path / path)
    corpus = Folder(tmp_path)
    assert list(tracks(corpus)) == ["PE/a.mp3"]
    assert [note.split()[0] for note in corpus.notes] == ["2"]


def test_two_tasks_need_a_csv(tmp_path: Path) -> None:
    write_sound(tmp_path / "PE/a.mp3")
    with pytest.raises(UsageError, match="one label") as caught:
        Folder(tmp_path, task="country,genre")
    assert "labels.csv" in str(caught.value.hint)


def test_a_folder_without_labels_is_one_error(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.mp3")
    with pytest.raises(CorpusError, match=r"neither labels\.csv nor sub-folders"):
        Folder(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes only there")
def test_a_name_that_is_not_utf8_is_skipped_and_can_be_written_down(tmp_path: Path) -> None:
    write_sound(tmp_path / "PE/a.mp3")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path / "PE") + b"/caf\xe9.mp3")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system refuses names that are not UTF-8")
    reasons = skipped(Folder(tmp_path))
    assert list(reasons.values()) == ["file name is not UTF-8"]
    assert next(iter(reasons)).encode("utf-8")


def test_a_csv_gives_both_labels(csv_folder: Path) -> None:
    write_csv(
        csv_folder / "labels.csv",
        [
            ["path", "Country", "genre", "artist", "album", "title", "license"],
            ["sound/a.mp3", "Turkey", "Folk", "Sezen", "Git", "Song", "CC0"],
            [csv_folder / "sound/b.mp3", "IT", "Rock", "", "", "", ""],
        ],
    )
    for root in (csv_folder, csv_folder / "labels.csv"):
        corpus = Folder(root, task="country,genre")
        assert corpus.audio_root == csv_folder
        found = tracks(corpus)
        assert list(found) == ["sound/a.mp3", "sound/b.mp3"]
        assert found["sound/a.mp3"] == Track(
            track_id="sound/a.mp3",
            path="sound/a.mp3",
            artist_id="sezen",
            artist="Sezen",
            album="Git",
            title="Song",
            country="TR",
            genre="Folk",
            genres=("Folk",),
            licence="CC0",
        )


def test_lines_of_a_csv_that_cannot_be_used_are_skipped_each_with_its_reason(csv_folder: Path) -> None:
    (csv_folder / "sound/e.mp3").write_bytes(b"")
    rows = [
        ["sound/a.mp3", "Peru"],
        ["sound/b.mp3", "Atlantis"],
        ["sound/a.mp3", "Peru"],
        ["sound/no.mp3", "Peru"],
        ["sound/e.mp3", "Peru"],
        ["", "Peru"],
        ["sound/c.mp3"],
    ]
    write_csv(csv_folder / "metadata.csv", [["path", "country"], *rows])
    found = list(Folder(csv_folder).tracks())
    assert [item.reason if isinstance(item, Skipped) else item.country for item in found] == [
        "PE",
        "unknown country: Atlantis",
        "path is listed twice",
        "audio file is missing",
        "audio file is empty (0 bytes)",
        "line without a path",
        "",
    ]


def test_coordinates_or_a_place_stand_for_the_country(csv_folder: Path) -> None:
    write_csv(csv_folder / "labels.csv", [["path", "latitude", "longitude"], ["sound/a.mp3", "41.9", "12.5"]])
    track = tracks(Folder(csv_folder))["sound/a.mp3"]
    assert (track.latitude, track.longitude, track.country) == (41.9, 12.5, "")
    write_csv(csv_folder / "labels.csv", [["path", "place"], ["sound/a.mp3", "Berlin"]])
    assert tracks(Folder(csv_folder))["sound/a.mp3"].place == "Berlin"


@pytest.mark.parametrize(
    ("header", "task", "missing"),
    [
        (["country"], "country", "path (accepted: path, file, filename)"),
        (["path"], "country", "no column for country"),
        (["path", "latitude"], "country", "no column for country"),
        (["path", "country"], "country,genre", "no column for genre"),
    ],
)
def test_a_missing_column_is_named(csv_folder: Path, header: list[str], task: str, missing: str) -> None:
    write_csv(csv_folder / "labels.csv", [header, ["x"] * len(header)])
    with pytest.raises(CorpusError) as caught:
        Folder(csv_folder, task=task)
    assert missing in caught.value.message


def test_several_genres(csv_folder: Path) -> None:
    write_csv(csv_folder / "labels.csv", [["path", "genres"], ["sound/a.mp3", "Folk| Rock"], ["sound/b.mp3", "Pop"]])
    found = tracks(Folder(csv_folder, task="genre"))
    assert (found["sound/a.mp3"].genre, found["sound/a.mp3"].genres) == ("", ("Folk", "Rock"))
    assert (found["sound/b.mp3"].genre, found["sound/b.mp3"].genres) == ("Pop", ("Pop",))


def test_a_split_of_ones_own(csv_folder: Path) -> None:
    rows = [
        ["sound/a.mp3", "PE", "train"],
        ["sound/b.mp3", "PE", "Validation"],
        ["sound/c.mp3", "PE", "test"],
        ["sound/d.mp3", "PE", "dev"],
    ]
    write_csv(csv_folder / "labels.csv", [["path", "country", "split"], *rows])
    corpus = Folder(csv_folder)
    assert [track.split for track in tracks(corpus).values()] == ["train", "valid", "test"]
    assert skipped(corpus) == {"sound/d.mp3": "unknown split: expected train, valid, test"}


def test_a_csv_of_unknown_countries_is_one_error(csv_folder: Path) -> None:
    write_csv(csv_folder / "labels.csv", [["path", "country"], ["sound/a.mp3", "Narnia"], ["sound/b.mp3", "Atlantis"]])
    with pytest.raises(CorpusError, match="Atlantis, Narnia"):
        list(Folder(csv_folder).tracks())


def test_folders_that_are_not_entered_are_skipped_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("PE/a.mp3", "PE/locked/b.mp3", "IT/c.mp3"):
        write_sound(tmp_path / path)
    (tmp_path / "PE/loop").symlink_to(tmp_path / "PE", target_is_directory=True)
    scandir = os.scandir

    def refusing(path: str) -> object:  # tests may run as root, whom no mode keeps out
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    corpus = Folder(tmp_path)
    assert list(tracks(corpus)) == ["IT/c.mp3", "PE/a.mp3"]
    assert skipped(corpus) == {"PE/locked": "folder cannot be read: Permission denied", "PE/loop": "folder is a link"}


def test_a_label_may_be_a_link(tmp_path: Path) -> None:
    write_sound(tmp_path / "elsewhere/a.mp3")
    (tmp_path / "music").mkdir()
    (tmp_path / "music/Peru").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert tracks(Folder(tmp_path / "music"))["Peru/a.mp3"].country == "PE"
