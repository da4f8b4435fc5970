"""Which tracks of a split are not new to a model, because it was fitted on them or on their artists."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.training_set import TrainingSet
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.identity import fitted_keys, identity_keys
from geoclass.evidence.credits import host_names
from geoclass.text import name_key


@dataclass(frozen=True, eq=False)
class Overlap:
    """Which of some tracks are known to a model."""

    tracks: NDArray[np.bool_]  # (n_tracks,) the model was fitted on the track itself
    artists: NDArray[np.bool_]  # (n_tracks,) it was fitted on tracks of the artist

    @property
    def either(self) -> NDArray[np.bool_]:
        """(n_tracks,) the track or its artist is known."""
        return self.tracks | self.artists


def training_overlap(bundle: Bundle, dataset: Dataset, tracks: pd.DataFrame) -> Overlap | None:
    """Compare tracks with what a model was fitted on.

    Args:
        bundle: The model.
        dataset: Where the tracks are from.
        tracks: (n_tracks, …) rows of its tracks.csv.

    Returns:
        None when that is not known: the bundle carries no fingerprints and was trained on another data set.
    """
    fitted = bundle.training_set
    if fitted is None and bundle.training.get("dataset_fingerprint") == dataset.fingerprint:
        fitted = TrainingSet.from_keys(*fitted_keys(dataset))
    if fitted is None:
        return None
    pairs = list(identity_keys(dataset, tracks))
    return Overlap(
        np.array([fitted.has_track(track) for track, _ in pairs], bool),
        np.array([fitted.has_artist(artist) for _, artist in pairs], bool),
    )


def is_fitted_on(fitted: TrainingSet, path: Path, *, artists: tuple[str, ...]) -> bool:
    """Whether a model was fitted on a file of a library, or on one of its artists.

    Args:
        fitted: What the model was fitted on: a library, whose tracks are absolute paths, or a data set.
        path: The file.
        artists: As its tags name them.
    """
    names = {name_key(name) for artist in artists for name in host_names(artist)}
    keys = {f"{kind} {name}" for name in names for kind in ("artist", "name")}  # of a library, of a data set
    return fitted.has_track(os.path.abspath(path)) or fitted.has_artist(keys)
