"""Nominatim against a stub server on this machine: order, cache, refusals."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import geoclass
from geoclass.errors import GeoError
from geoclass.geo.borders import country_at
from geoclass.geo.places import Gazetteer, NominatimGeocoder, create_geocoder

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "Hjørundfjord": [
        {"lat": "62.2", "lon": "6.4", "display_name": "Hjørundfjorden, Norway", "address": {"country_code": "no"}}
    ],
    "Smallestville": [{"lat": "-16.5", "lon": "-68.15", "display_name": "Smallestville"}],  # no country: borders
    "Desaguaderito": [  # across the border from where the point lies
        {"lat": "-16.5", "lon": "-68.15", "display_name": "Desaguaderito", "address": {"country_code": "pe"}}
    ],
    "Doldrums": [{"lat": "3.0", "lon": "-30.0", "display_name": "Doldrums", "address": {}}],  # nobody's
}


class Stub(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []  # (question, user agent)
        self.questions: list[dict[str, list[str]]] = []
        self.status = 200
        self.answers = threading.Event()  # cleared: it keeps its clients waiting
        self.answers.set()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is none of this test's business."""

    @property
    def domain(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        question = query["q"][0]
        self.server.asked.append((question, self.headers["User-Agent"]))
        self.server.questions.append(query)
        self.server.answers.wait()
        body = json.dumps(ANSWERS.get(question, [])).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.answers.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _geocoder(stub: Stub, cache: Path) -> NominatimGeocoder:
    return NominatimGeocoder(domain=stub.domain, scheme="http", min_delay_s=0.0, timeout_s=60.0, cache=cache)


def test_what_the_gazetteer_knows_is_not_asked(stub: Stub, tmp_path: Path) -> None:
    geocoder = _geocoder(stub, tmp_path)
    for text in ("Brooklyn, NY", "<p>Berlin</p>"):
        assert geocoder.locate(text) == Gazetteer().locate(text) is not None
    for text in ("", "...", "Everywhere", "<p></p>"):
        assert geocoder.locate(text) is None
    assert stub.asked == []


def test_an_answer_is_asked_for_once(stub: Stub, tmp_path: Path) -> None:
    first = _geocoder(stub, tmp_path).locate("<b>Hjørundfjord</b>")
    assert first is not None
    assert (first.latitude, first.longitude, first.country) == (62.2, 6.4, "NO")
    assert first.name == "Hjørundfjorden, Norway"
    assert stub.asked == [("Hjørundfjord", f"geoclass/{geoclass.__version__}")]
    again = _geocoder(stub, tmp_path)
    assert again.locate("hjorundfjord") == first
    assert len(stub.asked) == 1


def test_not_found_is_kept_too(stub: Stub, tmp_path: Path) -> None:
    for _ in range(2):
        assert _geocoder(stub, tmp_path).locate("Xyzzyburgh") is None
    assert len(stub.asked) == 1


def test_the_borders_decide_where_the_answer_names_no_country(stub: Stub, tmp_path: Path) -> None:
    geocoder = _geocoder(stub, tmp_path)
    place = geocoder.locate("Smallestville")
    assert place is not None
    assert place.country == "BO"
    assert geocoder.locate("Doldrums") is None


def test_the_country_that_the_service_names_wins_over_the_borders(stub: Stub, tmp_path: Path) -> None:
    place = _geocoder(stub, tmp_path).locate("Desaguaderito")
    assert place is not None
    assert (place.country, place.latitude, place.longitude) == ("PE", -16.5, -68.15)
    assert country_at(place.latitude, place.longitude) == "BO"


def test_the_question_asks_for_the_country_and_for_english_names(stub: Stub, tmp_path: Path) -> None:
    _geocoder(stub, tmp_path).locate("Hjørundfjord")
    (query,) = stub.questions
    assert query["accept-language"] == ["en"]
    assert query["addressdetails"] == ["1"]


def test_an_answer_on_disk_says_what_was_asked_of_whom(stub: Stub, tmp_path: Path) -> None:
    _geocoder(stub, tmp_path).locate("Xyzzyburgh")
    (file,) = tmp_path.iterdir()
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert (kept["query"], kept["domain"], kept["place"]) == ("xyzzyburgh", stub.domain, {})


def test_another_service_is_asked_for_itself(stub: Stub, tmp_path: Path) -> None:
    other = Stub()
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    _geocoder(stub, tmp_path).locate("Hjørundfjord")
    _geocoder(other, tmp_path).locate("Hjørundfjord")
    other.shutdown()
    thread.join()
    other.server_close()
    assert len(stub.asked) == len(other.asked) == 1


def test_a_service_that_does_not_answer_is_given_up(stub: Stub, tmp_path: Path) -> None:
    stub.answers.clear()
    geocoder = NominatimGeocoder(
        domain=stub.domain, scheme="http", min_delay_s=0.0, timeout_s=0.1, cache=tmp_path / "cache"
    )
    with pytest.raises(GeoError, match="could not locate"):
        geocoder.locate("Hjørundfjord")


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_refusal_is_an_error_and_is_not_kept(stub: Stub, tmp_path: Path, status: int) -> None:
    stub.status = status
    with pytest.raises(GeoError, match="Hjørundfjord") as raised:
        _geocoder(stub, tmp_path).locate("Hjørundfjord")
    assert "offline" in str(raised.value.hint)
    assert len(stub.asked) <= 2, "it is asked once more, not again and again"
    stub.status = 200
    assert _geocoder(stub, tmp_path).locate("Hjørundfjord") is not None


def test_no_server_is_an_error(stub: Stub, tmp_path: Path) -> None:
    geocoder = _geocoder(stub, tmp_path)
    geocoder_elsewhere = NominatimGeocoder(
        domain="127.0.0.1:9", scheme="http", min_delay_s=0.0, timeout_s=1.0, cache=tmp_path
    )
    with pytest.raises(GeoError, match=r"127\.0\.0\.1:9"):
        geocoder_elsewhere.locate("Hjørundfjord")
    assert geocoder.locate("Hjørundfjord") is not None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": "geoclass/place", "version": 1, "place": {"latitude": 1}}']
)
def test_a_damaged_cache_is_asked_again(stub: Stub, tmp_path: Path, content: str) -> None:
    expected = _geocoder(stub, tmp_path).locate("Hjørundfjord")
    (file,) = tmp_path.iterdir()
    file.write_text(content, encoding="utf-8")
    assert _geocoder(stub, tmp_path).locate("Hjørundfjord") == expected
    assert len(stub.asked) == 2
    assert _geocoder(stub, tmp_path).locate("Hjørundfjord") == expected
    assert len(stub.asked) == 2


def test_the_public_service_is_asked_once_a_second_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOCLASS_HOME", str(tmp_path))
    geocoder = create_geocoder("nominatim")
    assert isinstance(geocoder, NominatimGeocoder)
    assert geocoder._ask.min_delay_seconds == 1.0
    assert geocoder.cache.is_relative_to(tmp_path)
