"""MusicBrainz' web service, for artists that the table lacks: https://musicbrainz.org/doc/MusicBrainz_API.

One request per second, a User-Agent that names us, `Retry-After` and 503 obeyed, and every answer, also "unknown", kept
in the file of the artist table. requests-cache and requests-ratelimiter do that; this module alone imports them.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geoclass.errors import UsageError
from geoclass.evidence.artist_table import Artist, Artists, default_path
from geoclass.evidence.musicbrainz_json import parse_artist
from geoclass.text import name_key

SERVER = "https://musicbrainz.org/ws/2"
_USER_AGENT = "geoclass/{version} ( https://pypi.org/project/geoclass )"
_MBID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMEOUT_S = 10.0
_TRIES, _LONGEST_WAIT_S = 4, 60  # a longer Retry-After is not waited for
_KEPT_S = 90 * 24 * 3600  # an answer
_FAILURES = 2  # in a row, after which the service is not asked again in this run
_MAX_BYTES = 5_000_000  # of an answer
_LIMIT = 25  # artists of one name; the service gives the best first


class MusicBrainz:
    """The web service as a source of artists. What goes wrong is noted once, and never fails a run.

    Args:
        server: Its address; another one in tests.
        cache: The SQLite file that keeps the answers.
        note: Called with a line for people when the service is given up.
        per_second: Requests.
        timeout_s: For an answer to begin.

    Raises:
        UsageError: The extra is not installed.
    """

    def __init__(
        self,
        *,
        server: str = SERVER,
        cache: Path | None = None,
        note: Callable[[str], None] = lambda _: None,
        per_second: float = 1.0,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._server, self._note, self._timeout_s = server.rstrip("/"), note, timeout_s
        self._session = _session(cache or default_path(), per_second=per_second)
        self._failures = 0

    def by_mbid(self, mbid: str) -> Artist | None:
        """The artist with this identifier; None where there is none, or nobody answers."""
        mbid = mbid.strip().lower()
        return parse_artist(self._get(f"artist/{mbid}", {})) if _MBID.fullmatch(mbid) else None

    def by_name(self, name: str) -> tuple[Artist, ...]:
        """The artists that bear the name; () where there are none, or nobody answers."""
        quoted = re.sub(r'([\\"])', r"\\\1", name)
        answer = self._get("artist", {"query": f'artist:"{quoted}" OR alias:"{quoted}"', "limit": _LIMIT})
        found = answer.get("artists") if isinstance(answer, dict) else None
        artists = map(parse_artist, found if isinstance(found, list) else ())
        wanted = name_key(name)
        return tuple(of for of in artists if of and wanted in {name_key(of.name), *map(name_key, of.aliases)})

    def _get(self, path: str, query: dict[str, Any]) -> Any:
        """The JSON of an answer; None for "unknown", for invalid answers, and where none comes."""
        import requests

        if self._failures >= _FAILURES:
            return None
        try:
            answer = self._session.get(
                f"{self._server}/{path}", params={"fmt": "json", **query}, timeout=self._timeout_s
            )
            if answer.status_code == 404:
                self._failures = 0
                return None
            answer.raise_for_status()
            if len(answer.content) > _MAX_BYTES:
                raise ValueError(f"{len(answer.content):,} bytes for one artist")
            document = answer.json()
            if not isinstance(document, dict):
                raise ValueError("not an object")
        except (requests.RequestException, ValueError, OSError) as error:
            self._fail(error)
            return None
        self._failures = 0
        return document

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == _FAILURES:
            self._note(
                f"MusicBrainz does not respond ({type(error).__name__}); no more artists are looked up in this run"
            )


class TableThenWeb:
    """Asks the table, and the web service about what the table lacks."""

    def __init__(self, table: Artists | None, web: Artists) -> None:
        self._table, self._web = table, web
        self.identity = f"{getattr(table, 'identity', '')} and the web"

    def by_mbid(self, mbid: str) -> Artist | None:
        """The artist with this identifier."""
        found = self._table.by_mbid(mbid) if self._table else None
        return found or self._web.by_mbid(mbid)

    def by_name(self, name: str) -> tuple[Artist, ...]:
        """The artists that bear the name."""
        found = self._table.by_name(name) if self._table else ()
        return found or self._web.by_name(name)


def _session(cache: Path, *, per_second: float) -> Any:
    try:
        import requests
        from requests.adapters import HTTPAdapter
        from requests_cache import CacheMixin, SQLiteCache
        from requests_ratelimiter import LimiterMixin
        from urllib3.util import Retry
    except ImportError as error:
        raise UsageError(
            f"--lookup musicbrainz needs the package {error.name}",
            hint='install it: pip install "geoclass[musicbrainz]"',
        ) from error
    from geoclass import __version__

    class Session(CacheMixin, LimiterMixin, requests.Session):  # type: ignore[misc]
        """Looks into the cache first, and waits for its turn only when it must ask."""

    cache.parent.mkdir(parents=True, exist_ok=True)
    session = Session(
        backend=SQLiteCache(db_path=cache, serializer="json"),
        expire_after=_KEPT_S,
        allowable_codes=(200, 404),
        per_second=per_second,
        limit_statuses=(),
    )
    retry = Retry(
        total=_TRIES,
        connect=1,
        read=1,
        backoff_factor=1.0,
        status_forcelist=(429, 500, 502, 503, 504),
        respect_retry_after_header=True,
        retry_after_max=_LONGEST_WAIT_S,
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    session.headers["User-Agent"] = _USER_AGENT.format(version=__version__)
    return session
