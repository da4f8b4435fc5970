"""The honest score beside the leaky one."""

from collections.abc import Callable
from typing import Any

import pytest

from geoclass.dataset.dataset import Dataset
from geoclass.evaluation.leaks import leak_report
from geoclass.evaluation.report import evaluate

Make = Callable[..., Any]


@pytest.mark.parametrize("group", ["artist", "segment"])
def test_the_honest_score_stands_beside_the_leaky_one(make_echo: Make, write_dataset: Make, group: str) -> None:
    right, wrong = [4.0, 0.0], [0.0, 4.0]

    def track(name: str, split: str, country: str, row: list[float], artist: str) -> dict[str, Any]:
        return {"track_id": name, "path": f"{name}.mp3", "artist_id": artist, "artist": "", "country": country,
                "split": split, "rows": [row]}  # fmt: skip

    dataset: Dataset = write_dataset(
        [
            track("t1", "train", "FR", [1.0, 9.0], "x"),
            track("t2", "train", "DE", [7.0, 2.0], "y"),
            track("a", "test", "FR", right, "x"),
            track("b", "test", "DE", wrong, "y"),
            track("c", "test", "FR", [3.0, 1.0], "z"),
            track("d", "test", "DE", [5.0, 1.0], "w"),
        ],
        labels={"country": ("FR", "DE")},
        group=group,
    )
    report = evaluate(make_echo({"country": ("FR", "DE")}), dataset=dataset, bootstrap=0).tasks["country"]
    found = leak_report(dataset, report, split="test")
    rows = {row.tracks: (row.n_tracks, row.accuracy) for row in found.rows}
    assert rows["all (as reported)"] == (4, pytest.approx(3 / 4))
    assert rows["whose artist is in training"] == (2, 1.0)
    assert rows["of which training met nothing (honest)"] == (2, 0.5)
    assert ("--group artist" in found.advice) == (group == "segment")
