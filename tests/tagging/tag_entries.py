"""Files that exist in memory alone: what their tags say, what a model and the witnesses say of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from geoclass.evidence.opinion import Opinion
from geoclass.geo.countries import country_codes
from geoclass.inference.prediction import FieldPrediction, Prediction
from geoclass.tagging.entries import Entry
from geoclass.tagging.rewrite import Stamp
from geoclass.tagging.tags import Tags

GIVEN, TARGET = Path("/link/a.mp3"), Path("/music/a.mp3")
STAMP = Stamp(device=1, inode=2, size=3, mtime_ns=4)


def field(task: str, said: Mapping[str, float], *, threshold: float = 0.5) -> FieldPrediction:
    """A model's answer on one field."""
    kind = "single" if task == "country" else "multi"
    probabilities = np.array(list(said.values()), np.float32)
    return FieldPrediction(task=task, kind=kind, labels=tuple(said), probabilities=probabilities, threshold=threshold)


def heard(*, note: str = "", threshold: float = 0.5, **said: Mapping[str, float]) -> Prediction:
    """A model's answers by field."""
    fields = {task: field(task, given, threshold=threshold) for task, given in said.items()}
    return Prediction(path=TARGET, fields=fields, note=note)


def opinion(witness: str, country: str, *, strength: float = 5.0, clue: str = "title") -> Opinion:
    """A witness that raises one country."""
    weights = np.zeros(len(country_codes()))
    weights[country_codes().index(country)] = strength
    return Opinion(witness=witness, clue=clue, log_weights=weights, because=f"{witness} says so")


def entry(values: Mapping[str, tuple[str, ...]] | None = None, **more) -> Entry:
    """A file with these tags."""
    return Entry(path=GIVEN, target=TARGET, tags=Tags(kind="mp3", values=values or {}), stamp=STAMP, **more)
