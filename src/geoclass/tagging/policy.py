"""What may be written, and when."""

from dataclasses import dataclass
from typing import Literal

from geoclass.errors import UsageError
from geoclass.evidence.sound import CONFIDENCE
from geoclass.evidence.sound import NAME as SOUND
from geoclass.inference.prediction import FieldPrediction
from geoclass.vocabulary import TASKS


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What may be written, and when."""

    fields: tuple[str, ...] = TASKS
    overwrite: frozenset[str] = frozenset()  # fields whose present values may be replaced
    min_confidence: float | None = None  # instead of the default: CONFIDENCE, or the model's own threshold
    evidence: tuple[str, ...] | None = None  # witnesses of the country; None: the model alone, at its own threshold
    vote: Literal["none", "artist", "album"] = "none"  # one country for all files of an artist or album
    release_country: bool = False  # write it to the release country too, where there is none
    candidates: bool = False  # note the candidates of fields on which the model abstains
    region_fallback: bool = False  # write the UN sub-region where it, but no country, reaches the threshold
    again: bool = False  # ask the model about files that it has decided before

    def __post_init__(self) -> None:
        unknown = (set(self.fields) | self.overwrite) - set(TASKS)
        if unknown or not self.fields:
            raise UsageError(f"fields: expected {' or '.join(TASKS)}, found {', '.join(sorted(unknown)) or 'none'}")

    @property
    def pools(self) -> bool:
        """Whether the country is what witnesses agree on, rather than what one model says."""
        return self.evidence is not None

    @property
    def asks_sound(self) -> bool:
        """Whether the sound is among the witnesses of the country."""
        return self.evidence is not None and SOUND in self.evidence

    @property
    def asks_others(self) -> bool:
        """Whether witnesses other than the sound are asked about the country."""
        return self.evidence is not None and any(name != SOUND for name in self.evidence)

    def threshold(self, answer: FieldPrediction | None) -> float:
        """The probability from which on a value is written; a prediction may come with the model's own threshold."""
        if self.min_confidence is not None:
            return self.min_confidence
        if not self.pools:
            return answer.threshold if answer is not None else CONFIDENCE
        # Where the model's own threshold is higher, nine of ten are right only from there on.
        return max(CONFIDENCE, answer.threshold) if answer is not None else CONFIDENCE
