"""predictions.csv, column by column, on tracks whose numbers can be read off."""

import numpy as np
import pandas as pd
import pytest

from geoclass.evaluation.predict import SplitPredictions
from geoclass.evaluation.prediction_table import prediction_table
from geoclass.metrics.predictions import TaskPredictions


def table_of(predictions: TaskPredictions) -> pd.DataFrame:
    tracks = pd.DataFrame({
        "track_id": predictions.track_ids,
        "path": [f"{name}.mp3" for name in predictions.track_ids],
        "artist_id": predictions.artist_ids,
        "title": "not written",
    })  # fmt: skip
    return prediction_table(SplitPredictions(
        predictions=predictions, tracks=tracks, uncalibrated=None, embeddings=None, omitted={}
    ))  # fmt: skip


def single(
    *, task: str = "genre", labels: tuple[str, ...] = ("x", "y", "z"), threshold: float | None = 0.6
) -> pd.DataFrame:
    """Truth y four times: the first choice twice, then the second, then the last."""
    probabilities = [[0.2, 0.7, 0.1], [0.2, 0.6, 0.2], [0.65, 0.25, 0.1], [0.4, 0.25, 0.35]]
    return table_of(TaskPredictions(
        task=task, kind="single", labels=labels, track_ids=("1", "2", "3", "4"), artist_ids=("a", "", "b", "a"),
        truth=np.ones(4, np.int64), probabilities=np.array(probabilities, np.float32), threshold=threshold,
    ))  # fmt: skip


def test_truth_prediction_and_rank() -> None:
    table = single()
    assert table["truth"].tolist() == ["y"] * 4
    assert table["predicted"].tolist() == ["y", "y", "x", "x"]
    assert table["correct"].tolist() == [1, 1, 0, 0]
    assert table["rank_of_truth"].tolist() == [1, 1, 2, 3]
    assert table["probability"].tolist() == pytest.approx([0.7, 0.6, 0.65, 0.4], abs=1e-6)
    assert table["candidates"][3] == "x 0.400; z 0.350; y 0.250"


@pytest.mark.parametrize(("threshold", "written"), [
    (0.0, [1, 1, 1, 1]), (0.5, [1, 1, 1, 0]), (0.62, [1, 0, 1, 0]), (0.7, [1, 0, 0, 0]), (1.0, [0, 0, 0, 0]),
    (None, [1, 1, 1, 0]),
])  # fmt: skip
def test_written_is_what_reaches_the_threshold(threshold: float | None, written: list[int]) -> None:
    if threshold == 0.7:
        threshold = float(np.float32(0.7))
    found = single(threshold=threshold)["written"]
    assert found.tolist() == written
    assert found.dtype.kind == "i"  # 1, not 1.0, in the file


def test_the_columns_stay() -> None:
    columns = [
        "track_id",
        "path",
        "artist_id",
        "truth",
        "predicted",
        "probability",
        "correct",
        "rank_of_truth",
        "written",
    ]
    assert list(single()) == [*columns, "candidates"]
    assert list(single(task="country", labels=("FR", "DE", "JP"))) == [*columns, "distance_km", "candidates"]


def test_the_distance_is_that_of_the_capitals() -> None:
    from geopy.distance import geodesic

    table = single(task="country", labels=("FR", "DE", "JP"))
    berlin, paris = (52.52, 13.405), (48.8566, 2.3522)
    assert table["distance_km"].tolist()[:2] == [0, 0]
    assert table["distance_km"][2] == pytest.approx(geodesic(berlin, paris).km, rel=0.01)


def test_sets_of_labels() -> None:
    probabilities = np.array([[0.9, 0.6, 0.1], [0.4, 0.3, 0.2], [0.5, 0.49, 0.8]], np.float32)
    table = table_of(TaskPredictions(
        task="genre", kind="multi", labels=("x", "y", "z"), track_ids=("1", "2", "3"), artist_ids=("", "", ""),
        truth=np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0]]), probabilities=probabilities, threshold=0.7,
    ))  # fmt: skip
    assert table["truth"].tolist() == ["x|y", "y", "x"]
    assert table["predicted"].tolist() == ["x|y", "", "x|z"]
    assert table["correct"].tolist() == [1, 0, 0]
    assert table["rank_of_truth"].tolist() == [1, 2, 2]
    assert table["written"].tolist() == [1, 0, 1]


def test_five_candidates_at_most() -> None:
    probabilities = np.array([[0.05, 0.3, 0.1, 0.2, 0.15, 0.2]], np.float32)
    table = table_of(TaskPredictions(
        task="genre", kind="single", labels=tuple("abcdef"), track_ids=("1",), artist_ids=("",),
        truth=np.array([0]), probabilities=probabilities,
    ))  # fmt: skip
    best, *rest = table["candidates"][0].split("; ")
    assert best == "b 0.300"
    assert len(rest) == 4
    assert sorted(rest[:2]) == ["d 0.200", "f 0.200"]
    assert rest[2:] == ["e 0.150", "c 0.100"]
