"""What each witness on the country is worth in a library: alone, left out, and together with the others."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from geoclass.evidence.opinion import Opinion
from geoclass.evidence.pool import pool
from geoclass.evidence.registry import WITNESSES
from geoclass.evidence.sound import CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What was said of one file whose country is known."""

    truth: str  # ISO 3166-1 alpha-2
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True, kw_only=True)
class WitnessScore:
    """How well some of the witnesses do by themselves, file by file."""

    witnesses: str  # "language alone", "all but language" or "all"
    files: int  # whose country is known
    spoke: int  # of which at least one of them said something
    right: int  # of these, files whose likeliest country is the true one
    written: int  # files whose likeliest country reaches CONFIDENCE
    written_right: int  # of these, the right ones

    def as_json(self) -> dict[str, str | int]:
        """For metrics.json."""
        return asdict(self)


def score_witnesses(files: Sequence[Statements], *, confidence: float = CONFIDENCE) -> tuple[WitnessScore, ...]:
    """Pool each file's opinions again for each choice of witnesses.

    Args:
        files: With what was said of each.
        confidence: Probability from which a country is written.

    Returns:
        A score for each witness that spoke, alone; for each of these, all the others; and for all together.
    """
    heard = {opinion.witness for file in files for opinion in file.opinions}
    present = [name for name in WITNESSES if name in heard]
    return tuple(_score(name, chosen, files, confidence=confidence) for name, chosen in _choices(present))


def _choices(present: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    yield from ((f"{name} alone", frozenset([name])) for name in present)
    if len(present) > 2:  # of two, all but one is the other alone
        yield from ((f"all but {name}", frozenset(present) - {name}) for name in present)
    if len(present) > 1:
        yield "all", frozenset(present)


def _score(name: str, chosen: frozenset[str], files: Sequence[Statements], *, confidence: float) -> WitnessScore:
    spoke = right = written = written_right = 0
    for file in files:
        verdict = pool(opinion for opinion in file.opinions if opinion.witness in chosen)
        if verdict is None:
            continue
        ((country, probability),) = verdict.candidates(1)
        spoke += 1
        right += country == file.truth
        written += probability >= confidence
        written_right += probability >= confidence and country == file.truth
    return WitnessScore(
        witnesses=name, files=len(files), spoke=spoke, right=right, written=written, written_right=written_right
    )
