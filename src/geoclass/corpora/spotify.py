"""Thirteen numbers per track from Spotify's Web API, for corpora that name tracks and hold no sound.

Spotify has refused the call for audio features (403) to applications registered since November 2024; older ones still
get them. Each response, found or not, is cached on disk at once, so that a run can be interrupted and continued.
Only this module imports spotipy.
"""

import json
import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from geoclass.errors import CorpusError, StorageError
from geoclass.storage import cache_dir
from geoclass.text import name_key

SPOTIFY_COLUMNS = (
    *("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness"),
    *("instrumentalness", "liveness", "valence", "tempo", "duration_ms", "time_signature"),
)
BATCH = 100  # tracks in one call for features, Spotify's limit
NOT_FOUND = "not found on Spotify"
NO_FEATURES = "Spotify has no features for it"
_FORMAT = {"format": "geoclass/spotify-cache", "version": 1}
_TRIES = 5  # for errors of the server or the line
_PROBE = "11dFghVXANMlKmJXsNCbNl"  # the track of Spotify's own documentation


class SpotifyFeatures:
    """Looks tracks up by title and artist, and caches every response.

    Args:
        cache: The file with the answers so far, one JSON object per line; None: in the user's cache folder.
        client: A `spotipy.Spotify` that does not retry; None: made with `SPOTIPY_CLIENT_ID` and
            `SPOTIPY_CLIENT_SECRET`.
        longest_wait_s: A longer Retry-After than this (seconds) ends the run, to be continued later.
        sleep: Waits that many seconds.

    Raises:
        CorpusError: spotipy is not installed, or no credentials.
        StorageError: The cache cannot be read.
    """

    def __init__(
        self,
        *,
        cache: Path | None = None,
        client: Any = None,
        longest_wait_s: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = cache or cache_dir() / "spotify.jsonl"
        self._client = client or _connect()
        self._longest_wait_s = longest_wait_s
        self._sleep = sleep
        self._known = _read_cache(self._path)
        self._probed = False

    def look_up(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, float] | str]:
        """The numbers of each (title, artist), by `SPOTIFY_COLUMNS`, or the reason why there are none.

        Raises:
            CorpusError: Spotify refuses, asks for too long a wait, or cannot be reached.
            StorageError: The cache cannot be written.
        """
        new = list({key: pair for pair in pairs if (key := _key(*pair)) not in self._known}.values())
        for start in range(0, len(new), BATCH):
            self._fetch(new[start : start + BATCH])
        return [self._known[_key(*pair)] for pair in pairs]

    def _fetch(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Ask Spotify for up to `BATCH` tracks and add the answers to the cache."""
        if not self._probed:  # one call that fails now, instead of after many searches
            self._call(self._client.audio_features, [_PROBE])
            self._probed = True
        found = {pair: track_id for pair in pairs if (track_id := self._search(*pair))}
        ids = list(dict.fromkeys(found.values()))
        answers = self._call(self._client.audio_features, ids) if ids else []
        features = {answer["id"]: answer for answer in answers or [] if answer}
        fresh = {pair: _numbers(features.get(found[pair])) if pair in found else NOT_FOUND for pair in pairs}
        _append(self._path, fresh)
        self._known |= {_key(*pair): answer for pair, answer in fresh.items()}

    def _search(self, title: str, artist: str) -> str | None:
        """Spotify's id of the first hit by that artist."""
        query = f"track:{title} artist:{artist}"[:250].replace('"', " ")
        answer = self._call(self._client.search, query, limit=5, type="track") or {}
        for item in answer.get("tracks", {}).get("items", []):
            if item and any(_same(artist, other.get("name", "")) for other in item.get("artists", [])):
                return str(item["id"])
        return None

    def _call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """One request, repeated after the time that Retry-After names, and after transient errors."""
        import requests
        import spotipy

        for attempt in range(_TRIES):
            wait_s = float(2**attempt)
            try:
                with warnings.catch_warnings():  # spotipy warns that the call is deprecated; the error below says more
                    warnings.simplefilter("ignore", DeprecationWarning)
                    return function(*arguments, **options)
            except spotipy.SpotifyException as error:
                if error.http_status == 429:
                    wait_s = _retry_after_s(error.headers, otherwise=wait_s)
                elif error.http_status < 500:
                    raise _refusal(error.http_status, str(error.msg)) from error
                problem: Exception = error
            except spotipy.SpotifyOauthError as error:
                raise CorpusError(
                    f"Spotify does not accept the credentials: {error}",
                    hint="check SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET, or give the numbers with --features CSV",
                ) from error
            except requests.RequestException as error:
                problem = error
            if wait_s > self._longest_wait_s:
                raise CorpusError(
                    f"Spotify asks to wait {wait_s:,.0f} s before the next request",
                    hint=f"run the same command then; what was found is kept in {self._path}",
                ) from problem
            self._sleep(wait_s)
        raise CorpusError(
            f"Spotify did not answer in {_TRIES} tries: {problem}",
            hint=f"run the same command later; what was found is kept in {self._path}",
        ) from problem


def _connect() -> Any:
    """A client that does not wait by itself: spotipy's retries hide how long Spotify asks to wait."""
    try:
        import requests
        import spotipy
    except ImportError as error:
        raise CorpusError("--spotify needs spotipy", hint="pip install 'geoclass[spotify]'") from error
    missing = [name for name in ("SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET") if not os.environ.get(name)]
    if missing:
        raise CorpusError(
            f"--spotify needs {' and '.join(missing)} in the environment",
            hint="register an application at https://developer.spotify.com/dashboard, or use --features CSV",
        )
    # spotipy would write its token to .cache in the working folder.
    credentials = spotipy.SpotifyClientCredentials(cache_handler=spotipy.MemoryCacheHandler())
    return spotipy.Spotify(auth_manager=credentials, requests_session=requests.Session())


def _refusal(status: int, message: str) -> CorpusError:
    if status == 403:
        return CorpusError(
            "Spotify refuses its audio features (403): since November 2024 new applications do not get them",
            hint="give a table of the 13 numbers with --features CSV, joined on track and artist",
        )
    return CorpusError(
        f"Spotify answers {status}: {message}",
        hint="check SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET, or give the numbers with --features CSV",
    )


def _retry_after_s(headers: Any, *, otherwise: float) -> float:
    try:
        return max(0.0, float((headers or {}).get("Retry-After", otherwise)))
    except ValueError:
        return otherwise


def _numbers(answer: dict[str, Any] | None) -> dict[str, float] | str:
    try:
        return {column: float(answer[column]) for column in SPOTIFY_COLUMNS} if answer else NO_FEATURES
    except (KeyError, TypeError, ValueError):
        return NO_FEATURES


def _same(one: str, other: str) -> bool:
    """Whether two names agree but for case, accents, punctuation and spaces."""
    return name_key(one).replace(" ", "") == name_key(other).replace(" ", "")


def _key(title: str, artist: str) -> tuple[str, str]:
    return title.casefold(), artist.casefold()


def _read_cache(path: Path) -> dict[tuple[str, str], dict[str, float] | str]:
    """What earlier runs found. An incomplete last line, of a run that was killed, is skipped."""
    known: dict[tuple[str, str], dict[str, float] | str] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return known
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    for line in lines:
        try:
            entry = json.loads(line)
            if "format" in entry and (entry["format"], entry["version"]) != tuple(_FORMAT.values()):
                raise StorageError(
                    f"{path} is not a cache of this version of geoclass", hint="move it away to start over"
                )
            known[_key(entry["track"], entry["artist"])] = entry.get("features") or entry["reason"]
        except (ValueError, KeyError, TypeError):
            continue
    return known


def _append(path: Path, answers: dict[tuple[str, str], dict[str, float] | str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            if file.tell() == 0:
                file.write(json.dumps(_FORMAT).encode() + b"\n")
            elif not _ends_with_newline(path):
                file.write(b"\n")
            for (title, artist), answer in answers.items():
                result = {"reason": answer} if isinstance(answer, str) else {"features": answer}
                line = json.dumps({"track": title, "artist": artist} | result, ensure_ascii=False)
                file.write(line.encode("utf-8", "replace") + b"\n")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
