"""All witnesses, cheap ones first. A new one is a module with NAME and `opinions`, and a line here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from geoclass.errors import StorageError, UsageError
from geoclass.evidence import artists, codes, language, sound, sung_language, words
from geoclass.evidence.artist_table import Artists, ArtistTable
from geoclass.evidence.facts import Facts
from geoclass.evidence.library import LibraryEvidence
from geoclass.evidence.opinion import Opinion


class SungLanguageOf(Protocol):
    """What identifies the language sung in a file, such as `inference.sung.Listener`."""

    identity: str

    def __call__(self, path: Path) -> Mapping[str, float]:
        """The probability of each language that it is sung in the file."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """External sources for the witnesses."""

    artists: Artists | None = None
    library: LibraryEvidence | None = None  # how the witnesses count in the library at hand
    sung_language: SungLanguageOf | None = None

    @classmethod
    def open(
        cls,
        witnesses: Sequence[str],
        *,
        learned: bool,
        note: Callable[[str], None],
        sung_language: SungLanguageOf | None = None,
    ) -> "Sources":
        """What the user has: the artist table, where there is one, and what `learn` found out about the witnesses.

        Args:
            witnesses: Those that are asked; the table is opened for the witness of artists alone.
            learned: Whether what `learn` found out counts.
            note: Called with a sentence about a damaged table, which is then not used.
            sung_language: What identifies it, where a Whisper model was named.
        """
        table: Artists | None = None
        try:
            table = ArtistTable.open_default() if artists.NAME in witnesses else None
        except StorageError as error:
            note(f"{error.message}; artists are not looked up in it" + (f" ({error.hint})" if error.hint else ""))
        library = LibraryEvidence.open() if learned else None
        return cls(artists=table, library=library, sung_language=sung_language)


Witness = Callable[[Facts, Sources], Iterator[Opinion]]

WITNESSES: Mapping[str, Witness] = {
    artists.NAME: lambda facts, sources: artists.opinions(facts, sources.artists),
    language.NAME: lambda facts, _: language.opinions(facts),
    words.NAME: lambda facts, _: words.opinions(facts),
    codes.NAME: lambda facts, _: codes.opinions(facts),
    sung_language.NAME: lambda facts, _: sung_language.opinions(facts),
    sound.NAME: lambda facts, _: sound.opinions(facts),
}
CHEAP = tuple(name for name in WITNESSES if name not in (sound.NAME, sung_language.NAME))
USUAL = (*CHEAP, sound.NAME)  # those that need nothing else


def ask(facts: Facts, *, witnesses: Sequence[str] = tuple(WITNESSES), sources: Sources | None = None) -> list[Opinion]:
    """The opinions of the named witnesses on one file, in the order of the registry."""
    sources = sources or Sources()
    found = [said for name, witness in WITNESSES.items() if name in witnesses for said in witness(facts, sources)]
    return found if sources.library is None else sources.library.weigh(found)


def parse_witnesses(text: str) -> tuple[str, ...]:
    """The names in "sound,language".

    Raises:
        UsageError: A name that is no witness, or none at all.
    """
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in WITNESSES]
    hint = f"the witnesses are {', '.join(WITNESSES)}"
    if unknown:
        raise UsageError(f"--evidence {text}: unknown witness {', '.join(unknown)}", hint=hint)
    if not names:
        raise UsageError("--evidence names no witness", hint=hint)
    return names
