"""Playlists: the songs that were asked for, in an order, in a file that players read."""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.errors import UsageError
from geoclass.library.playlist import choose, parse_choice, write_playlist
from geoclass.library.song import Song


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["playlist", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def entries(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line and not line.startswith("#")]


def song(path: str = "x.mp3", **values: object) -> Song:
    return Song(path=path, **values)


def test_from_files_to_a_playlist_that_leads_back_to_them(make_song, tmp_path: Path) -> None:
    make_song("Neşet Ertaş/10 Zahidem.mp3", artist="Neşet Ertaş", country="TR", genre="Folk")
    make_song("Neşet Ertaş/2 Gönül Dağı.flac", artist="Neşet Ertaş", country="TR", genre="Folk", sure=0.92)
    make_song("b.mp3", artist="Markos", country="GR", genre="folk")
    make_song("c.mp3", artist="Else", country="US", genre="Folk")
    make_song("d.mp3", artist="Zeki", country="TR", genre="Pop")
    out = tmp_path / "lists" / "folk.m3u8"
    code, text, err = run(tmp_path / "music", "--country", "Turkey,gr", "--genre", "FOLK", "--out", out)
    assert code == 0, err
    assert "3 songs" in text
    assert entries(out) == [
        "../music/b.mp3", "../music/Neşet Ertaş/2 Gönül Dağı.flac", "../music/Neşet Ertaş/10 Zahidem.mp3"
    ]  # fmt: skip
    assert all((out.parent / entry).is_file() for entry in entries(out))
    assert out.read_bytes().startswith(b"#EXTM3U\n")
    assert "Markos - b\n" in out.read_text(encoding="utf-8")

    code, _, _ = run(tmp_path / "music", "--country", "TR", "--min-confidence", 0.93, "--absolute", "--out", out)
    assert code == 0
    assert {Path(entry) for entry in entries(out)} == {
        tmp_path / "music" / "Neşet Ertaş" / "10 Zahidem.mp3", tmp_path / "music" / "d.mp3"
    }  # fmt: skip


def test_regions_are_those_of_the_un() -> None:
    western_asia = parse_choice(regions=["western asia"]).countries
    assert {"TR", "GE", "IQ", "YE"} <= western_asia
    assert western_asia.isdisjoint({"IR", "GR", "EG"})
    assert parse_choice(regions=["Asia"]).countries > western_asia
    assert parse_choice(regions=["Caribbean"], countries=["TR"]).countries >= {"JM", "TR"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--country", "Atlantis"], "--country Atlantis: not a country"),
        (["--region", "Middle-earth"], "Western Asia"),
        (["--country", "JM"], "TR (2)"),
        (["--country", "TR", "--genre", "Jazz"], "Folk (1)"),
        (["--genre", "Folk", "--min-confidence", "0.99"], "lower --min-confidence"),
    ],
)
def test_an_empty_playlist_is_an_error_that_says_what_there_is(make_song, tmp_path, arguments, said) -> None:
    make_song("a.mp3", country="TR", genre="Folk", genre_sure=0.95)
    make_song("b.mp3", country="TR")
    code, _, err = run(tmp_path / "music", *arguments, "--out", tmp_path / "x.m3u8")
    assert code == 2
    assert said in err
    assert not (tmp_path / "x.m3u8").exists()


def test_only_a_playlist_of_ours_is_replaced(make_song, tmp_path: Path) -> None:
    make_song("a.mp3", country="TR")
    ours, foreign = tmp_path / "ours.m3u8", tmp_path / "mine.m3u8"
    foreign.write_text("#EXTM3U\nprecious.mp3\n")
    for out, expected in ((ours, 0), (ours, 0), (foreign, 2), (tmp_path / "music", 2), (tmp_path / "music/a.mp3", 2)):
        code, _, err = run(tmp_path / "music", "--country", "TR", "--out", out)
        assert code == expected, err
    assert foreign.read_text() == "#EXTM3U\nprecious.mp3\n"


@pytest.mark.parametrize("name", [b"caf\xe9.mp3", b"two\nlines.mp3", b"x.mp3 ", b"#1.mp3", b"100%25.mp3", "é".encode()])
def test_any_name_can_be_found_again(name: bytes, tmp_path: Path) -> None:
    music = tmp_path / "m"
    music.mkdir()
    path = os.path.join(os.fsencode(music), name)
    with open(path, "wb"):
        pass
    out = music / "x.m3u8"
    write_playlist(out, [song(os.fsdecode(path))])
    first, _, *locations = out.read_bytes().splitlines()
    assert first == b"#EXTM3U"
    (entry,) = [line for line in locations if not line.startswith(b"#")]
    entry.decode("utf-8")
    found = unquote_to_bytes(urlparse(entry).path) if entry.startswith(b"file:") else os.path.join(bytes(music), entry)
    assert os.path.samefile(found, path)


def test_title_lines_stay_lines(tmp_path: Path) -> None:
    write_playlist(tmp_path / "x.m3u8", [song(artist="A\r\nB", title="x" * 300, duration_s=61.6)])
    lines = (tmp_path / "x.m3u8").read_text(encoding="utf-8").splitlines()
    assert lines[2] == f"#EXTINF:62,A B - {'x' * 300}"


@given(
    lengths=st.lists(st.none() | st.floats(0.1, 7200), min_size=1, max_size=30),
    hours=st.floats(0.01, 5),
    seed=st.integers(0, 9),
)
def test_hours_are_never_exceeded_and_nothing_that_still_fits_is_left_out(lengths, hours, seed) -> None:
    songs = [song(f"{index}.mp3", duration_s=length) for index, length in enumerate(lengths)]
    known = [length for length in lengths if length]
    if not any(length <= hours * 3600 for length in known):
        with pytest.raises(UsageError):
            choose(songs, parse_choice(), hours=hours)
        return
    kept = choose(songs, parse_choice(), shuffle=True, seed=seed, hours=hours)
    left_s = hours * 3600 - sum(one.duration_s for one in kept)
    assert left_s >= -1e-6
    assert all(one in kept or one.duration_s is None or one.duration_s > left_s for one in songs)


def test_a_seed_gives_the_same_order_again() -> None:
    songs = [song(f"{index}.mp3") for index in range(50)]
    one, two, other = (choose(songs, parse_choice(), shuffle=True, seed=seed) for seed in (1, 1, 2))
    assert one == two != other
    assert sorted(one, key=str) == sorted(songs, key=str)


def test_sorted_by_artist_year_album_and_number() -> None:
    songs = [
        song("z/1.mp3"), song("a/10.mp3", artist="Ä", album="B", year=1990), song("a/2.mp3", artist="a", album="b"),
        song("a/9.mp3", artist="A", album="b", year=1990), song("c/1.mp3", artist="Z", album_artist="a", year=1980),
    ]  # fmt: skip
    order = [one.path for one in choose(songs, parse_choice())]
    assert order == ["c/1.mp3", "a/9.mp3", "a/10.mp3", "a/2.mp3", "z/1.mp3"]
