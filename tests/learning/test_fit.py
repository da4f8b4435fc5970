"""The gated linear model of one field, by laws, on rows whose truth is known."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from geoclass.learning import fit
from geoclass.learning.fit import SURE, Task, file_means, fit_rows, fit_task

N_COLUMNS, N_FILES = 24, 3  # files per artist


def task(of_artist: list[int], *, n_labels: int = 2, outside: frozenset[int] = frozenset()) -> Task:
    """Artists with `N_FILES` files each, all with the label of the artist."""
    artists = [f"artist {number}" for number in range(len(of_artist)) for _ in range(N_FILES)]
    truth: Mapping[int, tuple[int, ...]] = {
        file: (of_artist[file // N_FILES],) for file in range(len(artists)) if file not in outside
    }
    names = tuple("ABCDE"[:n_labels])
    return Task(kind="single", labels=names, truth=truth, judged=frozenset(truth), artists=artists, outside=outside)


def rows_of(centres: np.ndarray, *, noise: float, segments: int = 2, seed: int = 0) -> tuple[Tensor, np.ndarray]:
    """(n_files, n) centres to rows of (n_files * segments, N_COLUMNS), and the file of each."""
    random = np.random.default_rng(seed)
    files = np.repeat(np.arange(len(centres)), segments)
    values = random.normal(scale=noise, size=(len(files), N_COLUMNS))
    values[:, : centres.shape[1]] += centres[files]
    return torch.from_numpy(values.astype(np.float32)), files


NONE = torch.zeros(0, N_COLUMNS)


def test_no_file_is_judged_by_a_model_that_knows_its_artist() -> None:
    """Every artist has a sound of its own, and labels are drawn: only who knows the artist can know the label."""
    random = np.random.default_rng(3)
    of_artist = random.permutation([0, 1] * 12).tolist()
    centres = np.repeat(8 * np.eye(24), N_FILES, axis=0)
    rows, files = rows_of(centres, noise=0.3)
    found = fit_task(task(of_artist), rows, files, NONE)
    best = found.judged.probabilities.argmax(axis=1)
    assert (found.judged.truth[np.arange(len(best)), best] == 1).mean() < 0.7
    assert found.labels(rows).argmax(1).eq(torch.tensor(of_artist)[files // N_FILES]).all(), "it could be known"


def test_nine_of_ten_that_would_be_written_are_right() -> None:
    """Two labels that overlap: five of six can be told."""
    of_artist = [0, 1] * 50
    centres = np.repeat(np.where(np.array(of_artist)[:, None] == 0, -1.0, 1.0), N_FILES, axis=0)
    rows, files = rows_of(centres, noise=1.4)
    judged = fit_task(task(of_artist), rows, files, NONE).judged
    right = (judged.written & (judged.truth == 1)).sum()
    assert 0.1 < judged.written.any(axis=1).mean() < 0.9
    assert right >= SURE * judged.written.sum()
    assert (judged.probabilities.argmax(1) == judged.truth.argmax(1)).mean() < SURE, "or it is too easy to tell"


def test_a_rare_label_weighs_as_much_as_a_common_one() -> None:
    of_artist = [0] * 40 + [1] * 5
    centres = np.repeat(np.where(np.array(of_artist)[:, None] == 0, -1.0, 1.0), N_FILES, axis=0)
    rows, files = rows_of(centres, noise=1.0)
    labels, _ = fit_rows(task(of_artist), rows, files, np.arange(len(centres)), NONE)
    between = labels(torch.zeros(1, N_COLUMNS)).softmax(1)[0]
    assert 0.25 < float(between[0]) < 0.75


def test_the_gate_stops_what_the_library_does_not_teach_and_nothing_else() -> None:
    of_artist = [0, 1] * 10
    centres = np.repeat(np.where(np.array(of_artist)[:, None] == 0, -3.0, 3.0), N_FILES, axis=0)
    rows, files = rows_of(centres, noise=0.5)
    background, _ = rows_of(np.tile([0.0, 6.0], (100, 1)), noise=0.5)
    gate = fit_task(task(of_artist), rows, files, background).gate
    assert (gate(rows) < 0).all()
    assert (gate(background) > 0).all()
    _, open_gate = fit_rows(task(of_artist), rows, files, np.arange(len(centres)), NONE)
    assert (open_gate(background) < -5).all(), "where nothing else is known, nothing is stopped"


def test_the_gate_stops_files_that_it_is_told_to() -> None:
    of_artist = [0, 1] * 10
    centres = np.repeat(np.array([(-3.0 if of == 0 else 3.0, 6.0 * (n >= 15)) for n, of in enumerate(of_artist)]), 3, 0)
    rows, files = rows_of(centres, noise=0.5)
    outside = frozenset(range(15 * N_FILES, 20 * N_FILES))
    gate = fit_task(task(of_artist, outside=outside), rows, files, NONE).gate
    stopped = (gate(rows)[:, 0] > 0).numpy()
    assert stopped.tolist() == np.isin(files, sorted(outside)).tolist()


def test_of_long_files_each_gives_as_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    files = np.repeat([0, 1, 2, 3], [50, 3, 20, 40])
    assert fit._thinned(files, np.array([0, 1, 3])).tolist() == np.flatnonzero(files != 2).tolist()
    monkeypatch.setattr(fit, "_MAX_ROWS", 30)
    chosen = fit._thinned(files, np.array([0, 1, 3]))
    assert np.bincount(files[chosen], minlength=4).tolist() == [10, 3, 0, 10]


def test_the_mean_of_a_file_without_segments_is_zero() -> None:
    values = torch.tensor([[1.0], [3.0], [5.0]])
    assert file_means(values, np.array([2, 2, 7]), np.array([2, 4, 7])).tolist() == [[2.0], [0.0], [5.0]]
