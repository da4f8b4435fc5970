"""Answers of an imaginary model, by hand and by seed; data sets written file by file; networks that say their input."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from geoclass.bundle.bundle import Bundle, Head
from geoclass.config.frontends import FrontEndConfig, TableConfig
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import to_dict
from geoclass.dataset.dataset import SEGMENT_COLUMNS, TRACK_COLUMNS, Dataset
from geoclass.metrics.predictions import TaskPredictions
from geoclass.models.network import Network
from geoclass.storage import write_json


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


class Echo(Network):
    """Answers with its input: column i of a table is the logit of label i."""

    front_ends = ("table",)
    name = "echo"

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.arguments = {}
        self.embedding_dim = n_classes
        self.head = nn.Linear(n_classes, n_classes)
        with torch.no_grad():
            self.head.weight.copy_(torch.eye(n_classes))
            self.head.bias.zero_()

    def embed(self, x: Tensor) -> Tensor:
        return x


@pytest.fixture
def make_echo() -> Callable[..., Bundle]:
    """`make_echo({"country": ("FR", "DE")}, kind="single", threshold=0.5)`: a bundle over an `Echo`."""

    def make(labels: Mapping[str, Sequence[str]], *, kind: str = "single", threshold: float = 0.5) -> Bundle:
        n_classes = sum(map(len, labels.values()))
        return Bundle(
            name="echo",
            release="1",
            model=Echo(n_classes),
            front_end_config=TableConfig(columns=tuple(f"c{index}" for index in range(n_classes))),
            segment_seconds=5.0,
            mean=np.zeros(n_classes, np.float32),
            std=np.ones(n_classes, np.float32),
            heads=tuple(
                Head(task=task, kind=kind, labels=tuple(names), threshold=threshold) for task, names in labels.items()
            ),
            weights_sha256="0123456789abcdef",
        )

    return make


@pytest.fixture
def write_dataset(tmp_path: Path) -> Callable[..., Dataset]:
    """Write a data set: one dict a track (track_id, split, labels, …), with `rows` the features of its segments."""

    def write(
        tracks: Sequence[Mapping[str, Any]],
        *,
        labels: Mapping[str, Sequence[str]],
        front_end: FrontEndConfig | None = None,
        group: str = "artist",
        multi_label: bool = False,
        name: str = "data",
    ) -> Dataset:
        folder = tmp_path / name
        features = np.concatenate([np.asarray(track["rows"], np.float32) for track in tracks])
        front_end = front_end or TableConfig(columns=tuple(f"c{index}" for index in range(features.shape[1])))
        build = BuildConfig(task=",".join(labels), group=group, multi_label=multi_label, front_end=front_end)
        (folder / "features" / "f").mkdir(parents=True)
        np.save(folder / "features" / "f" / "features.npy", features)
        table = pd.DataFrame([{c: track.get(c, "") for c in TRACK_COLUMNS} for track in tracks])
        table.to_csv(folder / "tracks.csv", index=False)
        segments = [
            {"track_id": track["track_id"], "start_s": 5.0 * index, "shift": 0.0, "split": track["split"]}
            for track in tracks
            for index in range(len(track["rows"]))
        ]
        pd.DataFrame(segments)[SEGMENT_COLUMNS].to_csv(folder / "features" / "f" / "segments.csv", index=False)
        document = {
            "build": to_dict(build),
            "labels": {task: list(names) for task, names in labels.items()},
            "fingerprint": "f" * 64,
            "features": "f",
            "split": {"protocol": "artist-disjoint" if group == "artist" else "leaky"},
            "normalization": {"mean": [0.0] * features.shape[1], "std": [1.0] * features.shape[1]},
        }
        write_json(folder / "dataset.json", document, format="geoclass/dataset")
        return Dataset.open(folder)

    return write
