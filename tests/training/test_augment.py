"""Augmentation: it belongs to the sample, and is faithful to what it claims to do."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from geoclass.dataset.draws import Draws
from geoclass.training.augment import blend, gain, mask_bands, mask_frames, mixing_weights


def draws(n_samples: int, *, seed: int = 0, epoch: int = 0) -> Draws:
    return Draws(np.arange(n_samples, dtype=np.uint64), seed=seed, epoch=epoch)


@pytest.mark.parametrize("function", [mask_bands, mask_frames])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), fraction=st.floats(0.05, 0.9))
def test_a_mask_is_one_run_no_wider_than_asked_and_differs_between_samples(
    function: Callable[..., Tensor], seed: int, fraction: float
) -> None:
    x = torch.ones(8, 40, 60)
    masked = function(x, draws(8, seed=seed), fraction=fraction, value=-5.0)
    axis = 1 if function is mask_bands else 2
    hidden = (masked == -5.0).all(dim=3 - axis)  # (batch, size)
    assert torch.equal((masked == -5.0).any(dim=3 - axis), hidden), "a masked line is masked as a whole"
    assert (hidden.sum(dim=1) <= int(x.shape[axis] * fraction)).all()
    assert (hidden.int().diff(dim=1).clamp(min=0).sum(dim=1) + hidden[:, 0].int() <= 1).all(), "one run"
    assert torch.equal(x, torch.ones_like(x)), "the input stays"


def test_masks_follow_the_law_of_torchaudio() -> None:
    from torchaudio.functional import mask_along_axis_iid

    x = torch.ones(20_000, 20, 30)
    ours = mask_frames(x, draws(len(x)), fraction=0.5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = mask_along_axis_iid(x, mask_param=15, mask_value=0.0, axis=2)
    hidden, expected = (1 - ours[:, 0]).mean(dim=0), (1 - theirs[:, 0]).mean(dim=0)  # how often each frame is hidden
    assert torch.allclose(hidden, expected, atol=0.015)
    widths = torch.stack([torch.bincount((1 - y[:, 0]).sum(dim=1).long(), minlength=16) for y in (ours, theirs)])
    assert (widths / len(x)).diff(dim=0).abs().max() < 0.01


def test_bands_and_frames_are_hidden_independently() -> None:
    x = torch.ones(5_000, 40, 40)
    bands, frames = (1 - f(x, draws(len(x)), fraction=0.5).mean(dim=(1, 2)) for f in (mask_bands, mask_frames))
    assert abs(float(torch.corrcoef(torch.stack([bands, frames]))[0, 1])) < 0.05


def test_a_fraction_too_small_for_one_band_changes_nothing() -> None:
    x = torch.randn(2, 8, 8)
    assert mask_bands(x, draws(2), fraction=0.1) is x


def test_a_sample_is_changed_alike_in_any_batch_and_the_global_random_state_is_left_alone() -> None:
    x = torch.randn(6, 64, 50)
    before = torch.random.get_rng_state()

    def augment(rows: list[int], epoch: int) -> Tensor:
        own = Draws(np.array(rows, np.uint64), seed=3, epoch=epoch)
        masked = mask_frames(mask_bands(x[rows], own, fraction=0.4), own, fraction=0.4)
        return gain(blend(masked, x[:1], mixing_weights(own, alpha=0.3)), own, gain_db=6.0)

    whole = augment([0, 1, 2, 3, 4, 5], 1)
    assert torch.equal(augment([4, 2], 1), whole[[4, 2]])
    assert not torch.equal(augment([0, 1, 2, 3, 4, 5], 2), whole)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_mixing_weights_follow_the_beta_distribution(alpha: float) -> None:
    weights = mixing_weights(draws(20_000), alpha=alpha)
    assert (weights >= 0.5).all()

    def folded(weight: np.ndarray) -> np.ndarray:  # max(b, 1 - b) of a symmetric b
        return 2 * stats.beta(alpha, alpha).cdf(weight) - 1

    assert stats.kstest(weights, folded).statistic < 0.015


def test_tiny_alphas_mix_nothing() -> None:
    weights = mixing_weights(draws(1_000), alpha=1e-5)
    assert ((weights >= 0.5) & (weights <= 1.0)).all()
    assert (weights > 0.999).mean() > 0.99


def test_a_blend_has_the_weight_of_each_sample() -> None:
    own, other = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    mixed = blend(own, other, np.array([1.0, 0.5, 0.75]))
    torch.testing.assert_close(mixed, torch.stack([own[0], (own[1] + other[1]) / 2, 0.75 * own[2] + 0.25 * other[2]]))


def test_gain_moves_each_sample_as_a_whole_within_its_limit() -> None:
    x = torch.randn(2_000, 10, 10)
    change = gain(x, draws(len(x)), gain_db=6.0) - x
    offsets = change.mean(dim=(1, 2))
    assert torch.allclose(change, offsets[:, None, None].expand_as(change), atol=1e-5)
    assert stats.kstest(offsets.numpy(), stats.uniform(-6, 12).cdf).statistic < 0.04


def test_what_is_drawn_is_pinned() -> None:
    """A run that a later version resumes goes on as it began."""
    own = draws(3)
    decibels = gain(torch.zeros(3, 1, 1), own, gain_db=6.0)
    assert decibels.flatten().tolist() == pytest.approx(GAIN, abs=1e-4)
    assert mixing_weights(own, alpha=0.5).tolist() == pytest.approx(WEIGHTS, abs=1e-4)
    hidden = mask_frames(mask_bands(torch.ones(3, 20, 20), own, fraction=0.5), own, fraction=0.5) == 0
    bands = [(row.all(dim=1).nonzero().flatten().tolist() or [-1])[0] for row in hidden]
    frames = [(row.all(dim=0).nonzero().flatten().tolist() or [-1])[0] for row in hidden]
    assert (bands, frames) == (BANDS, FRAMES)


def test_numbers_keep_their_precision() -> None:
    for dtype in (torch.float32, torch.float64):
        x = torch.ones(3, 4, 5, dtype=dtype)
        assert gain(x, draws(3), gain_db=1.0).dtype == dtype
        assert blend(x, x, np.full(3, 0.5)).dtype == dtype


GAIN = [-0.5793, 5.6303, 0.6017]  # dB
WEIGHTS = [0.9405, 0.987, 0.9922]
BANDS, FRAMES = [6, 10, 2], [12, 3, -1]  # the first that are hidden; -1: none
