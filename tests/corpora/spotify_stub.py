"""A stand-in for Spotify's Web API on this machine."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from corpus_trees import SPOTIFY


class SpotifyStub:
    """Knows the tracks that a test gives it, answers as scripted, and keeps what it was asked."""

    def __init__(self) -> None:
        self.catalogue: dict[str, tuple[str, str]] = {}  # id -> title, artist
        self.without_features: set[str] = set()
        self.script: list[tuple[int, dict[str, str]]] = []  # statuses and headers for the next requests
        self.always: dict[str, int] = {}  # first part of the path -> status
        self.requests: list[str] = []
        self.port = 0

    def add(self, track_id: str, title: str, artist: str) -> None:
        self.catalogue[track_id] = (title, artist)

    def client(self) -> Any:
        requests = pytest.importorskip("requests")
        spotipy = pytest.importorskip("spotipy")
        client = spotipy.Spotify(auth="token", requests_session=requests.Session())
        client.prefix = f"http://127.0.0.1:{self.port}/"
        return client

    def searches(self) -> list[str]:
        return [request for request in self.requests if request.startswith("/search")]

    def answer(self, target: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        self.requests.append(target)
        url = urlsplit(target)
        if self.script:
            status, headers = self.script.pop(0)
            if status != 200:
                return status, headers, {"error": {"status": status, "message": "as scripted"}}
        part = url.path.strip("/")
        if part in self.always:
            return self.always[part], {}, {"error": {"status": self.always[part], "message": "as always"}}
        query = parse_qs(url.query)
        if part == "search":
            items = [
                {"id": track_id, "name": title, "artists": [{"name": artist}]}
                for track_id, (title, artist) in self.catalogue.items()
                if f"track:{title} ".casefold() in query["q"][0].casefold()
            ]
            return 200, {}, {"tracks": {"items": items}}
        ids = query["ids"][0].split(",")
        known = [track_id for track_id in ids if track_id in self.catalogue and track_id not in self.without_features]
        return 200, {}, {"audio_features": [self.features(track_id) if track_id in known else None for track_id in ids]}

    def features(self, track_id: str) -> dict[str, Any]:
        return {"id": track_id, "type": "audio_features"} | {
            column: len(track_id) + place for place, column in enumerate(SPOTIFY)
        }
