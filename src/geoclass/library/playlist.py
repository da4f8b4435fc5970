"""Songs of a collection chosen by country, region and genre, as a playlist (extended M3U in UTF-8)."""

import os
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from geoclass import __version__
from geoclass.errors import UsageError
from geoclass.geo.countries import countries, find_country, subregion
from geoclass.library.song import Song
from geoclass.storage import refuse_foreign, write_text
from geoclass.text import name_key, printable

MARK = b"#EXTM3U\n#geoclass "  # how a playlist of ours begins


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which songs a playlist takes; what is empty excludes nothing."""

    countries: frozenset[str] = frozenset()  # ISO 3166-1 alpha-2
    genres: frozenset[str] = frozenset()  # as `name_key` writes them
    min_confidence: float = 0.0  # of values that geoclass wrote; a person's are taken as they are

    def takes(self, song: Song) -> bool:
        """Whether a song belongs to the playlist."""
        if song.error:
            return False
        if self.countries and (song.country not in self.countries or not self._is_sure(song.country_sure)):
            return False
        if not self.genres:
            return True
        return not self.genres.isdisjoint(map(name_key, song.genres)) and self._is_sure(song.genre_sure)

    def _is_sure(self, sure: float | None) -> bool:
        return sure is None or sure >= self.min_confidence


def parse_choice(
    *, countries: Sequence[str] = (), regions: Sequence[str] = (), genres: Sequence[str] = (), min_confidence: float = 0
) -> Choice:
    """The choice that is meant by names.

    Args:
        countries: Codes or names: "TR", "Greece".
        regions: UN M49 regions or subregions: "Western Asia"; with `countries`, both are taken.
        genres: In any spelling.
        min_confidence: Of values that geoclass wrote, 0 to 1.

    Raises:
        UsageError: A country or region that does not exist.
    """
    chosen = set()
    for name in countries:
        code = find_country(name)
        if code is None:
            raise UsageError(
                f"--country {name}: not a country", hint="name ISO codes or countries: --country TR,Greece"
            )
        chosen.add(code)
    for name in regions:
        chosen |= _countries_of(name)
    return Choice(countries=frozenset(chosen), genres=frozenset(map(name_key, genres)), min_confidence=min_confidence)


def choose(
    songs: Iterable[Song], choice: Choice, *, shuffle: bool = False, seed: int | None = None, hours: float | None = None
) -> list[Song]:
    """The songs of a playlist in their order: by artist, year, album and file, or shuffled.

    Args:
        songs: All of the collection.
        choice: Which of them.
        shuffle: In random order.
        seed: For the same random order again.
        hours: No longer than this; songs of unknown length are then left out.

    Raises:
        UsageError: None is left; the message says what there is.
    """
    songs = list(songs)
    chosen = [song for song in songs if choice.takes(song)]
    if not chosen:
        raise UsageError("no song matches", hint=_what_there_is(songs, choice))
    chosen.sort(key=_order)
    if shuffle:
        random.Random(seed).shuffle(chosen)
    if hours is None:
        return chosen
    kept, left_s = [], hours * 3600
    for song in chosen:
        if song.duration_s and song.duration_s <= left_s:
            kept.append(song)
            left_s -= song.duration_s
    if not kept:
        raise UsageError(
            f"none of the {len(chosen):,} matching songs is known to be shorter than {hours:g} h", hint="raise --hours"
        )
    return kept


def write_playlist(path: Path, songs: Iterable[Song], *, absolute: bool = False) -> None:
    """Write extended M3U; only a playlist that geoclass wrote is replaced.

    Paths are relative to the playlist's folder, so that both can be moved together. A name that the format cannot
    carry (not UTF-8, or with a line break) is written as a file:// link, which players read too.

    Raises:
        UsageError: `path` is something else.
        StorageError: It cannot be written.
    """
    refuse_foreign(path, mark=MARK)
    folder = path.resolve().parent
    lines = [MARK.decode() + __version__]
    for song in songs:
        seconds = -1 if song.duration_s is None else round(song.duration_s)
        about = f"{song.artist} - {song.name}" if song.artist else song.name
        lines += [
            f"#EXTINF:{seconds},{printable(' '.join(about.split()))}",
            _location(song.path, folder, absolute=absolute),
        ]
    write_text(path, "\n".join(lines) + "\n")


def _location(path: str, folder: Path, *, absolute: bool) -> str:
    whole = os.path.abspath(path)
    location = whole
    if not absolute:
        try:
            location = os.path.relpath(whole, folder)
        except ValueError:  # another drive of Windows
            location = whole
    try:
        location.encode("utf-8")
    except UnicodeEncodeError:
        return Path(whole).as_uri()
    if re.search(r"[\r\n]", location) or location != location.strip():
        return Path(whole).as_uri()
    return f".{os.sep}{location}" if location.startswith("#") else location


def _order(song: Song) -> tuple[object, ...]:
    return (
        not song.filed_under, name_key(song.filed_under), song.year or 9999, name_key(song.album), _natural(song.path)
    )  # fmt: skip


def _natural(path: str) -> list[tuple[int, str]]:
    """So that "2 …" comes before "10 …"."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", path.casefold())]


def _countries_of(name: str) -> set[str]:
    key = name_key(name)
    found = {code for code, country in countries().items() if key in map(name_key, (country.region, country.subregion))}
    if not found:
        regions = sorted({subregion(code) for code in countries()})
        raise UsageError(f"--region {name}: not a region", hint=f"regions are {', '.join(regions)}")
    return found


def _what_there_is(songs: Sequence[Song], choice: Choice) -> str:
    """The most frequent countries and genres, as far as they narrow the choice."""
    readable = [song for song in songs if not song.error]
    parts = []
    if choice.countries:
        parts.append(_most("countries", Counter(song.country for song in readable if song.country)))
    if choice.genres:
        within = [song for song in readable if not choice.countries or song.country in choice.countries]
        parts.append(_most("genres", Counter(genre for song in within or readable for genre in song.genres)))
    if choice.min_confidence and any(Choice(countries=choice.countries, genres=choice.genres).takes(s) for s in songs):
        parts.append("some do with a lower --min-confidence")
    return "; ".join(parts) or "no file could be read"


def _most(noun: str, counts: Counter[str]) -> str:
    if not counts:
        return f"the tags name no {noun}: `geoclass tag` writes them"
    named = ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(12))
    return f"available {noun}: {named}" + (", …" if len(counts) > 12 else "")
