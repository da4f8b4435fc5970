"""Grouped cross-validation on an existing data set: other splits, the same features."""

import copy
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd

from geoclass.dataset.dataset import Dataset
from geoclass.dataset.normalization import normalization
from geoclass.dataset.placement import UNUSED
from geoclass.dataset.split import artist_keys, hash_key, merge_groups
from geoclass.errors import DatasetError, UsageError
from geoclass.storage import fingerprint
from geoclass.vocabulary import SPLITS


def fold_of_dataset(dataset: Dataset, number: int, *, n_folds: int, seed: int = 0) -> Dataset:
    """The data set with fold `number` as "test", the next one as "valid" and the rest as "train".

    No artist (or track, or segment: what the data set is grouped by) is in two folds. Mean and standard deviation are
    those of the fold's own training segments. Nothing is written.

    Args:
        dataset: Any; its own split is ignored.
        number: From 0 to n_folds - 1.
        n_folds: At least 3.
        seed: Another seed gives another assignment.

    Raises:
        UsageError: Fewer than 3 folds.
        DatasetError: Too few groups, or a fold that does not exist.
    """
    check_folds(n_folds)
    if not 0 <= number < n_folds:
        raise DatasetError(f"there is no fold {number} of {n_folds}", hint=f"folds are numbered 0 to {n_folds - 1}")
    segments = dataset.segments.copy()
    tracks = dataset.tracks.set_index("track_id").loc[segments["track_id"]]
    group = {
        "artist": pd.Series(
            merge_groups([*map(artist_keys, tracks.index, tracks["artist_id"], tracks["artist"])]), index=tracks.index
        ),
        "track": tracks.index.to_series(),
        "segment": tracks.index.to_series() + "@" + segments["start_s"].astype(str).to_numpy(),
    }[dataset.config.group]
    task = dataset.tasks[0]
    labels = tracks[task if dataset.kind(task) == "single" else "genres"].str.split("|").str[0]
    shifted = (segments["shift"] != 0).to_numpy()  # copies are not assigned: they follow their group
    dealt = deal_folds(group[~shifted].tolist(), labels[~shifted].tolist(), n_folds=n_folds, seed=seed)
    fold_of_group = dict(zip(group[~shifted], dealt, strict=True))
    folds = np.array([fold_of_group[name] for name in group])
    side = np.where(folds == number, "test", np.where(folds == (number + 1) % n_folds, "valid", "train"))
    segments["split"] = np.where(shifted & (side != "train"), UNUSED, side)

    view = copy.copy(dataset)
    view.segments = segments
    view.mean, view.std = normalization(dataset.features, np.flatnonzero(side == "train"))
    view.fingerprint = fingerprint(dataset.fingerprint, "fold", number, n_folds, seed)
    split = {**dataset.document["split"], "source": f"fold {number + 1} of {n_folds}, seed {seed}"}
    view.document = {**dataset.document, "split": split}
    view.__dict__.pop("claim", None)  # of the other split
    return view


def check_folds(n_folds: int) -> None:
    """Refuse fewer folds than there are splits.

    Raises:
        UsageError: Fewer than 3.
    """
    if n_folds < len(SPLITS):
        raise UsageError(
            f"{n_folds} folds cannot be divided into training, validation and test folds", hint="give --folds 3 or more"
        )


def deal_folds(groups: Sequence[str], labels: Sequence[str], *, n_folds: int, seed: int) -> list[int]:
    """Assign whole groups to folds, each label as evenly as groups allow, whatever the order of the items.

    Largest groups first, each to the fold that has least of the group's most frequent label, then least of all.

    Raises:
        DatasetError: Fewer groups than folds.
    """
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for group, label in zip(groups, labels, strict=True):
        members[group][label] += 1
    if len(members) < n_folds:
        few = len(members) < len(SPLITS)
        raise DatasetError(
            f"{len(members)} groups of tracks cannot fill {n_folds} folds",
            hint="add recordings of other artists" if few else f"give --folds {len(members)}",
        )
    held: list[Counter[str]] = [Counter() for _ in range(n_folds)]
    fold_of: dict[str, int] = {}
    for group in sorted(members, key=lambda group: (-members[group].total(), hash_key(seed, group))):
        label = min(members[group], key=lambda label: (-members[group][label], label))
        fold_of[group] = min(range(n_folds), key=lambda fold: (held[fold][label], held[fold].total(), fold))
        held[fold_of[group]].update(members[group])
    return [fold_of[group] for group in groups]
