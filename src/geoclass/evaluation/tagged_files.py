"""Predictions paired with the tags that people gave the files: what counts as truth, and what is left out."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoclass.evaluation.predict import SplitPredictions
from geoclass.geo.countries import country_codes, find_country
from geoclass.inference.prediction import FieldPrediction, Prediction
from geoclass.metrics.predictions import TaskPredictions

if TYPE_CHECKING:
    from geoclass.tagging.tags import Tags


@dataclass
class TaggedFiles:
    """The predictions of one task for files whose tags hold the truth."""

    task: str
    predictions: list[FieldPrediction] = field(default_factory=list)
    truths: list[tuple[int, ...]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    artists: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)  # by reason
    unknown: set[str] = field(default_factory=set)  # values that the model does not have among its labels

    def add(self, answer: Prediction, tags: "Tags", *, is_known: bool) -> None:
        """Take in a file, or count why it is left out; `is_known`: the model was fitted on it or its artist."""
        prediction = answer.fields.get(self.task)
        values = tags.get(self.task)
        if not values:
            self.left_out["no such tag"] += 1
            return
        if prediction is None:
            self.left_out["silent: nothing to predict from"] += 1
            return
        if tags.get(f"{self.task}_candidates"):
            self.left_out["written by geoclass"] += 1
            return
        if is_known:
            self.left_out["the model was fitted on it or its artist"] += 1
            return
        place = {label.casefold(): index for index, label in enumerate(prediction.labels)}
        names = [_country(value) if self.task == "country" else value for value in values]
        truth = tuple(dict.fromkeys(place[name.casefold()] for name in names if name.casefold() in place))
        if not truth:
            self.left_out["a value that the model does not know"] += 1
            self.unknown.update(names)
            return
        self.predictions.append(prediction)
        self.truths.append(truth)
        self.paths.append(answer.path)
        self.artists.append(next(iter(tags.get("album_artist") or tags.get("artist")), ""))

    def as_split(self) -> SplitPredictions:
        """What `report_on` takes: the files as the tracks of a split."""
        first = self.predictions[0]
        n_files, n_labels = len(self.truths), len(first.labels)
        if first.kind == "multi":
            truth = np.zeros((n_files, n_labels), np.int64)
            for row, labels in enumerate(self.truths):
                truth[row, list(labels)] = 1
        else:
            truth = np.array([labels[0] for labels in self.truths])
        probabilities = np.stack([prediction.probabilities for prediction in self.predictions]).astype(np.float32)
        names = tuple(str(path) for path in self.paths)
        return SplitPredictions(
            predictions=TaskPredictions(
                task=self.task,
                kind=first.kind,
                labels=first.labels,
                track_ids=names,
                artist_ids=tuple(self.artists),
                truth=truth,
                probabilities=probabilities,
                threshold=first.threshold,
            ),
            tracks=pd.DataFrame({"track_id": names, "path": names, "artist_id": self.artists}),
            uncalibrated=None,
            embeddings=None,
            omitted=self._omitted(),
        )

    def _omitted(self) -> dict[str, Any]:
        return {
            "tracks": sum(self.left_out.values()),
            "labels_unknown_to_the_model": sorted(self.unknown),
            "labels_never_in_the_data": [],
            "reasons": dict(self.left_out),
        }


def written_country(tags: "Tags") -> str | None:
    """The country that a person wrote, if it is one."""
    values = tags.get("country")
    if not values or tags.get("country_candidates"):
        return None
    code = _country(values[0])
    return code if code in country_codes() else None


def _country(value: str) -> str:
    return find_country(value) or value
