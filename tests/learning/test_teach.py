"""What is learned of a field from rows of popular music: the country where the sound tells it, else nothing."""

from functools import cache

import numpy as np
import pytest
import torch

from geoclass.config.frontends import DescriptorsConfig
from geoclass.learning import teach as teaching
from geoclass.learning.background import draw
from geoclass.learning.fit import SURE, Fitted, Judged, Task
from geoclass.learning.labels import Labels
from geoclass.learning.logistic import Linear
from geoclass.learning.teach import Sounds, Taught, make_whitening, teach, whitened

N_ARTISTS, N_FILES = 40, 2  # files per artist
NOWHERE = Linear(torch.zeros(1, 1), torch.zeros(1))


@cache
def popular() -> torch.Tensor:
    """One row per file, as segments of popular music have them."""
    return torch.from_numpy(draw("popular", N_ARTISTS * N_FILES, seed=7))


def labels_of(task: str, names: list[str]) -> Labels:
    """A label per artist, of two."""
    of_file = {file: (names[file // N_FILES],) for file in range(N_ARTISTS * N_FILES)}
    return Labels(task=task, kind="single", names=tuple(sorted(set(names))), of_file=of_file, others=frozenset())


def learned(labels: Labels, rows: torch.Tensor) -> Taught | str:
    artists = [f"artist {number}" for number in range(N_ARTISTS) for _ in range(N_FILES)]
    whitening = make_whitening(DescriptorsConfig(), rows)
    sounds = Sounds(rows=rows, files=np.arange(len(rows)))
    return teach(labels, sounds, artists, rows=whitened(rows, whitening), whitening=whitening)


def drawn_by_lot(first: str, second: str) -> list[str]:
    return np.random.default_rng(5).permutation([first, second] * (N_ARTISTS // 2)).tolist()


def by_their_sound(first: str, second: str) -> tuple[list[str], torch.Tensor]:
    """Labels of which a dozen columns tell: those of the second label are a standard deviation and a half higher."""
    names = drawn_by_lot(first, second)
    rows = popular().clone()
    of_second = torch.tensor([names[file // N_FILES] == second for file in range(len(rows))])
    rows[of_second, :12] += 1.5 * rows[:, :12].std(0)
    return names, rows


def test_the_country_of_popular_music_is_not_learned_where_the_sound_does_not_tell_it() -> None:
    found = learned(labels_of("country", drawn_by_lot("TR", "GR")), popular())
    assert isinstance(found, str)
    assert "popular songs" in found


def test_a_genre_is_learned_all_the_same_and_nothing_is_stopped() -> None:
    found = learned(labels_of("genre", drawn_by_lot("Folk", "Pop")), popular())
    assert isinstance(found, Taught)
    assert found.stopped == frozenset()


@pytest.mark.parametrize("task", ["country", "genre"])
def test_what_the_sound_tells_is_learned_and_the_gate_lets_the_librarys_own_music_through(task: str) -> None:
    names, rows = by_their_sound("TR", "GR")
    found = learned(labels_of(task, names), rows)
    assert isinstance(found, Taught)
    assert found.stopped == frozenset()
    judged = found.fitted.judged
    assert judged.written.any(axis=1).mean() > 0.25
    assert (judged.written & (judged.truth == 1)).sum() >= SURE * judged.written.sum()


def test_the_gate_is_not_set_against_music_of_the_librarys_own_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is fitted against are the other kinds: field recordings and drum loops."""
    against: list[torch.Tensor] = []
    whole = teaching.fit_task

    def fitting(task: Task, rows: torch.Tensor, files: np.ndarray, background: torch.Tensor) -> Fitted:
        against.append(background)
        return whole(task, rows, files, background)

    monkeypatch.setattr(teaching, "fit_task", fitting)
    names, rows = by_their_sound("TR", "GR")
    learned(labels_of("genre", names), rows)
    whitening = make_whitening(DescriptorsConfig(), rows)
    others = torch.cat([whitened(torch.from_numpy(draw(group, 400)), whitening) for group in ("field", "loops")])
    (background,) = against
    assert torch.equal(background, others)


@pytest.mark.parametrize(("share", "n"), [(0.9, 10), (0.95, 60), (1.0, 5), (0.5, 1_000)])
def test_wilsons_bound_is_where_the_share_is_just_within_the_interval_of_a_normal(share: float, n: int) -> None:
    lower = teaching._wilson_lower(share, n)
    assert 0 < lower < share
    assert share - lower == pytest.approx(1.96 * np.sqrt(lower * (1 - lower) / n), rel=1e-9)


@pytest.mark.parametrize(("n_wrong", "trusted"), [(0, True), (1, True), (3, False)])
def test_few_popular_songs_are_trusted_where_nine_artists_of_ten_are_right(n_wrong: int, trusted: bool) -> None:
    """60 artists get a country, a fifth of the popular songs: wrong may be one, not three."""
    n = 600
    written = np.zeros((n, 2))
    written[:120, 0] = 0.99
    truth = np.tile([1, 0], (n, 1))
    truth[: 2 * n_wrong] = [0, 1]
    judged = Judged(files=np.arange(n), probabilities=written, truth=truth)
    fitted = Fitted(labels=NOWHERE, gate=NOWHERE, temperature=1.0, judged=judged)
    artists = [f"artist {file // 2}" for file in range(n)]
    assert teaching._is_trusted(fitted, dict.fromkeys(range(n), "popular"), artists) is trusted


def test_rows_of_an_encoder_are_learned_without_other_music() -> None:
    names, rows = by_their_sound("TR", "GR")
    labels = labels_of("country", names)
    sounds = Sounds(rows=rows, files=np.arange(len(rows)))
    artists = [f"artist {file // N_FILES}" for file in range(len(rows))]
    whitening = make_whitening(DescriptorsConfig(), rows)
    found = teach(labels, sounds, artists, rows=whitened(rows, whitening), whitening=whitening, others_known=False)
    assert isinstance(found, Taught)
    assert found.labels == labels
    assert len(found.fitted.judged.files) == len(rows)
