"""The artist table: what comes out is what a dump says, and no end of an import loses what was there."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.errors import CorpusError, StorageError
from geoclass.evidence.artist_table import Artist, ArtistTable, default_path, write_table
from geoclass.evidence.facts import Facts
from geoclass.evidence.musicbrainz_dump import import_dump
from geoclass.evidence.musicbrainz_json import parse_artist
from geoclass.evidence.pool import pool
from geoclass.evidence.registry import Sources, ask

MBID = "0383dadf-2a4e-4d10-a46a-e9e041da8eb3"


def line(name: str, country: str | None = None, *, mbid: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": mbid or f"id of {name} {country}", "name": name, "sort-name": name, "country": country} | more


def dump(path: Path, artists: list[dict[str, Any]], *, mode: str = "w:xz", member: str = "mbdump/artist") -> Path:
    content = "".join(json.dumps(artist) + "\n" for artist in artists).encode()
    with tarfile.open(path, mode) as archive:
        for name, data in {"TIMESTAMP": b"now", "COPYING": b"CC0", member: content}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def table(artists: list[dict[str, Any]], tmp_path: Path) -> ArtistTable:
    import_dump(dump(tmp_path / "artist.tar.xz", artists))
    found = ArtistTable.open_default()
    assert found is not None
    return found


def verdict(facts: Facts, known: ArtistTable) -> tuple[str, float]:
    found = pool(ask(facts, sources=Sources(artists=known)))
    return found.candidates(1)[0] if found else ("", 0.0)


# ---- what an artist's country is --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "country"),
    [
        ({"country": "TR", "area": {"iso-3166-1-codes": ["DE"]}}, "TR"),
        ({"area": {"iso-3166-1-codes": ["DE"]}}, "DE"),
        ({"area": {"iso-3166-2-codes": ["US-NY"]}}, "US"),
        ({"area": {"name": "London"}, "begin-area": {"iso-3166-2-codes": ["GB-ENG"]}}, "GB"),
        ({"area": {"name": "Türkiye", "type": "Country"}}, "TR"),  # the web service gives no codes
        ({"country": "XW"}, None),
        ({"country": None, "area": None, "begin-area": None, "end-area": {"iso-3166-1-codes": ["FR"]}}, None),
        ({"country": 7, "area": "DE", "begin-area": ["FR"]}, None),
    ],
)
def test_country_then_area_then_begin_area(document: dict[str, Any], country: str | None) -> None:
    artist = parse_artist({"id": "x", "name": "X"} | document)
    assert artist is not None
    assert artist.country == country


@pytest.mark.parametrize("document", [None, 3, [], {}, {"id": "x"}, {"id": 1, "name": "x"}, {"id": "", "name": "x"}])
def test_what_is_no_artist(document: object) -> None:
    assert parse_artist(document) is None


def test_various_artists_is_nobody() -> None:
    assert parse_artist({"id": "89ad4ac3-39f7-470e-963a-56509c546377", "name": "Various Artists"}) is None


# ---- looking up -------------------------------------------------------------------------------------------------


def test_names_sort_names_and_aliases_in_any_spelling(tmp_path: Path) -> None:
    artist = line("Björk", "IS", mbid=MBID, **{"sort-name": "Guðmundsdóttir, Björk", "aliases": [{"name": "ビョーク"}]})
    known = table([artist, line("!!!", "US")], tmp_path)
    for name in ("Björk", "BJORK", "guðmundsdóttir, björk", "ビョーク"):
        assert [found.country for found in known.by_name(name)] == ["IS"]
    assert [found.country for found in known.by_name("!!!")] == ["US"]
    assert known.by_name("Bjö") == ()
    found = known.by_mbid(MBID.upper())
    assert found is not None
    assert found.name == "Björk"


@pytest.mark.parametrize("mode", ["w:xz", "w:gz", "w:bz2", "w"])
def test_every_packing_and_bare_lines(mode: str, tmp_path: Path) -> None:
    artists = [line("One", "TR"), line("Two", None)]
    done = import_dump(dump(tmp_path / "artist.tar", artists, mode=mode))
    assert (done.artists, done.with_country, done.unreadable) == (2, 1, 0)
    lines = tmp_path / "artist.jsonl"
    lines.write_text("".join(json.dumps(artist) + "\n" for artist in artists))
    assert import_dump(lines).artists == 2


def test_a_name_of_one_artist_decides_and_a_shared_one_never_does_alone(tmp_path: Path) -> None:
    artists = [line("Nirvana", "US"), line("Nirvana", "GB"), line("Sepultura", "BR")]
    artists += [line("Sodom", "DE"), line("Sodom", None)]
    artists += [line("Legion", "SE", mbid=str(n)) for n in range(200)] + [line("Legion", "FI")]
    known = table(artists, tmp_path)
    code, probability = verdict(Facts(artist="Sepultura"), known)
    assert (code, probability >= 0.9) == ("BR", True)
    for shared in ("Nirvana", "Sodom", "Legion"):
        assert verdict(Facts(artist=shared), known)[1] < 0.9


def test_an_identifier_decides_also_among_homonyms(tmp_path: Path) -> None:
    known = table([line("Nirvana", "US", mbid="a"), line("Nirvana", "GB", mbid="b")], tmp_path)
    code, probability = verdict(Facts(artist="Nirvana", artist_mbids=("b",)), known)
    assert (code, probability >= 0.9) == ("GB", True)


def test_another_witness_tells_homonyms_apart(tmp_path: Path) -> None:
    known = table([line("Mavi", "TR"), line("Mavi", "FI")], tmp_path)
    facts = Facts(artist="Mavi", title="Şarkılar seni söyler")
    code, probability = verdict(facts, known)
    assert code == "TR"
    assert probability > max(verdict(Facts(artist="Mavi"), known)[1], 0.9)


def test_the_guest_does_not_speak_for_the_host(tmp_path: Path) -> None:
    known = table(
        [line("Shakira", "CO"), line("Burna Boy", "NG"), line("Simon & Garfunkel", "US"), line("Simon", "FR")], tmp_path
    )
    assert verdict(Facts(artist="Shakira feat. Burna Boy"), known)[0] == "CO"
    assert verdict(Facts(artist="Burna Boy & Shakira"), known)[0] == "NG"
    assert verdict(Facts(artist="Simon & Garfunkel"), known)[0] == "US"
    assert verdict(Facts(artist="Various Artists"), known) == ("", 0.0)


# ---- imports that go wrong --------------------------------------------------------------------------------------


def _bad(tmp_path: Path) -> Iterator[Path]:
    good = dump(tmp_path / "good.tar.xz", [line(f"Artist {n}", "TR", note=os.urandom(9).hex()) for n in range(3_000)])
    content = good.read_bytes()
    damaged = bytearray(content)
    damaged[len(content) // 2 : len(content) // 2 + 40] = b"\x00" * 40
    yield _file(tmp_path / "cut.tar.xz", content[: len(content) // 2])
    yield _file(tmp_path / "damaged.tar.xz", bytes(damaged))
    yield dump(tmp_path / "foreign.tar.xz", [line("x", "TR")], member="mbdump/release")
    yield dump(tmp_path / "empty.tar.xz", [])
    yield _file(tmp_path / "zeros", b"\x00" * 4096)
    yield _file(tmp_path / "text.txt", b"artist,country\nTarkan,TR\n")
    yield _file(tmp_path / "nothing", b"")
    yield _file(tmp_path / "other.jsonl", b'{"title": "no artist"}\n' * 20)
    yield tmp_path / "missing.tar.xz"
    yield tmp_path


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_bad_dump_says_so_and_the_old_table_stays(tmp_path: Path) -> None:
    table([line("Tarkan", "TR")], tmp_path).close()
    for bad in _bad(tmp_path):
        with pytest.raises(CorpusError) as told:
            import_dump(bad)
        assert str(bad) in told.value.message
        assert told.value.hint
        known = ArtistTable.open_default()
        assert known is not None
        assert len(known) == 1
        assert [found.country for found in known.by_name("Tarkan")] == ["TR"]


def test_lines_that_are_no_json_are_passed_over(tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_bytes(
        b'{"id":"a","name":"A","country":"TR"}\n\xff\xfe{\n[1]\n' + b"[" * 100_000 + b'\n{"id":"b","name":"\\ud800"}\n'
    )
    done = import_dump(lines)
    assert (done.artists, done.unreadable) == (2, 2)


def test_a_full_disk_keeps_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table([line("Tarkan", "TR")], tmp_path).close()
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        database: sqlite3.Connection = connect(*arguments, **options)
        database.execute("PRAGMA max_page_count = 20")
        return database

    many = (Artist(mbid=str(n), name=f"Artist {n}", country="TR") for n in range(100_000))
    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", small)
        with pytest.raises(StorageError, match="full"):
            write_table(many, path=default_path(), source="test")
    known = ArtistTable.open_default()
    assert known is not None
    assert len(known) == 1


def test_an_interrupted_import_keeps_the_old_table(tmp_path: Path) -> None:
    table([line("Tarkan", "TR")], tmp_path).close()

    def interrupted() -> Iterator[Artist]:
        yield Artist(mbid="x", name="X", country="DE")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(interrupted(), path=default_path(), source="test")
    known = ArtistTable.open_default()
    assert known is not None
    assert [found.country for found in known.by_name("Tarkan")] == ["TR"]


def test_a_killed_import_keeps_the_old_table(tmp_path: Path) -> None:
    table([line("Tarkan", "TR")], tmp_path).close()
    script = (
        "from geoclass.evidence.artist_table import *\n"
        "def many():\n"
        "    for n in range(10**9):\n"
        "        if n == 100_000: print('on its way', flush=True)\n"
        "        yield Artist(mbid=str(n), name=f'Artist {n}', country='TR', note='x' * 1000)\n"
        "write_table(many(), path=default_path(), source='test')\n"
    )
    # A pipe, so that the kill comes when pages of the new table have reached the file.
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline()
        run.send_signal(signal.SIGKILL)
    known = ArtistTable.open_default()
    assert known is not None
    assert len(known) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_stays_flat(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from geoclass.evidence.artist_table import *\n"
        "artist = lambda n: Artist(mbid=str(n), name=f'Artist {n}', country='TR', note=f'{n:01000}')\n"
        "many = map(artist, range(int(sys.argv[1])))\n"
        "write_table(many, path=default_path(), source='test')\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"  # ru_maxrss is the parent's too
    )

    def peak(n: int) -> int:
        return int(subprocess.check_output([sys.executable, "-c", script, str(n)]))

    assert peak(120_000) < peak(2_000) + 100_000  # KiB: SQLite's cache of 64 MiB, and not 160 MiB of artists


def test_the_newest_version_is_not_guessed_at(tmp_path: Path) -> None:
    known = table([line("Tarkan", "TR")], tmp_path)
    known.close()
    with sqlite3.connect(default_path()) as database:
        database.execute("UPDATE about SET version = 2")
    with pytest.raises(StorageError) as told:
        ArtistTable.open_default()
    assert "import" in (told.value.hint or "")


# ---- the command ------------------------------------------------------------------------------------------------


def test_import_and_show(tmp_path: Path) -> None:
    archive = dump(
        tmp_path / "artist.tar.xz", [line("Ahmet Kaya", "TR", disambiguation="singer"), line("Nobody", None)]
    )
    run = CliRunner().invoke(app, ["artists", "import", str(archive)])
    assert run.exit_code == 0, run.output
    assert "2 artists, 1 with a country" in run.output
    run = CliRunner().invoke(app, ["artists", "show", "ahmet kaya"])
    assert run.exit_code == 0
    assert "Türkiye" in run.output
    run = CliRunner().invoke(app, ["artists", "show", "Somebody Else"])
    assert run.exit_code == 2
    assert "Somebody Else" in run.output


def test_show_without_a_table_says_how_to_get_one() -> None:
    run = CliRunner().invoke(app, ["artists", "show", "Tarkan"])
    assert run.exit_code == 2
    assert "geoclass artists import" in run.output
