"""Predictions of an imaginary model, by hand and by seed."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from geoclass.evaluation.predict import SplitPredictions
from geoclass.evaluation.report import TaskReport, report_on
from geoclass.metrics.predictions import TaskPredictions


def report_of(
    predictions: TaskPredictions, *, protocol: str = "artist-disjoint", path: str = "fma/{}.mp3", embedded: bool = False
) -> TaskReport:
    """A report on predictions that no model made."""
    vectors = np.random.default_rng(0).normal(size=(predictions.n_tracks, 8)).astype(np.float32)
    source = SplitPredictions(
        predictions=predictions,
        tracks=pd.DataFrame({
            "track_id": predictions.track_ids,
            "path": [path.format(name) for name in predictions.track_ids],
            "artist_id": predictions.artist_ids,
        }),
        uncalibrated=predictions.probabilities,
        embeddings=vectors if embedded else None,
        omitted={"tracks": 0, "labels_unknown_to_the_model": [], "labels_never_in_the_data": ["XK"]},
    )  # fmt: skip
    context = {
        "model": "m 1 0123abcd", "dataset": {"name": "world", "fingerprint": "f" * 64}, "split": "test",
        "group": "artist" if protocol != "leaky" else "segment", "protocol": protocol,
    }  # fmt: skip
    return report_on(source, context=context, majority=None, bootstrap=50, seed=0)


@pytest.fixture
def five_tracks() -> TaskPredictions:
    """Five tracks of three artists in three countries: three right, PT taken for ES once, TR for ES once."""
    return TaskPredictions(
        task="country",
        kind="single",
        labels=("ES", "PT", "TR"),
        track_ids=("1", "2", "3", "4", "5"),
        artist_ids=("a", "a", "b", "b", "c"),
        truth=np.array([0, 0, 1, 1, 2]),
        probabilities=np.array(
            [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1], [0.4, 0.35, 0.25]], np.float32
        ),
        threshold=0.55,
    )


@pytest.fixture
def make_predictions() -> Callable[..., TaskPredictions]:
    """Random answers that are right more often than not; `make_predictions(kind="multi", n_tracks=500, seed=3)`."""

    def make(
        *,
        kind: str = "single",
        task: str = "genre",
        n_tracks: int = 400,
        labels: tuple[str, ...] = tuple("abcdefgh"),
        skill: float = 2.0,
        seed: int = 0,
        ties: bool = False,
        model_seed: int = 0,
    ) -> TaskPredictions:
        world = np.random.default_rng(seed)
        n_labels = len(labels)
        artists = world.integers(0, max(2, n_tracks // 4), n_tracks)
        if kind == "multi":
            truth = (world.random((n_tracks, n_labels)) < 0.25).astype(np.int64)
            targets = truth
        else:
            truth = np.minimum(world.geometric(0.3, n_tracks) - 1, n_labels - 1)
            targets = np.eye(n_labels)[truth]
        model = np.random.default_rng((seed, model_seed))
        logits = model.normal(size=(n_tracks, n_labels)) + skill * targets
        if kind == "multi":
            probabilities = 1 / (1 + np.exp(-logits + 1))
        else:
            probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        if ties:
            probabilities = np.round(probabilities, 1)
        return TaskPredictions(
            task=task,
            kind=kind,
            labels=labels,
            track_ids=tuple(map(str, range(n_tracks))),
            artist_ids=tuple(f"artist {artist}" for artist in artists),
            truth=truth,
            probabilities=probabilities.astype(np.float32),
            threshold=0.5,
        )

    return make
