"""Cross-validation with the package's own parts: a corpus dealt into folds, a data set and a run for each."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from geoclass.bundle.bundle import Bundle
from geoclass.config.settings import BuildConfig, RunConfig
from geoclass.corpora.base import Corpus, Skipped, Track
from geoclass.dataset.build import build_dataset
from geoclass.dataset.dataset import Dataset, Split
from geoclass.dataset.select import select_tracks
from geoclass.training.run import train

VALID_NEEDS = 9  # groups that a label must have for one of them to be held back for calibration


class FoldOf:
    """A corpus whose official split is one fold: what "split" maps a track to."""

    def __init__(self, corpus: Corpus, split: Mapping[str, str]) -> None:
        self.name, self.description = corpus.name, corpus.description
        self.audio_root, self.columns, self.notes = corpus.audio_root, corpus.columns, corpus.notes
        self._corpus, self._split = corpus, split

    def tracks(self) -> Iterator[Track | Skipped]:
        for track in self._corpus.tracks():
            yield replace(track, split=self._split.get(track.track_id, "train")) if isinstance(track, Track) else track


def fold_datasets(
    corpus: Corpus, *, out: Path, config: BuildConfig, n_folds: int = 5, seed: int = 0, valid_needs: int = VALID_NEEDS
) -> list[Dataset]:
    """One data set for each fold: groups (artists, or single tracks) dealt out label by label, one fold the test.

    Of each label with at least `valid_needs` groups, one training group becomes the validation split: enough to
    calibrate; runs on these data sets keep their last epoch and choose nothing by it.
    """
    tracks = select_tracks(corpus, config=config).tracks
    task = config.tasks[0]
    group_of = {track.track_id: track.artist_id or track.track_id for track in tracks}
    label_of = {group_of[track.track_id]: getattr(track, task) for track in tracks}
    fold_of = _deal(label_of, n_folds=n_folds, seed=seed)
    datasets = []
    for test in range(n_folds):
        part = {group: "test" if fold == test else "train" for group, fold in fold_of.items()}
        for label in sorted(set(label_of.values())):
            groups = [group for group, name in label_of.items() if name == label]
            if len(groups) >= valid_needs:
                part[next(group for group in groups if part[group] == "train")] = "valid"
        split = {track: part[group] for track, group in group_of.items()}
        datasets.append(build_dataset(FoldOf(corpus, split), out=out / f"fold-{test}", config=config))
    return datasets


def _deal(label_of: Mapping[str, str], *, n_folds: int, seed: int) -> dict[str, int]:
    """Groups to folds, each label spread as evenly as it goes; depends on names, labels and seed alone."""
    random = np.random.default_rng(seed)
    fold_of: dict[str, int] = {}
    for label in sorted(set(label_of.values())):
        groups = random.permutation(sorted(group for group, name in label_of.items() if name == label))
        for group in groups:
            fold_of[str(group)] = len(fold_of) % n_folds
    return fold_of


@dataclass(frozen=True)
class Answers:
    """What held-out groups are and what a model says of them."""

    groups: tuple[str, ...]
    labels: tuple[str, ...]
    truth: NDArray[np.int64]  # (n_groups,)
    probabilities: NDArray[np.float64]  # (n_groups, n_labels)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(n_groups,) most probable labels."""
        return self.probabilities.argmax(axis=1)

    @property
    def accuracy(self) -> float:
        return float((self.predicted == self.truth).mean())

    @property
    def recalls(self) -> dict[str, float]:
        """Of each label that is there."""
        right = self.predicted == self.truth
        return {self.labels[k]: float(right[self.truth == k].mean()) for k in np.unique(self.truth)}

    @property
    def balanced_accuracy(self) -> float:
        return float(np.mean(list(self.recalls.values())))


def train_and_ask(
    dataset: Dataset, *, config: RunConfig, run_dir: Path, seeds: Sequence[int] = (0,)
) -> tuple[Answers, Bundle, float]:
    """Train with each seed; the mean of their answers on "test", the last model, and the seconds of training."""
    parts, seconds = [], 0.0
    for seed in seeds:
        began = time.perf_counter()
        settings = replace(config, training=replace(config.training, seed=seed))
        bundle = train(dataset, config=settings, run_dir=run_dir / f"seed-{seed}", device="cpu").bundle
        seconds += time.perf_counter() - began
        parts.append(ask(bundle, dataset, dataset.split("test")))
    mean = np.mean([part.probabilities for part in parts], axis=0)
    return replace(parts[0], probabilities=mean), bundle, seconds


def ask(bundle: Bundle, dataset: Dataset, split: Split) -> Answers:
    """Mean log-probability over all segments of a group, as probabilities; uncalibrated."""
    (task,) = bundle.tasks
    features = torch.from_numpy(np.asarray(dataset.features[split.segment_ids]))
    logits = torch.cat([bundle.logits(part)[task] for part in features.split(64)])
    log_probabilities = torch.log_softmax(logits.double(), dim=1).numpy()
    names = split.tracks["artist_id"].where(split.tracks["artist_id"] != "", split.tracks["track_id"])
    groups, of_track = np.unique(names.to_numpy(str), return_inverse=True)
    of_segment = of_track[split.track_of_segment]
    means = np.stack([log_probabilities[of_segment == group].mean(axis=0) for group in range(len(groups))])
    truth = np.zeros(len(groups), np.int64)
    truth[of_track] = split.targets(task)
    probabilities = np.exp(means)
    labels = bundle.head(task).labels
    return Answers(tuple(groups), labels, truth, probabilities / probabilities.sum(axis=1, keepdims=True))


def pooled(parts: Sequence[Answers]) -> Answers:
    """The answers of all folds together."""
    assert len({part.labels for part in parts}) == 1, "folds differ in their labels"
    return Answers(
        groups=tuple(group for part in parts for group in part.groups),
        labels=parts[0].labels,
        truth=np.concatenate([part.truth for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
    )
