"""What a library has taught about the witnesses: how far each is trusted in it, and which countries are common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from geoclass.bundle.catalogue import LEARNED
from geoclass.errors import StorageError
from geoclass.evidence import sound
from geoclass.evidence.opinion import Opinion, Weights, background, country_index, from_distribution
from geoclass.geo.countries import country_codes, country_name
from geoclass.storage import data_dir, fingerprint, read_json, write_json

NAME, CLUE = "library", "countries of the library"
FORMAT, FILE = "geoclass/library-evidence", "evidence.json"
_UNSEEN = 2.0  # pseudo-count: artists of any country, as if they had been seen
_MOST = 0.5  # of the probability: the commonest country of a library is never enough alone


@dataclass(frozen=True, kw_only=True)
class LibraryEvidence:
    """What holds in one library. Made by `geoclass learn`."""

    trust: Mapping[str, float] = field(default_factory=dict)  # clue -> power of its opinions, 0 to 1; others: 1
    artists: Mapping[str, int] = field(default_factory=dict)  # country -> artists whose country people wrote

    @classmethod
    def open(cls, model: str = LEARNED) -> "LibraryEvidence | None":
        """What was learned with one of the user's models; None where there is nothing, or it is damaged."""
        path = data_dir() / "models" / model / FILE
        if not path.is_file():
            return None
        try:
            found = read_json(path, format=FORMAT)
            trust = {str(clue): min(1.0, max(0.0, float(power))) for clue, power in found["trust"].items()}
            return cls(trust=trust, artists={str(code): int(n) for code, n in found["artists"].items()})
        except (StorageError, KeyError, TypeError, ValueError, AttributeError):
            return None  # the shipped weights are used without it

    def save(self, folder: Path) -> None:
        """Write it beside a model."""
        write_json(folder / FILE, {"trust": dict(self.trust), "artists": dict(self.artists)}, format=FORMAT)

    @property
    def identity(self) -> str:
        """Changes with what was learned."""
        return fingerprint(dict(self.trust), dict(self.artists))[:8]

    def weigh(self, opinions: Sequence[Opinion]) -> list[Opinion]:
        """The opinions on one file as they count here, and the library's own where the tags or the path gave any."""
        weighed = [
            replace(of, log_weights=power * of.log_weights)
            for of in opinions
            if (power := self.trust.get(of.clue, 1.0)) > 0
        ]
        speaks = self.artists and any(of.witness != sound.NAME for of in weighed)
        return [*weighed, self._own()] if speaks else weighed

    def _own(self) -> Opinion:
        total = sum(self.artists.values())
        likeliest = max(sorted(self.artists), key=lambda code: self.artists[code])
        because = f"{self.artists[likeliest]} of {total} artists with a country are from {country_name(likeliest)}"
        said = from_distribution(NAME, CLUE, shares(self.artists), because)
        return replace(said, log_weights=self.trust.get(CLUE, 1.0) * said.log_weights)


def shares(artists: Mapping[str, int]) -> Weights:
    """How probable each country is for a new artist: (n_countries,), with some left for countries without artists."""
    counts = np.zeros(len(country_codes()))
    for code, n in artists.items():
        if code in country_index():
            counts[country_index()[code]] = n
    found = np.minimum((counts + _UNSEEN * background()) / (counts.sum() + _UNSEEN), _MOST)
    return np.asarray(found + (1 - found.sum()) * background())
