"""Several models side by side."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prediction_cases import report_of

from geoclass.errors import EvaluationError
from geoclass.evaluation.compare import compare
from geoclass.evaluation.overlap import Overlap
from geoclass.metrics.predictions import TaskPredictions

Make = Callable[..., TaskPredictions]


def test_every_pair_is_compared_with_the_sign_of_second_minus_first(make_predictions: Make) -> None:
    reports = [report_of(make_predictions(skill=skill, model_seed=k)) for k, skill in enumerate((1.0, 2.0, 3.0))]
    comparison = compare(reports, ["a", "b", "c"], bootstrap=100)
    accuracies = [report.metrics["accuracy"] for report in reports]
    found = {(d.first, d.second): d for d in comparison.differences if d.score == "accuracy"}
    assert set(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found["a", "c"].difference == pytest.approx(accuracies[2] - accuracies[0])
    assert found["a", "c"].low <= found["a", "c"].difference <= found["a", "c"].high
    assert found["a", "c"].low > 0


def test_a_comparison_is_written_with_every_difference(make_predictions: Make, tmp_path: Path) -> None:
    report = report_of(make_predictions(n_tracks=30, labels=("a", "b")))
    comparison = compare([report, report], ["a", "b"], bootstrap=10)
    written = json.loads((comparison.write(tmp_path) / "comparison.json").read_text())
    assert len(written["differences"]) == len(comparison.differences) > 0
    assert (tmp_path / "b" / "metrics.json").is_file()


def test_models_are_compared_on_the_tracks_that_all_answer(make_predictions: Make) -> None:
    whole = make_predictions(n_tracks=100)
    part = make_predictions(n_tracks=100, model_seed=1).take(np.arange(0, 100, 2))
    comparison = compare([report_of(whole), report_of(part)], ["a", "b"], bootstrap=20)
    assert comparison.n_tracks == 50
    difference = next(d for d in comparison.differences if d.score == "accuracy")
    assert difference.difference == pytest.approx(
        part.top_is_right.mean() - whole.take(np.arange(0, 100, 2)).top_is_right.mean()
    )


def test_equal_names_stay_apart(make_predictions: Make) -> None:
    report = report_of(make_predictions(n_tracks=30))
    assert compare([report, report], ["run", "run"], bootstrap=5).names == ("run-1", "run-2")


def test_other_tasks_and_other_tracks_are_refused(make_predictions: Make) -> None:
    genre = report_of(make_predictions(n_tracks=30))
    country = report_of(make_predictions(n_tracks=30, task="country", labels=("FR", "DE", "JP")))
    with pytest.raises(EvaluationError, match="country and genre"):
        compare([genre, country], ["a", "b"])
    other = make_predictions(n_tracks=30)
    renamed = TaskPredictions(
        **{
            **{k: getattr(other, k) for k in other.__dataclass_fields__},
            "track_ids": tuple(f"other {number}" for number in range(30)),
        }
    )
    with pytest.raises(EvaluationError, match="no track in common"):
        compare([genre, report_of(renamed)], ["a", "b"])


def test_differences_are_measured_on_tracks_that_are_new_to_every_model(make_predictions: Make, tmp_path: Path) -> None:
    poor, good = make_predictions(n_tracks=60, skill=1.0), make_predictions(n_tracks=60, skill=3.0, model_seed=1)
    known = [np.arange(60) < 10, np.arange(60) >= 55]
    reports = [
        replace(report_of(of), overlap=Overlap(tracks, np.zeros(60, bool)))
        for of, tracks in zip((poor, good), known, strict=True)
    ]
    comparison = compare(reports, ["a", "b"], bootstrap=20)
    assert (comparison.n_tracks, comparison.n_known) == (45, 15)
    new = np.arange(10, 55)
    difference = next(d for d in comparison.differences if d.score == "accuracy")
    expected = good.take(new).top_is_right.mean() - poor.take(new).top_is_right.mean()
    assert difference.difference == pytest.approx(expected)
    assert json.loads((comparison.write(tmp_path) / "comparison.json").read_text())["n_known"] == 15
    everything = [replace(report, overlap=Overlap(np.ones(60, bool), np.ones(60, bool))) for report in reports]
    assert (compare(everything, ["a", "b"], bootstrap=20).n_tracks) == 60


def test_differences_of_few_artists_have_no_intervals(make_predictions: Make) -> None:
    reports = [report_of(make_predictions(n_tracks=12, skill=skill)) for skill in (1.0, 3.0)]
    comparison = compare(reports, ["a", "b"], bootstrap=20)
    assert "at least 10 are needed" in comparison.note
    assert comparison.differences
    assert all(d.low is d.high is d.p is None for d in comparison.differences)
