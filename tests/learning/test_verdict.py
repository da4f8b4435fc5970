"""The verdict on a field, counted by hand."""

import numpy as np
import pytest
import torch

from geoclass.learning.fit import Fitted, Judged
from geoclass.learning.labels import Labels
from geoclass.learning.logistic import Linear
from geoclass.learning.teach import Taught
from geoclass.learning.verdict import judge
from geoclass.library.song import Song

NOWHERE = Linear(torch.zeros(1, 1), torch.zeros(1))
# Probabilities of Folk and Rock, and the label that a person gave: two artists of two files, one of one.
FILES = [(0.95, 0.01, "Folk"), (0.95, 0.02, "Rock"), (0.60, 0.30, "Folk"), (0.10, 0.92, "Rock"), (0.20, 0.70, "Folk")]
ARTISTS = ["a", "a", "b", "b", "c"]


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
    songs = [Song(path=f"/music/{number}.mp3") for number in range(6)]
    found = judge(taught, songs, [*ARTISTS, "d"])
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
