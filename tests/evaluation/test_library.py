"""Truth from the files' own tags."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from mutagen.id3 import ID3, TCON, TPE1, TXXX

from geoclass.bundle.training_set import TrainingSet
from geoclass.errors import EvaluationError
from geoclass.evaluation.library import evaluate_library
from geoclass.inference.prediction import Failure, FieldPrediction, Prediction

LABELS = ("TR", "FR", "JP")


@dataclass
class Sayer:
    """Says of a file what its name says: `FR-80.mp3` is FR with 0.8."""

    fitted: TrainingSet | None = None
    tasks = ("country",)
    never_sure = ()
    model_id = "sayer 1 0123abcd"

    @property
    def bundles(self) -> list[Any]:
        return [SimpleNamespace(tasks=self.tasks, training_set=self.fitted)]

    def predict_many(self, paths: Iterable[Path]) -> Iterator[Prediction | Failure]:
        for path in paths:
            if path.stem == "broken":
                yield Failure(path=path, reason="not audio")
                continue
            if path.stem == "silent":
                yield Prediction(path=path, fields={})
                continue
            label, percent = path.stem.split("-")[:2]
            share = int(percent) / 100
            probabilities = np.full(3, (1 - share) / 2, np.float32)
            probabilities[LABELS.index(label)] = share
            field = FieldPrediction(
                task="country", kind="single", labels=LABELS, probabilities=probabilities, threshold=0.7
            )
            yield Prediction(path=path, fields={"country": field})


def write(folder: Path, name: str, *, country: str = "", artist: str = "", ours: str = "", genre: str = "Folk") -> Path:
    path = folder / f"{name}.mp3"
    soundfile.write(path, np.zeros(8000, np.float32), 16_000, format="MP3")
    tags = ID3()
    tags.add(TPE1(encoding=3, text=[artist or name]))
    tags.add(TCON(encoding=3, text=[genre]))
    if country:
        tags.add(TXXX(encoding=3, desc="ARTISTCOUNTRY", text=[country]))
    if ours:
        tags.add(TXXX(encoding=3, desc="GEOCLASS_COUNTRY", text=[ours]))
    tags.save(path)
    return path


def test_what_would_be_written_and_how_often_the_tags_agree(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, "TR-95-a", country="TR"),
        write(tmp_path, "TR-94-b", country="Türkiye"),
        write(tmp_path, "FR-93-c", country="fr"),
        write(tmp_path, "FR-92-d", country="FR"),
        write(tmp_path, "JP-91-e", country="JP"),
        write(tmp_path, "JP-75-f", country="FR"),
        write(tmp_path, "TR-50-g", country="JP"),
        write(tmp_path, "TR-90-h"),
        write(tmp_path, "TR-90-i", country="BR"),
        write(tmp_path, "TR-90-j", country="TR", ours="TR 0.90"),
        tmp_path / "broken.mp3",
    ]
    found = evaluate_library(Sayer(), paths, bootstrap=20)
    advice = found.advice["country"]
    assert (advice.files, advice.written, advice.agreeing) == (7, 6, 5)
    assert advice.min_confidence == pytest.approx((0.91 + 0.75) / 2)  # 5 of 5 agree from there on, 5 of 6 do below
    assert advice.would_write == 5
    metrics = found.report.metrics["country"]
    assert metrics["accuracy"] == pytest.approx(5 / 7)
    assert metrics["protocol"] == "library"
    assert found.left_out["country"] == {
        "no such tag": 1, "a value that the model does not know": 1, "written by geoclass": 1,
    }  # fmt: skip
    assert [failure.path.name for failure in found.failures] == ["broken.mp3"]
    page = (found.report.write(tmp_path / "report") / "index.html").read_text()
    assert "3 tracks are left out" in page


def test_a_silent_file_is_left_out_and_counted(tmp_path: Path) -> None:
    paths = [write(tmp_path, "silent", country="TR"), *(write(tmp_path, f"TR-9{k}", country="TR") for k in range(6))]
    found = evaluate_library(Sayer(), paths, bootstrap=0)
    assert found.left_out["country"] == {"silent: nothing to predict from": 1}
    assert found.report.metrics["country"]["n_tracks"] == 6
    alone = evaluate_library(Sayer(), paths[:1], bootstrap=0)  # its name still speaks
    assert (dict(alone.report.tasks), alone.left_out["country"]) == ({}, {"silent: nothing to predict from": 1})


def test_what_the_model_was_fitted_on_is_left_out(tmp_path: Path) -> None:
    names = ("TR-90-a", "TR-90-b", "TR-90-c", "FR-90-d", "FR-90-e")
    artists = ("Sezen Aksu", "sezen aksu feat. Tarkan", "Barış Manço", "Nobody", "Edith Piaf")
    paths = [
        write(tmp_path, name, country=name[:2], artist=artist) for name, artist in zip(names, artists, strict=True)
    ]
    learned = TrainingSet.from_keys([str(paths[3])], ["artist sezen aksu"])
    trained = TrainingSet.from_keys(["folder track TR-90-a"], ["name baris manco"])
    for fitted, n_known in ((learned, 3), (trained, 1), (TrainingSet.from_keys([], []), 0), (None, 0)):
        found = evaluate_library(Sayer(fitted), paths, bootstrap=0)
        assert found.report.metrics["country"]["n_tracks"] == 5 - n_known
        why = {"the model was fitted on it or its artist": n_known} if n_known else {}
        assert found.left_out["country"] == why
        (alone,) = (score for score in found.witnesses if score.witnesses == "sound alone")
        assert (alone.files, alone.spoke) == (5, 5 - n_known), "other witnesses speak of all"


def test_no_confidence_is_enough_for_a_model_that_is_wrong(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"TR-{80 + k}-x", country="JP" if k % 2 else "FR") for k in range(8)]
    advice = evaluate_library(Sayer(), paths, bootstrap=0).advice["country"]
    assert (advice.min_confidence, advice.would_write, advice.agreeing) == (None, 0, 0)


def test_a_library_without_tags_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no such tag: 2"):
        evaluate_library(Sayer(), [write(tmp_path, "TR-90-a"), write(tmp_path, "FR-90-b")])


def test_each_witness_is_scored_alone_and_with_the_others(tmp_path: Path) -> None:
    """Sound says TR, the genre says Portugal, and so do the owners; two have no country, or one of geoclass's."""
    paths = [write(tmp_path, f"TR-8{k}-x", country="PT", genre="Fado") for k in range(3)]
    paths += [write(tmp_path, "TR-89-a", genre="Fado"), write(tmp_path, "TR-88-b", country="PT", ours="PT 0.9")]
    paths += [write(tmp_path, f"TR-9{k}-y", country="TR") for k in range(2)]
    found = evaluate_library(Sayer(), paths, bootstrap=0)
    scores = {score.witnesses: score for score in found.witnesses}
    assert {"words alone", "sound alone", "all"} <= set(scores)
    assert all(score.files == 5 for score in scores.values())
    assert (scores["words alone"].spoke, scores["words alone"].right) == (3, 3)
    assert (scores["sound alone"].spoke, scores["sound alone"].right) == (5, 2)
    folder = found.report.write(tmp_path / "report")
    written = json.loads((folder / "metrics.json").read_text())
    assert [row["witnesses"] for row in written["witnesses"]] == list(scores)
    assert ">words alone</td>" in (folder / "index.html").read_text()
