"""Place names, as artists write them, to points and countries: offline first, OpenStreetMap's Nominatim on request."""

import hashlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from geoclass import storage
from geoclass.errors import GeoError, StorageError, UsageError
from geoclass.geo import gazetteer
from geoclass.geo.borders import country_at
from geoclass.geo.countries import countries
from geoclass.text import normalize_name, plain_text

GEOCODERS = ("offline", "nominatim")
_CACHE_FORMAT = "geoclass/place"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A point with a name."""

    latitude: float  # degrees north
    longitude: float  # degrees east
    country: str  # ISO 3166-1 alpha-2
    name: str


class Geocoder(Protocol):
    """What turns free text into a place."""

    def locate(self, text: str) -> Place | None:
        """The place, or None when the text names none.

        Raises:
            GeoError: The service cannot be reached.
        """
        ...


class Gazetteer:
    """Place names without a network; see `geoclass.geo.gazetteer` for what it knows.

    Parts must agree ("Paris, Texas" is not in France, "Paris, Germany" is nothing), what is ambiguous means the
    place with more people, and what is no place ("Everywhere", "Internet") gives None.
    """

    def locate(self, text: str) -> Place | None:
        found = gazetteer.resolve(plain_text(text))
        if found is None:
            return None
        return Place(latitude=found.latitude, longitude=found.longitude, country=found.country, name=found.name)


class NominatimGeocoder:
    """The offline gazetteer, and Nominatim for names that it lacks.

    Answers, "not found" among them, are kept on disk, one file per query, so that each is sent once.

    Args:
        domain: Host and port of the service.
        scheme: "https" or "http".
        min_delay_s: Seconds between two requests. The public service allows one per second.
        timeout_s: Seconds to wait for an answer.
        cache: Folder of the answers; default: "nominatim" in the user's cache folder.
    """

    def __init__(
        self,
        *,
        domain: str = "nominatim.openstreetmap.org",
        scheme: str = "https",
        min_delay_s: float = 1.0,
        timeout_s: float = 10.0,
        cache: Path | None = None,
    ) -> None:
        from geopy.extra.rate_limiter import RateLimiter
        from geopy.geocoders import Nominatim

        import geoclass

        self.domain = domain
        self.cache = cache if cache is not None else storage.cache_dir() / "nominatim"
        self._offline = Gazetteer()
        agent = f"geoclass/{geoclass.__version__}"
        service = Nominatim(user_agent=agent, domain=domain, scheme=scheme, timeout=timeout_s)
        self._ask = RateLimiter(
            service.geocode, min_delay_seconds=min_delay_s, max_retries=1, error_wait_seconds=min_delay_s,
            swallow_exceptions=False,
        )  # fmt: skip

    def locate(self, text: str) -> Place | None:
        text = plain_text(text)
        found = self._offline.locate(text)
        key = normalize_name(text)
        if found is not None or not key or key in gazetteer.NOWHERE:
            return found
        path = self.cache / f"{hashlib.sha256(f'{self.domain} {key}'.encode()).hexdigest()[:32]}.json"
        known = _read(path)
        if known is None:
            known = self._request(text)
            storage.write_json(path, {"query": key, "domain": self.domain, "place": known}, format=_CACHE_FORMAT)
        return Place(**known) if known else None

    def _request(self, text: str) -> dict[str, Any]:
        """Ask the service; {} when it finds nothing.

        Raises:
            GeoError: No answer, or a refusal.
        """
        from geopy.exc import GeopyError

        try:
            answer = self._ask(text, addressdetails=True, language="en")
        except GeopyError as error:
            raise GeoError(
                f"{self.domain} could not locate {text!r}: {error}",
                hint="try again later (answers so far are kept), or use `--geocoder offline`",
            ) from error
        if answer is None:
            return {}
        code = str(answer.raw.get("address", {}).get("country_code", "")).upper()
        # By the borders where the service names no country: names and coordinates then follow one rule.
        country = code if code in countries() else country_at(answer.latitude, answer.longitude)
        if not country:
            return {}
        place = Place(latitude=answer.latitude, longitude=answer.longitude, country=country, name=answer.address)
        return asdict(place)


def create_geocoder(name: str) -> Geocoder:
    """The geocoder of that name, "offline" or "nominatim".

    Raises:
        UsageError: No such geocoder.
    """
    if name == "offline":
        return Gazetteer()
    if name == "nominatim":
        return NominatimGeocoder()
    raise UsageError(f"unknown geocoder {name!r}", hint=f"use one of {', '.join(GEOCODERS)}")


def _read(path: Path) -> dict[str, Any] | None:
    """A kept answer; None when there is none, or none that can be read: then it is asked again."""
    if not path.exists():
        return None
    try:
        place = storage.read_json(path, format=_CACHE_FORMAT)["place"]
    except (StorageError, KeyError):
        return None
    whole = {field.name for field in fields(Place)}
    return place if isinstance(place, dict) and set(place) in (set(), whole) else None
