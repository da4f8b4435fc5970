"""Songs from tags: what stands there is read, once, and again only when the file has changed."""

import os
from pathlib import Path

import pytest
from mutagen.flac import FLAC

from geoclass.errors import UsageError
from geoclass.library import songs as reading
from geoclass.library.scan import sound_files
from geoclass.library.song_cache import SongCache
from geoclass.library.songs import read_collection, read_songs


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose tags are read."""
    done: list[str] = []
    real = reading.read_tags
    monkeypatch.setattr(reading, "read_tags", lambda path: (done.append(path.name), real(path))[1])
    return done


@pytest.mark.parametrize("suffix", ["mp3", "flac"])
def test_what_the_tags_say(make_song, suffix: str) -> None:
    path = make_song(
        f"x.{suffix}", artist="Müslüm", album="A\nB", title="Affet", date="1969-05", genre="Folk", country="TR",
        sure=0.93, genre_sure=0.97,
    )  # fmt: skip
    (song,) = read_songs([path])
    assert (song.path, song.artist, song.album, song.country, song.genres) == (
        str(path),
        "Müslüm",
        "A B",
        "TR",
        ("Folk",),
    )
    assert (song.country_sure, song.genre_sure) == (0.93, 0.97)
    assert song.duration_s == pytest.approx(2, abs=0.1)
    assert song.error == ""
    assert (song.name, song.year) == ("Affet", 1969)


@pytest.mark.parametrize("suffix", ["mp3", "flac"])
def test_the_artists_country_by_other_names_and_ours_before_them(make_song, suffix: str) -> None:
    for number, name in enumerate(["artist country", "ARTIST_COUNTRY"]):
        (song,) = read_songs([make_song(f"{number}.{suffix}", **{name: "Greece"})])
        assert (song.country, song.country_sure) == ("GR", None)
    (song,) = read_songs([make_song(f"both.{suffix}", country="TR", **{"artist country": "GR"})])
    assert song.country == "TR"
    (song,) = read_songs([make_song(f"released.{suffix}", releasecountry="GR")])
    assert song.country == "", "where a record was sold is another fact"


def test_what_a_person_wrote_has_no_probability(make_song) -> None:
    by_name = make_song("a.mp3", country="Turkey", genre="Folk")
    corrected = make_song("b.mp3", country="GR", geoclass_country="TR 0.95; GR 0.03")
    nonsense = make_song("c.mp3", country="Atlantis")
    found = list(read_songs([by_name, corrected, nonsense]))
    assert [song.country for song in found] == ["TR", "GR", ""]
    assert [song.country_sure for song in found] == [None, None, None]


def test_files_that_cannot_be_read_keep_their_place(make_song, tmp_path: Path) -> None:
    good = make_song("a.mp3", artist="A")
    (text := tmp_path / "music" / "b.mp3").write_text("no sound")
    os.mkfifo(fifo := tmp_path / "music" / "c.mp3")
    (empty := tmp_path / "music" / "d.mp3").touch()
    found = list(read_songs([tmp_path / "none.mp3", text, fifo, empty, good]))
    assert [Path(song.path).name for song in found] == ["none.mp3", "b.mp3", "c.mp3", "d.mp3", "a.mp3"]
    assert found[2].error == "not a regular file"
    assert found[0].error
    assert found[3].error == "the file is empty"
    assert not found[4].error


def test_a_circle_of_links_and_a_second_name_give_each_file_once(make_song, tmp_path: Path) -> None:
    path = make_song("a/x.mp3")
    (tmp_path / "music" / "a" / "up").symlink_to(tmp_path / "music")
    (tmp_path / "music" / "b.mp3").symlink_to(path)
    (tmp_path / "music" / "self.mp3").symlink_to("self.mp3")
    found = list(read_songs(sound_files([tmp_path / "music"])))
    assert [(Path(song.path).name, bool(song.error)) for song in found] == [("x.mp3", False), ("self.mp3", True)]


def test_the_second_run_reads_only_what_has_changed(make_song, tmp_path: Path, reads: list[str]) -> None:
    paths = [make_song(f"{name}.flac", artist=name, country="TR", sure=0.9) for name in "abc"]
    with SongCache() as cache:
        first = list(read_songs(paths, cache=cache))
    assert sorted(reads) == ["a.flac", "b.flac", "c.flac"]
    reads.clear()

    before = paths[1].stat()
    file = FLAC(paths[1])
    file["artist"] = "B"  # as long as before
    file.save()
    os.utime(paths[1], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert paths[1].stat().st_size == before.st_size
    with SongCache() as cache:
        second = list(read_songs(paths, cache=cache))
    assert reads == ["b.flac"]
    assert [song.artist for song in second] == ["a", "B", "c"]
    assert second[::2] == first[::2]


def test_a_damaged_cache_is_made_anew(make_song, reads: list[str]) -> None:
    path = make_song("a.mp3", artist="A")
    with SongCache() as cache:
        list(read_songs([path], cache=cache))
    cache.path.write_bytes(b"not a database" * 100)
    with SongCache() as cache:
        assert [song.artist for song in read_songs([path], cache=cache)] == ["A"]
        assert [song.artist for song in read_songs([path], cache=cache)] == ["A"]
    assert reads == ["a.mp3", "a.mp3"]


def test_another_release_does_not_trust_the_cache(make_song, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_song("a.mp3")
    for release in ("1", "2", "2"):
        monkeypatch.setattr("geoclass.library.song_cache.__version__", release)
        with SongCache() as cache:
            list(read_songs([path], cache=cache))
    assert len(reads) == 2


def test_names_that_are_not_utf8_go_through_the_cache(make_song, reads: list[str]) -> None:
    path = make_song(os.fsdecode(b"caf\xe9.mp3"), artist="A")
    for _ in range(2):
        with SongCache() as cache:
            (song,) = read_songs([path], cache=cache)
        assert os.fsencode(song.path).endswith(b"caf\xe9.mp3")
        assert song.artist == "A"
    assert len(reads) == 1


def test_a_folder_without_sound_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sound files"):
        read_collection([tmp_path])
