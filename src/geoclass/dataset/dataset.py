"""A data set on disk: what its files hold, and the one class that reads them."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geoclass.config.frontends import FrontEndConfig
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import from_dict
from geoclass.dataset.protocol import Claim, claim_of
from geoclass.errors import DatasetError, StorageError
from geoclass.storage import fingerprint, read_json, sha256_file
from geoclass.vocabulary import SPLITS

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "geoclass/dataset"
TRACK_COLUMNS = [
    *("track_id", "path", "artist_id", "artist", "album", "title", "latitude", "longitude"),
    *("country", "genre", "genres", "duration_s", "split", "licence"),
]
SEGMENT_COLUMNS = ["track_id", "start_s", "shift", "split"]


@dataclass(frozen=True)
class Split:
    """One side of a data set: tracks, their segments, their labels."""

    name: str
    tracks: "pd.DataFrame"  # (n_tracks, …) rows of tracks.csv, renumbered from 0
    segment_ids: NDArray[np.int64]  # (n_segments,) rows of Dataset.features
    track_of_segment: NDArray[np.int64]  # (n_segments,) rows of `tracks`
    labels: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, str]

    def targets(self, task: str) -> NDArray[Any]:
        """(n_tracks,) int64 label numbers, or for a multi-label task (n_tracks, n_labels) float32 of 0 and 1."""
        index = {label: number for number, label in enumerate(self.labels[task])}
        if self.kinds[task] == "single":
            return self.tracks[task].map(index).to_numpy(np.int64, copy=True)
        hot = np.zeros((len(self.tracks), len(index)), np.float32)
        for row, genres in enumerate(self.tracks["genres"]):
            hot[row, [index[genre] for genre in genres.split("|") if genre in index]] = 1
        return hot


class Dataset:
    """A complete, immutable data set; open one with `Dataset.open`."""

    def __init__(self, folder: Path, document: Mapping[str, Any]) -> None:
        self.folder = folder
        self.document = document
        self.config = from_dict(BuildConfig, document["build"], where=f"{folder}/dataset.json: build.")
        self.labels: dict[str, tuple[str, ...]] = {task: tuple(names) for task, names in document["labels"].items()}
        self.fingerprint: str = document["fingerprint"]
        self.mean = np.array(document["normalization"]["mean"], np.float32)  # (n_bands,)
        self.std = np.array(document["normalization"]["std"], np.float32)  # (n_bands,)

    @classmethod
    def open(cls, folder: str | Path) -> "Dataset":
        """Open a data set.

        Raises:
            DatasetError: Missing, unfinished, or written by a newer version.
        """
        folder = Path(folder)
        if not (folder / "dataset.json").is_file():
            unfinished = any(folder.glob("features/*/progress.jsonl"))
            raise DatasetError(
                f"{folder} holds {'an unfinished data set' if unfinished else 'no data set'} (no dataset.json)",
                hint="run the same `geoclass build-dataset` again: it continues where it stopped"
                if unfinished
                else "make one with `geoclass build-dataset`",
            )
        try:
            return cls(folder, read_json(folder / "dataset.json", format=FORMAT))
        except StorageError as error:
            raise DatasetError(error.message, hint=error.hint) from error
        except (KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"{folder}/dataset.json is incomplete ({error!r})", hint="build the data set again"
            ) from error

    @property
    def tasks(self) -> tuple[str, ...]:
        """What is labelled, in order: "country", "genre" or both."""
        return tuple(self.labels)

    @property
    def front_end(self) -> FrontEndConfig:
        """How the features were made."""
        return self.config.front_end

    @cached_property
    def claim(self) -> Claim:
        """What the split is disjoint by, computed from its tracks rather than taken from the document."""
        tracks, segments = self.tracks, self.segments
        return claim_of(
            zip(tracks["track_id"], tracks["artist_id"], tracks["artist"], strict=True),
            set(zip(segments["track_id"], segments["split"], strict=True)),
            wanted=self.config.group,
        )

    @property
    def group(self) -> str:
        """What no two splits share: "artist", "track" or "segment"."""
        return self.claim.group

    @property
    def leaky(self) -> bool:
        """Whether splits share artists or even recordings; `claim.leak` says which."""
        return self.claim.leaky

    @property
    def protocol(self) -> str:
        """What reports say of the split: "artist-disjoint", "track-disjoint (artists unknown)", "leaky" and so on."""
        return self.claim.protocol

    def kind(self, task: str) -> str:
        """ "single" (one label per track) or "multi" (a set of labels)."""
        return "multi" if task == "genre" and self.config.multi_label else "single"

    @cached_property
    def tracks(self) -> "pd.DataFrame":
        """tracks.csv."""
        return read_csv(self.folder / "tracks.csv", numbers=("latitude", "longitude", "duration_s"))

    @cached_property
    def segments(self) -> "pd.DataFrame":
        """segments.csv; row i belongs to features[i]."""
        return read_csv(self.features_folder / "segments.csv", numbers=("start_s", "shift"))

    @property
    def features_folder(self) -> Path:
        """The folder of the features of the front end."""
        return self.folder / "features" / str(self.document["features"])

    @cached_property
    def features(self) -> NDArray[Any]:
        """(n_segments, *feature_shape), memory-mapped, not normalized; float16 for sound, float32 for tables."""
        path = self.features_folder / "features.npy"
        try:
            rows: NDArray[Any] = np.load(path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise DatasetError(f"cannot read {path}: {error}", hint="build the data set again") from error
        if len(rows) != len(self.segments):
            raise DatasetError(
                f"{path} has {len(rows)} rows, segments.csv {len(self.segments)}", hint="build the data set again"
            )
        return rows

    def split(self, name: str) -> Split:
        """The tracks and segments of "train", "valid" or "test"; pitch-shifted copies only in "train".

        Raises:
            DatasetError: There is no such split.
        """
        import pandas as pd

        segments = self.segments
        ids = np.flatnonzero((segments["split"] == name).to_numpy())
        if not len(ids):
            if name in SPLITS:
                raise DatasetError(
                    f"the {name} split of {self.folder} has no tracks",
                    hint="build it again with recordings of more artists per label, or with --group track",
                )
            raise DatasetError(f"{name!r} is not a split of {self.folder}", hint=f"expected {', '.join(SPLITS)}")
        names = segments["track_id"].to_numpy()[ids]
        tracks = self.tracks[self.tracks["track_id"].isin(set(names))].reset_index(drop=True)
        rows = pd.Series(np.arange(len(tracks)), index=tracks["track_id"])
        kinds = {task: self.kind(task) for task in self.tasks}
        return Split(name, tracks, ids, rows.loc[names].to_numpy(np.int64, copy=True), self.labels, kinds)

    def verify(self) -> None:
        """Check the fingerprint and the number of rows.

        Raises:
            DatasetError: Something was changed or damaged since the data set was written.
        """
        if dataset_fingerprint(self.folder, self.document["build"]) != self.fingerprint:
            raise DatasetError(
                f"{self.folder}: tracks.csv or the configuration was changed after the data set was built",
                hint="build the data set again",
            )
        _ = self.features


def dataset_fingerprint(folder: Path, build: Mapping[str, Any]) -> str:
    """sha256 of tracks.csv and the configuration: what makes two data sets the same."""
    return fingerprint(sha256_file(folder / "tracks.csv"), build)


def read_csv(path: Path, *, numbers: tuple[str, ...]) -> "pd.DataFrame":
    """A CSV of ours: text stays text ("NA" is Namibia), numbers are float64."""
    import pandas as pd

    try:
        frame = pd.read_csv(
            path,
            dtype=defaultdict(lambda: "str", dict.fromkeys(numbers, "float64")),
            keep_default_na=False,
            na_values=dict.fromkeys(numbers, ""),
            encoding_errors="surrogateescape",
        )
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"cannot read {path}: {error}", hint="build the data set again") from error
    return frame


def open_summary(folder: Path) -> dict[str, Any]:
    """The content of summary.json."""
    document: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return document
