"""A collection in numbers: countries, genres and decades, and who wrote them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from geoclass.library.song import Song
from geoclass.text import name_key

EDGES = (0.0, 0.9, 0.95, 0.98, 1.0)  # of the probabilities that geoclass noted, in groups
N_LEAST_SURE = 25


@dataclass
class Amount:
    """How much there is of something."""

    files: int = 0
    hours: float = 0.0
    artists: set[str] = field(default_factory=set)  # as `name_key` writes them

    def add(self, song: Song) -> None:
        """Count a song in."""
        self.files += 1
        self.hours += (song.duration_s or 0.0) / 3600
        if artist := name_key(song.filed_under):
            self.artists.add(artist)


@dataclass
class BySource:
    """The same by who wrote the value: a person (or another program), or geoclass."""

    everyone: Amount = field(default_factory=Amount)
    people: Amount = field(default_factory=Amount)
    geoclass: Amount = field(default_factory=Amount)

    def add(self, song: Song, sure: float | None) -> None:
        """Count a song in; `sure` is None when a person wrote the value."""
        self.everyone.add(song)
        (self.people if sure is None else self.geoclass).add(song)


@dataclass
class Survey:
    """What `survey` counts."""

    total: Amount
    countries: dict[str, BySource]  # by code
    genres: dict[str, BySource]  # by name, in the spelling used most
    decades: Mapping[int, int]  # first year of a decade -> files, in the order of time
    without_country: Amount
    without_genre: Amount
    without_year: int
    unreadable: list[Song]
    sureness: dict[str, list[int]]  # by field: how many values lie between one of EDGES and the next
    least_sure: list[Song]  # whose country geoclass wrote, the least sure first


def survey(songs: Iterable[Song]) -> Survey:
    """Count songs."""
    found = Survey(
        total=Amount(), countries=defaultdict(BySource), genres={}, decades={}, without_country=Amount(),
        without_genre=Amount(), without_year=0, unreadable=[], least_sure=[],
        sureness={"country": [0] * (len(EDGES) - 1), "genre": [0] * (len(EDGES) - 1)},
    )  # fmt: skip
    genres: dict[str, BySource] = defaultdict(BySource)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    decades: Counter[int] = Counter()
    written = []
    for song in songs:
        if song.error:
            found.unreadable.append(song)
            continue
        found.total.add(song)
        if song.country:
            found.countries[song.country].add(song, song.country_sure)
        else:
            found.without_country.add(song)
        by_key = {name_key(genre): genre for genre in song.genres}
        for key, genre in by_key.items():
            genres[key].add(song, song.genre_sure)
            spellings[key][genre] += 1
        if not by_key:
            found.without_genre.add(song)
        if song.year:
            decades[song.year // 10 * 10] += 1
        else:
            found.without_year += 1
        for name, sure in (("country", song.country_sure), ("genre", song.genre_sure)):
            if sure is not None:
                found.sureness[name][_group(sure)] += 1
        if song.country and song.country_sure is not None:
            written.append(song)
    found.genres = {spellings[key].most_common(1)[0][0]: amounts for key, amounts in genres.items()}
    found.decades = dict(sorted(decades.items()))
    found.least_sure = sorted(written, key=lambda song: (song.country_sure, song.path))[:N_LEAST_SURE]
    return found


def _group(probability: float) -> int:
    return sum(probability >= edge for edge in EDGES[1:-1])
