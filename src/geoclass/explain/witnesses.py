"""What the witnesses say of the country of one file, and how much each adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geoclass.errors import TaggingError
from geoclass.evidence.opinion import country_index
from geoclass.evidence.pool import Verdict, pool, weight_of
from geoclass.evidence.registry import Sources, ask
from geoclass.inference.prediction import FieldPrediction
from geoclass.tagging.tags import Tags, read_tags
from geoclass.tagging.testimony import facts_heard


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one witness adds to the score of a country."""

    witness: str
    clue: str  # what it read
    because: str
    log_odds: float  # log p(country | fact) - log p(country), weighted as in the pool; 0: it does not matter


def hear_witnesses(
    path: Path, heard: FieldPrediction | None, *, witnesses: Sequence[str], sources: Sources | None = None
) -> Verdict | None:
    """Ask the witnesses about a file.

    Args:
        path: A sound file; one whose tags cannot be read still has a name.
        heard: What a model says of its country.
        witnesses: Those to ask, of `evidence.registry.WITNESSES`.
        sources: What they may use, such as a table of artists.

    Returns:
        What they say together; None when there is no opinion.
    """
    try:
        tags = read_tags(path)
    except TaggingError:
        tags = Tags(kind="")
    facts = facts_heard(path, tags, heard=heard, sources=sources)
    return pool(ask(facts, witnesses=witnesses, sources=sources))


def contributions(verdict: Verdict, country: str) -> tuple[Contribution, ...]:
    """What each witness adds to a country, the most first."""
    place = country_index()[country]
    found = [
        Contribution(
            witness=opinion.witness,
            clue=opinion.clue,
            because=opinion.because,
            log_odds=weight_of(opinion) * float(opinion.log_weights[place]),
        )
        for opinion in verdict.opinions
    ]
    return tuple(sorted(found, key=lambda contribution: -contribution.log_odds))
