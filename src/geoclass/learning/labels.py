"""The labels that people gave the files of a library, and which of them have enough files and artists."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geoclass.evidence.credits import host_names
from geoclass.library.song import Song
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.entries import genre_name
from geoclass.tagging.tags import Tags
from geoclass.text import name_key, normalize_name

MIN_ARTISTS, MIN_FILES = 3, 5
ENOUGH = f"a field needs two labels with {MIN_FILES} files by {MIN_ARTISTS} artists each: "
ENOUGH += "add some by hand or with `learn --ask 20`"
_SEPARATORS = re.compile(r"[;,/|\\\0]+")
_NO_GENRE = frozenset(
    ("unknown", "other", "others", "misc", "miscellaneous", "genre", "none", "undefined", "various", "music", "na")
)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A label that cannot be learned."""

    label: str
    files: int
    artists: int

    @property
    def reason(self) -> str:
        """What is missing."""
        missing = []
        if self.files < MIN_FILES:
            missing.append(f"{self.files} of {MIN_FILES} files")
        if self.artists < MIN_ARTISTS:
            missing.append(f"{self.artists} of {MIN_ARTISTS} artists")
        return ", ".join(missing)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels of one field."""

    task: str
    kind: str  # "single" or "multi"
    names: tuple[str, ...]  # the labels that can be learned, sorted
    of_file: Mapping[int, tuple[str, ...]]  # index of a song -> its labels among `names`
    others: frozenset[int]  # songs all of whose labels have too few files or artists
    left_out: tuple[LeftOut, ...] = ()
    weak: frozenset[int] = field(default_factory=frozenset)  # of `of_file`: what witnesses say, not people

    @property
    def labelled(self) -> int:
        """The number of files with a label."""
        return len(self.of_file) - len(self.weak) + len(self.others)


def artists_of(songs: Sequence[Song], roots: Sequence[Path]) -> list[str]:
    """An artist for each song, from its tags, else from its folder; a file without either counts as a separate artist.

    Guests do not count, nor do "Various Artists" and the like. The folders in `roots` are no artists.
    """
    tops = {Path(root) for root in roots}
    found = []
    for song in songs:
        hosts = host_names(song.artist) or host_names(song.album_artist)
        folder = Path(song.path).parent
        if hosts:
            found.append("artist " + name_key(hosts[0]))
        elif folder not in tops and folder.name:
            found.append(f"folder {folder}")
        else:
            found.append(f"file {song.path}")
    return found


def read_labels(
    task: str,
    songs: Sequence[Song],
    artists: Sequence[str],
    *,
    corrections: Corrections | None = None,
    weak: Mapping[int, tuple[str, ...]] | None = None,
) -> Labels:
    """The labels of one field: what people wrote, and what they corrected; never what geoclass wrote itself.

    Args:
        task: "country" or "genre".
        songs: The library.
        artists: As `artists_of` gives them.
        corrections: What people said in a review.
        weak: Labels of songs that people gave none; used for training, never for scoring.
    """
    given = given_labels(task, songs, corrections=corrections)
    weakly = {index: found for index, found in (weak or {}).items() if index not in given}
    spelled = _spellings(given)
    keyed = {index: tuple(dict.fromkeys(map(_key, found))) for index, found in (given | weakly).items()}
    files = Counter(key for keys in keyed.values() for key in keys)
    by_artist: defaultdict[str, set[str]] = defaultdict(set)
    for index, keys in keyed.items():
        for key in keys:
            by_artist[key].add(artists[index])
    enough = {
        key for key, n in files.items() if n >= MIN_FILES and len(by_artist[key]) >= MIN_ARTISTS and key in spelled
    }
    of_file = {index: tuple(spelled[key] for key in keys if key in enough) for index, keys in sorted(keyed.items())}
    several = sum(len(found) > 1 for index, found in of_file.items() if index in given)
    left_out = sorted(
        (key for key in files if key not in enough and key in spelled), key=lambda key: (-files[key], key)
    )
    return Labels(
        task=task,
        kind="multi" if task == "genre" and several else "single",
        names=tuple(sorted(spelled[key] for key in enough)),
        of_file={index: found for index, found in of_file.items() if found},
        others=frozenset(index for index, found in of_file.items() if not found and index in given),
        left_out=tuple(LeftOut(label=spelled[key], files=files[key], artists=len(by_artist[key])) for key in left_out),
        weak=frozenset(index for index in weakly if of_file[index]),
    )


def given_labels(
    task: str, songs: Sequence[Song], *, corrections: Corrections | None = None
) -> dict[int, tuple[str, ...]]:
    """Index of a song -> its labels, including rare ones."""
    corrections = corrections or Corrections()
    return {
        index: found
        for index, song in enumerate(songs)
        if not song.error and (found := _given(task, song, corrections))
    }


def _given(task: str, song: Song, corrections: Corrections) -> tuple[str, ...]:
    """The labels of a song; () if there are none."""
    names = {"artist": (song.artist,)} if song.artist else {}
    corrected = corrections.find(task, Path(song.path).resolve(), Tags(kind="", values=names))
    if task == "country":
        return corrected[:1] or ((song.country,) if song.country and song.country_sure is None else ())
    values = corrected or (song.genres if song.genre_sure is None else ())
    parts = [genre_name(part) for value in values for part in _SEPARATORS.split(value)]
    return tuple(part for part in parts if _key(part) and _key(part) not in _NO_GENRE)


def _key(label: str) -> str:
    """Equal for spellings of one label: "Hip Hop", "hip-hop", "HipHop"."""
    return normalize_name(label).replace(" ", "")


def _spellings(given: Mapping[int, tuple[str, ...]]) -> dict[str, str]:
    """How each label is spelled most often."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for found in given.values():
        for label in found:
            counts[_key(label)][label] += 1
    return {key: min(spellings, key=lambda label: (-spellings[label], label)) for key, spellings in counts.items()}
