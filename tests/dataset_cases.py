"""Data sets written file by file, and networks whose output is their input."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.frontends import FrontEndConfig, TableConfig
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import to_dict
from geoclass.dataset.dataset import SEGMENT_COLUMNS, TRACK_COLUMNS, Dataset
from geoclass.models.network import Network
from geoclass.storage import write_json


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
            "corpus": {"name": "data", "description": "written for a test"},
            "split": {"protocol": "artist-disjoint" if group == "artist" else "leaky", "source": "seed 0"},
            "normalization": {"mean": [0.0] * features.shape[1], "std": [1.0] * features.shape[1]},
        }
        write_json(folder / "dataset.json", document, format="geoclass/dataset")
        return Dataset.open(folder)

    return write
