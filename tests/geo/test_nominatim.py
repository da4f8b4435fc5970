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
from geoclass.geo.places import Gazetteer, NominatimGeocoder, create_geocoder

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "Hjørundfjord": [
        {"lat": "62.2", "lon": "6.4", "display_name": "Hjørundfjorden, Norway", "address": {"country_code": "no"}}
    ],
    "Smallestville": [{"lat": "-16.5", "lon": "-68.15", "display_name": "Smallestville"}],  # no country: borders
    "Doldrums": [{"lat": "3.0", "lon": "-30.0", "display_name": "Doldrums", "address": {}}],  # nobody's
}


class Stub(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []  # (question, user agent)
        self.status = 200

    @property
    def domain(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        question = parse_qs(urlsplit(self.path).query)["q"][0]
        self.server.asked.append((question, self.headers["User-Agent"]))
        body = json.dumps(ANSWERS.get(question, [])).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _geocoder(stub: Stub, cache: Path) -> NominatimGeocoder:
    return NominatimGeocoder(domain=stub.domain, scheme="http", min_delay_s=0.0, timeout_s=5.0, cache=cache)


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


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_refusal_is_an_error_and_is_not_kept(stub: Stub, tmp_path: Path, status: int) -> None:
    stub.status = status
    with pytest.raises(GeoError, match="Hjørundfjord") as raised:
        _geocoder(stub, tmp_path).locate("Hjørundfjord")
    assert "offline" in str(raised.value.hint)
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
