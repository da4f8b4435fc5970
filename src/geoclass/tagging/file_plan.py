"""What is written to one file, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from geoclass.tagging.rewrite import Stamp
from geoclass.tagging.tags import Values

Candidates = tuple[tuple[str, float], ...]  # best first


@dataclass(frozen=True, kw_only=True)
class Reason:
    """The opinion of one witness on a field."""

    witness: str  # of `evidence.registry.WITNESSES`, or "tags" for what the owner left in other files
    clue: str  # what it read
    says: Candidates  # if it were the only witness
    because: str  # a reason for people
    speaks_for: bool = True  # the value

    def as_json(self) -> dict[str, Any]:
        """For `tag --json`."""
        said = [[label, round(probability, 4)] for label, probability in self.says]
        return {"witness": self.witness, "says": said, "because": self.because}


@dataclass(frozen=True, kw_only=True)
class FieldPlan:
    """One field of one file."""

    value: tuple[str, ...]  # the value after the run; () if there is none and no candidate is probable enough
    probability: float | None  # of the value, or of the best candidate; None: there was no prediction
    candidates: Candidates
    outcome: Literal["planned", "written", "kept", "unsure"] = "unsure"  # "kept" is the owner's own value
    evidence: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """One file: what is there, what would change."""

    path: Path  # as it was given
    target: Path  # links resolved
    status: str  # planned, unchanged, abstained or failed; after apply also written
    reason: str = ""  # why it failed, or why no prediction was made
    hint: str | None = None
    fields: Mapping[str, FieldPlan] = field(default_factory=dict)
    changes: Values = field(default_factory=dict)  # by field of formats.fields.FIELDS
    before: Values = field(default_factory=dict)  # all fields that are there
    stamp: Stamp | None = None  # of the file when its tags were read
    dissent: str = ""  # the prediction for this file alone, where the vote decided otherwise
    index: int = 0  # among the files of the run
