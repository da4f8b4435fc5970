"""The numbers and links of a collection's page."""

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urljoin, urlparse

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.library.map import draw_map
from geoclass.library.song import Song
from geoclass.library.survey import survey
from geoclass.library.tree import song_tree
from geoclass.reporting.world_svg import HEIGHT, WIDTH, equal_earth, world_shapes

CODES = st.sampled_from(["", "TR", "GR", "US"])
SONGS = st.lists(
    st.builds(
        lambda index, artist, album, code, sure, genres, year: Song(
            path=f"/m/{artist}!/{index}.mp3", artist=artist, album=album, country=code,
            country_sure=sure if code else None, genres=tuple(genres), year=year, duration_s=1800.0,
        ),
        st.integers(0, 10**6), st.sampled_from(["", "A", "a", "B"]), st.sampled_from(["", "X", "Y"]), CODES,
        st.none() | st.floats(0.5, 1.0), st.lists(st.sampled_from(["Folk", "folk", "Jazz"]), max_size=2),
        st.none() | st.integers(1900, 2030),
    ),
    max_size=30, unique_by=lambda song: song.path,
)  # fmt: skip


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["map", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def data_of(page: Path) -> Any:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    return json.loads(text)


def links_of(page: Path) -> list[bytes]:
    """The files that the page's script links to, as a browser resolves them."""
    from urllib.parse import quote

    data, found = data_of(page), []
    for artists in data["countries"].values():
        for _, albums in artists:
            for _, _, songs in albums:
                for _, folder, name, _, *escaped in songs:
                    url = urljoin(page.as_uri(), data["folders"][folder] + (escaped[0] if escaped else quote(name)))
                    found.append(unquote_to_bytes(urlparse(url).path))
    return found


@given(SONGS)
def test_every_song_is_counted_once_on_each_side(songs: list[Song]) -> None:
    found = survey(songs)
    known = sum(by.everyone.files for by in found.countries.values())
    assert known + found.without_country.files == found.total.files == len(songs)
    for by in (*found.countries.values(), *found.genres.values()):
        assert by.people.files + by.geoclass.files == by.everyone.files
        assert by.everyone.artists == by.people.artists | by.geoclass.artists
    assert found.total.hours == pytest.approx(len(songs) / 2)
    assert sum(found.decades.values()) + found.without_year == len(songs)
    assert sum(found.sureness["country"]) == sum(song.country_sure is not None for song in songs)
    assert len({name.casefold() for name in found.genres}) == len(found.genres)


@given(SONGS)
def test_every_song_stands_in_the_tree_once(songs: list[Song]) -> None:
    tree = song_tree(songs, page_folder=Path("/elsewhere"))
    rows = [
        (code, f"{tree['folders'][row[1]]}{row[2]}")
        for code, artists in tree["countries"].items()
        for _, albums in artists
        for *_, group in albums
        for row in group
    ]
    assert sorted(rows) == sorted((song.country, f"file://{song.path.replace('!', '%21')}") for song in songs)
    for artists in tree["countries"].values():
        sizes = [sum(len(group) for *_, group in albums) for _, albums in artists]
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("sure", [0.9, 0.95, 0.98, 1.0])
def test_a_probability_belongs_to_the_group_that_it_opens(sure: float) -> None:
    groups = survey([Song(path="x", country="TR", country_sure=sure)]).sureness["country"]
    assert groups.index(1) == {0.9: 1, 0.95: 2, 0.98: 3, 1.0: 3}[sure]


NAMES = [
    b"caf\xe9.mp3",
    b"a#b?c%20.mp3", b"two\nlines.mp3", b"<script><b>.mp3", "Ş’ & \"q\".mp3".encode(),
    b"n" * 250 + b".mp3",
]  # fmt: skip


@pytest.mark.parametrize("inside", [True, False])
def test_links_lead_to_the_files_whatever_their_names(make_song, tmp_path: Path, inside: bool) -> None:
    for name in NAMES:
        make_song(os.fsdecode(b"s\xf6b/" + name), artist="</script>", country="TR", title="t" * 300)
    page = tmp_path / ("music" if inside else "pages") / "library.html"
    page.parent.mkdir(exist_ok=True)
    draw_map([tmp_path / "music"], out=page)
    links = links_of(page)
    folder = os.fsencode(tmp_path) + b"/music/s\xf6b/"
    assert sorted(links) == sorted(folder + name for name in NAMES)
    assert ("./s%F6b/" in data_of(page)["folders"]) == inside
    HTMLParser().feed(page.read_text(encoding="utf-8"))
    assert "<b>" not in page.read_text(encoding="utf-8")


def test_a_page_that_is_not_ours_is_left_alone(make_song, tmp_path: Path) -> None:
    make_song("a.mp3", country="TR")
    foreign = tmp_path / "index.html"
    foreign.write_text("<!doctype html><title>my own site</title>")
    code, _, err = run(tmp_path / "music", "--out", foreign)
    assert code == 2
    assert "did not write it" in err
    assert "my own site" in foreign.read_text()
    for _ in range(2):
        code, out, err = run(tmp_path / "music", "--out", tmp_path / "library.html")
        assert code == 0, err
    assert "1 of 1 files have a country" in out


def test_a_folder_without_tags_still_gives_a_page(make_song, tmp_path: Path) -> None:
    make_song("a.mp3")
    (tmp_path / "music" / "b.mp3").touch()
    code, _, err = run(tmp_path / "music", "--out", tmp_path / "library.html")
    assert code == 1
    assert "1 file could not be read" in err
    page = (tmp_path / "library.html").read_text(encoding="utf-8")
    assert "No file has a genre" in page
    assert "Nothing yet" in page
    assert "b.mp3: the file is empty" in page
    (empty := tmp_path / "empty").mkdir()
    code, _, err = run(empty, "--out", tmp_path / "x.html")
    assert code == 2
    assert "hint:" in err


def test_the_projection_has_equal_areas() -> None:
    # Šavrič et al. 2018: the sphere's 4π in a map whose equator is 2 * 2.70663 long.
    assert equal_earth(np.array([[180.0, 0.0]]))[0] == pytest.approx([2.7066300, 0.0], abs=1e-5)
    assert equal_earth(np.array([[0.0, 90.0]]))[0] == pytest.approx([0.0, 1.3173627], abs=1e-5)
    for south in (0, 30, 60, 80):
        square = np.array([[10.0, south], [10.1, south], [10.1, south + 0.1], [10.0, south + 0.1]])
        x, y = equal_earth(square).T
        area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        true = np.radians(0.1) * (np.sin(np.radians(south + 0.1)) - np.sin(np.radians(south)))
        assert area == pytest.approx(true, rel=1e-3)


def test_the_map_has_every_country_inside_its_frame() -> None:
    from geoclass.geo.countries import country_codes

    shapes = world_shapes()
    assert {shape.code for shape in shapes} == set(country_codes()) - {"AQ"}
    for shape in shapes:
        assert 0 <= shape.x <= WIDTH
        assert 0 <= shape.y <= HEIGHT
    small = {shape.code for shape in shapes if shape.is_small}
    assert {"MT", "SG", "VA"} <= small
    assert small.isdisjoint({"FR", "IN", "UY"})
