"""A small grid of settings, each on one split or in grouped cross-validation, every run in a separate folder."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from geoclass.config.settings import RunConfig
from geoclass.config.toml import with_overrides
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.folds import check_folds, fold_of_dataset
from geoclass.errors import DatasetError
from geoclass.parallel.cluster import cluster_map
from geoclass.training.run import score_split, train


@dataclass(frozen=True)
class Trial:
    """One run of a sweep."""

    settings: str  # what differs from the other trials: "training.lr=1e-3"; "" when nothing does
    fold: int | None  # None: the data set's own split
    config: RunConfig
    run_dir: Path


@dataclass(frozen=True)
class TrialResult:
    """A trial and its scores, per track: on the fold's test side, or on "valid" without folds."""

    trial: Trial
    scores: dict[str, float]


def expand_grid(overrides: Sequence[str]) -> list[list[str]]:
    """["a=1,2", "b=[3,4]"] -> [["a=1", "b=[3,4]"], ["a=2", "b=[3,4]"]]: commas outside brackets and quotes."""
    choices = []
    for override in overrides:
        key, separator, text = override.partition("=")
        values = re.findall(r"(?:\[[^\]]*\]|\"[^\"]*\"|'[^']*'|[^,\[\"'])+", text) or [text]
        choices.append([f"{key}{separator}{value}" for value in values])
    return [list(chosen) for chosen in itertools.product(*choices)]


def plan_sweep(base: RunConfig, overrides: Sequence[str], *, n_folds: int, run_dir: Path) -> list[Trial]:
    """The trials of a sweep: every combination of the overrides' values, on every fold.

    Raises:
        UsageError: A number of folds that cross-validation cannot have.
    """
    if n_folds:
        check_folds(n_folds)
    trials = []
    combinations = expand_grid(overrides)
    for chosen in combinations:
        varied = [one for one in chosen if any(one not in other for other in combinations)]
        settings = " ".join(varied)
        config = with_overrides(base, chosen)
        folder = run_dir / re.sub(r"[^\w.=+-]+", "_", settings) if settings else run_dir
        folds: list[int | None] = list(range(n_folds)) if n_folds else [None]
        for fold in folds:
            where = folder if fold is None else folder / f"fold-{fold + 1}"
            trials.append(Trial(settings, fold, config, where))
    return trials


def run_sweep(
    dataset: Dataset, trials: Sequence[Trial], *, n_folds: int, device: str = "auto", scheduler: str | None = None
) -> Iterator[TrialResult]:
    """Run trials one after the other, or side by side on a dask cluster; finished ones are not trained again.

    Raises:
        GeoclassError: As `train`; what was finished stays.
    """
    work = partial(_run_trial, folder=dataset.folder, n_folds=n_folds, device=device)
    if scheduler is None:
        yield from map(work, trials)
    else:
        yield from cluster_map(work, trials, scheduler=scheduler, check=partial(_check_folder, dataset.folder))


def summarize(results: Sequence[TrialResult], measure: str) -> list[tuple[str, int, float, float]]:
    """(settings, number of runs, mean, standard deviation over the folds) of a measure, best mean first."""
    values: dict[str, list[float]] = defaultdict(list)
    for result in results:
        values[result.trial.settings].append(result.scores[measure])
    rows = [(name, len(found), float(np.mean(found)), float(np.std(found))) for name, found in values.items()]
    return sorted(rows, key=lambda row: -row[2])


def _run_trial(trial: Trial, *, folder: Path, n_folds: int, device: str) -> TrialResult:
    dataset = Dataset.open(folder)
    if trial.fold is not None:
        dataset = fold_of_dataset(dataset, trial.fold, n_folds=n_folds)
    resume = (trial.run_dir / "last.pt").exists()
    result = train(dataset, config=trial.config, run_dir=trial.run_dir, resume=resume, device=device)
    split = "valid" if trial.fold is None else "test"
    return TrialResult(trial, score_split(result.bundle, dataset, split))


def _check_folder(folder: Path) -> None:
    if not (folder / "dataset.json").is_file():
        raise DatasetError(f"there is no data set in {folder}")
