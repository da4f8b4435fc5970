"""The web look-up against a server on loopback that speaks MusicBrainz' JSON, and against ones that do not."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from geoclass.evidence.artist_table import Artist, ArtistTable, default_path, write_table
from geoclass.evidence.facts import Facts
from geoclass.evidence.musicbrainz_web import MusicBrainz, TableThenWeb
from geoclass.evidence.registry import Sources, ask

MBID = "0383dadf-2a4e-4d10-a46a-e9e041da8eb3"
QUEEN = {
    "id": MBID,
    "name": "Queen",
    "sort-name": "Queen",
    "country": "GB",
    "area": {"id": "x", "type": "Country", "name": "United Kingdom", "sort-name": "United Kingdom"},
    "aliases": [{"name": "クイーン", "sort-name": "クイーン"}],
}
Reply = tuple[int, dict[str, str], bytes]


class Server:
    """Answers what it was told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.replies: list[Callable[[str, dict[str, list[str]]], Reply]] = []
        self.default: Callable[[str, dict[str, list[str]]], Reply] = documented
        self.asked: list[tuple[float, str, dict[str, list[str]]]] = []
        self.agents: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlparse(self.path)
                query = parse_qs(url.query)
                outer.asked.append((time.monotonic(), url.path, query))
                outer.agents.add(self.headers["User-Agent"])
                reply = outer.replies.pop(0) if outer.replies else outer.default
                status, headers, body = reply(url.path, query)
                try:
                    self.send_response(status)
                    for name, value in {"Content-Type": "application/json", **headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # the client has gone
                    pass

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/ws/2"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def reply(status: int, body: object = b"", **headers: str) -> Callable[[str, dict[str, list[str]]], Reply]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _path, _query: (status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def documented(path: str, query: dict[str, list[str]]) -> Reply:
    if path.endswith(f"/artist/{MBID}"):
        return 200, {}, json.dumps(QUEEN).encode()
    if path.endswith("/artist") and "queen" in query["query"][0].lower():
        found = [QUEEN | {"score": 100}, {"id": "y", "name": "Queens of the Stone Age", "score": 60, "country": "US"}]
        return 200, {}, json.dumps({"count": 2, "offset": 0, "artists": found}).encode()
    if path.endswith("/artist"):
        return 200, {}, b'{"count": 0, "offset": 0, "artists": []}'
    return 404, {}, b'{"error": "Not Found", "help": "For usage, please see: https://musicbrainz.org/development/mmd"}'


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def client(server: Server, notes: list[str] | None = None, **options: Any) -> MusicBrainz:
    options = {"per_second": 1000, "timeout_s": 60.0} | options
    return MusicBrainz(server=server.url, note=(notes if notes is not None else []).append, **options)


def test_by_identifier_and_by_name(server: Server) -> None:
    web = client(server)
    by_mbid = web.by_mbid(MBID.upper())
    assert by_mbid is not None
    assert (by_mbid.name, by_mbid.country) == ("Queen", "GB")
    assert [artist.country for artist in web.by_name("QUEEN")] == ["GB"]  # not the Stone Age
    assert [artist.country for artist in web.by_name("クイーン queen")] == []
    assert all(agent.startswith("geoclass/") and "https://" in agent for agent in server.agents)
    assert all(query["fmt"] == ["json"] for _, _, query in server.asked)


def test_what_is_no_identifier_is_not_asked_about(server: Server) -> None:
    web = client(server)
    for text in ("", "../../release", MBID + "?x", "{}"):
        assert web.by_mbid(text) is None
    assert server.asked == []


def test_a_name_is_quoted(server: Server) -> None:
    client(server).by_name('AC/DC" OR country:US \\')
    assert server.asked[0][2]["query"] == [
        r'artist:"AC/DC\" OR country:US \\" OR alias:"AC/DC\" OR country:US \\"',
    ]


def test_answers_are_asked_for_once_also_unknown_and_in_later_runs(server: Server) -> None:
    other = "ffffffff-2a4e-4d10-a46a-e9e041da8eb3"
    for _ in range(2):
        web = client(server)
        assert web.by_mbid(MBID) is not None
        assert web.by_mbid(other) is None
        assert web.by_name("Nobody") == ()
    assert len(server.asked) == 3


def test_answers_share_the_file_of_the_table_and_outlive_an_import(server: Server) -> None:
    client(server).by_mbid(MBID)
    assert ArtistTable.open_default() is None
    write_table([Artist(mbid="a", name="Tarkan", country="TR")], path=default_path(), source="test")
    table = ArtistTable.open_default()
    assert table is not None
    known = TableThenWeb(table, client(server))
    assert [artist.country for artist in known.by_name("Tarkan")] == ["TR"]
    found = known.by_mbid(MBID)
    assert found is not None
    assert len(server.asked) == 1


def test_one_request_per_second(server: Server) -> None:
    web = client(server, per_second=4)  # faster than in life, for the sake of the test
    start = time.monotonic()
    for name in ("a", "b", "c", "d", "e", "f"):
        web.by_name(name)
    assert time.monotonic() - start >= 0.95  # six in a window that lets four through
    assert len(server.asked) == 6


def test_busy_is_waited_for_as_long_as_the_server_asks(server: Server) -> None:
    server.replies = [reply(503, {"error": "busy"}, Retry_After="1"), reply(503, b"<html>", Retry_After="1")]
    found = client(server).by_mbid(MBID)
    assert found is not None
    assert found.country == "GB"
    times = [at for at, _, _ in server.asked]
    assert len(times) == 3
    assert all(later - earlier >= 0.95 for earlier, later in pairwise(times))


@pytest.mark.parametrize(
    "nonsense",
    [
        reply(200, b"<html>I am a captive portal</html>"),
        reply(200, b""),
        reply(200, b"[1, 2]"),
        reply(200, b"\xff\xfe\x00"),
        reply(200, {"artists": "none"}),
        reply(200, {"artists": [1, None, {"id": 3}]}),
        reply(200, {"id": MBID, "name": "Queen", "country": {"GB": 1}, "area": 7, "aliases": {"name": "x"}}),
        reply(400, {"error": "bad"}),
        reply(403, b""),
    ],
)
def test_nonsense_is_no_answer_and_no_failure(server: Server, nonsense: Any) -> None:
    server.default = nonsense
    notes: list[str] = []
    web = client(server, notes)
    for _ in range(4):
        artist = web.by_mbid(MBID)
        assert artist is None or artist.country is None
        assert web.by_name("Queen") == ()
    assert len(notes) <= 1


def test_a_server_that_never_answers_is_given_up_and_said_so(server: Server) -> None:
    end = threading.Event()

    def never(_path: str, _query: dict[str, list[str]]) -> Reply:
        end.wait()
        return 200, {}, b""

    server.default = never
    notes: list[str] = []
    web = client(server, notes, timeout_s=0.2)
    for n in range(50):
        assert web.by_name(f"Artist {n}") == ()
    end.set()
    assert len(server.asked) <= 4  # two artists, each once more
    assert len(notes) == 1
    assert "MusicBrainz does not respond" in notes[0]


def test_offline_is_a_note(server: Server) -> None:
    server.close()
    notes: list[str] = []
    web = client(server, notes)
    assert web.by_mbid(MBID) is None
    assert web.by_name("Queen") == ()
    assert len(notes) == 1
    assert ask(Facts(artist="Queen"), witnesses=("artists",), sources=Sources(artists=TableThenWeb(None, web))) == []


def test_the_witness_asks_the_web_for_what_the_table_lacks(server: Server) -> None:
    sources = Sources(artists=TableThenWeb(None, client(server)))
    (found,) = ask(Facts(artist="Queen"), witnesses=("artists",), sources=sources)
    assert found.says(1)[0][0] == "GB"
    (found,) = ask(Facts(artist="Somebody", artist_mbids=(MBID,)), witnesses=("artists",), sources=sources)
    assert (found.clue, found.says(1)[0][0]) == ("artist id", "GB")
