"""The verdict on a field, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoclass.learning import verdict
from geoclass.learning.fit import Fitted, Judged
from geoclass.learning.labels import Labels
from geoclass.learning.logistic import Linear
from geoclass.learning.teach import Sounds, Taught
from geoclass.learning.verdict import count_unlabelled, judge
from geoclass.library.song import Song

NOWHERE = Linear(torch.zeros(1, 1), torch.zeros(1))
# Probabilities of Folk and Rock, and the label that a person gave: two artists of two files, one of one.
FILES = [(0.95, 0.01, "Folk"), (0.95, 0.02, "Rock"), (0.60, 0.30, "Folk"), (0.10, 0.92, "Rock"), (0.20, 0.70, "Folk")]
ARTISTS = ["a", "a", "b", "b", "c"]
SONGS = [Song(path=f"/music/{number}.mp3") for number in range(6)]


@pytest.fixture
def taught() -> Taught:
    names = ("Folk", "Rock")
    of_file = {file: (label,) for file, (_, _, label) in enumerate(FILES)} | {5: ("Folk",)}
    labels = Labels(
        task="genre", kind="single", names=names, of_file=of_file, others=frozenset(), weak=frozenset({5})
    )  # fmt: skip
    judged = Judged(
        files=np.arange(5),
        probabilities=np.array([(folk, rock) for folk, rock, _ in FILES]),
        truth=np.array([[label == name for name in names] for _, _, label in FILES]).astype(np.int64),
    )
    return Taught(labels=labels, fitted=Fitted(labels=NOWHERE, gate=NOWHERE, temperature=1.0, judged=judged))


def test_the_numbers_are_those_of_what_would_be_written(taught: Taught) -> None:
    found = judge(taught, SONGS, [*ARTISTS, "d"])
    assert (found.files, found.artists, found.weak) == (5, 3, 1)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.written == pytest.approx(3 / 5), "at 0.9 and above"
    assert found.right == pytest.approx(2 / 3)
    folk, rock = found.labels
    assert (folk.label, folk.files, folk.artists) == ("Folk", 3, 3)
    assert (folk.recall, folk.precision) == (pytest.approx(1 / 3), pytest.approx(1 / 2))
    assert (rock.label, rock.files, rock.artists) == ("Rock", 2, 2)
    assert (rock.recall, rock.precision) == (pytest.approx(1 / 2), pytest.approx(1.0))
    assert found.written_range is None, "three artists are too few for an interval"
    (suspicion,) = found.suspicions
    assert (suspicion.path, suspicion.label, suspicion.heard) == ("/music/1.mp3", ("Rock",), "Folk")


def test_a_label_of_which_no_file_would_get_it_has_a_recall_of_0(taught: Taught) -> None:
    hesitant = replace(taught.fitted.judged, probabilities=np.full((5, 2), 0.5))
    found = judge(replace(taught, fitted=replace(taught.fitted, judged=hesitant)), SONGS, [*ARTISTS, "d"])
    assert [(label.recall, label.precision) for label in found.labels] == [(0.0, None), (0.0, None)]
    assert (found.written, found.right, found.right_range) == (0.0, None, None)


def test_what_looks_most_wrong_stands_first(taught: Taught) -> None:
    sure = np.array([(0.91, 0.0), (0.95, 0.0), (0.0, 0.99), (0.0, 0.92), (0.0, 0.95)])
    judged = replace(taught.fitted.judged, probabilities=sure)
    found = judge(replace(taught, fitted=replace(taught.fitted, judged=judged)), SONGS, [*ARTISTS, "d"])
    assert [one.path for one in found.suspicions] == ["/music/2.mp3", "/music/1.mp3", "/music/4.mp3"]


def test_intervals_are_over_artists_and_hold_the_share(taught: Taught) -> None:
    """40 artists of one file each, or 2 artists of 20, which are too few."""
    truth = np.array([[1, 0]] * 32 + [[0, 1]] * 8)  # of the 20 that are written 16 are right
    judged = Judged(files=np.arange(40), probabilities=np.array([(0.95, 0), (0.5, 0)] * 20), truth=truth)
    labels = replace(taught.labels, of_file=dict.fromkeys(range(40), ("Folk",)), weak=frozenset())
    many = replace(taught, labels=labels, fitted=replace(taught.fitted, judged=judged))
    songs = [Song(path=f"/music/{number}.mp3") for number in range(40)]
    found = judge(many, songs, [f"artist {number}" for number in range(40)])
    assert found.written == 0.5
    assert found.written_range is not None
    low, high = found.written_range
    assert 0.3 < low < 0.45 < 0.55 < high < 0.7  # binomial: 0.5 +- 0.155
    assert found.right_range is not None
    low, high = found.right_range
    assert 0.5 < low < 0.75 < 0.85 < high <= 1.0
    few = judge(many, songs, ["a"] * 20 + ["b"] * 20)
    assert (few.written_range, few.right_range) == (None, None)


def test_files_without_a_label_are_counted_and_those_of_them_that_would_get_one(
    taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = replace(taught.labels, others=frozenset({6}))
    known = {"genre": replace(taught, labels=labels, stopped=frozenset({7}))}
    answers = np.zeros((12, 2))
    answers[[5, 8, 9], [0, 1, 0]] = 0.9, 0.97, 0.89  # file 5 has a weak label only
    answers[[0, 6, 7]] = 1.0  # these are not asked about
    asked: list[object] = []

    def predict(*given: object, **more: object) -> dict[str, np.ndarray]:
        asked.append((*given, more))
        return {"genre": answers}

    monkeypatch.setattr(verdict, "predict_files", predict)
    sounds, rows, bundle = Sounds(rows=torch.zeros(12, 1), files=np.arange(12)), torch.ones(12, 1), object()
    assert count_unlabelled(bundle, known, sounds, rows=rows) == {"genre": (2, 5)}  # of 5, 8, 9, 10, 11
    assert asked == [(bundle, sounds, {"rows": rows})]
