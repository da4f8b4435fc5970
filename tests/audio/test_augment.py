"""Augmentation: reproducible from its seed, and faithful to what it claims to do."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.audio.augment import batch_generator, gain, mask_bands, mask_frames, mixup, pitch_shift

RATE = 22_050  # Hz


@pytest.mark.parametrize("function", [mask_bands, mask_frames])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), fraction=st.floats(0.05, 0.9))
def test_a_mask_is_one_run_no_wider_than_asked_and_differs_between_samples(function, seed, fraction):
    x = torch.ones(8, 40, 60)
    masked = function(x, batch_generator(seed, epoch=0, batch=0), fraction=fraction, value=-5.0)
    axis = 1 if function is mask_bands else 2
    hidden = (masked == -5.0).all(dim=3 - axis)  # (batch, size)
    assert torch.equal((masked == -5.0).any(dim=3 - axis), hidden), "a masked line is masked as a whole"
    assert (hidden.sum(dim=1) <= int(x.shape[axis] * fraction)).all()
    assert (hidden.int().diff(dim=1).clamp(min=0).sum(dim=1) + hidden[:, 0].int() <= 1).all(), "one run"
    assert torch.equal(x, torch.ones_like(x)), "the input stays"


def test_masks_follow_the_law_of_torchaudio():
    from torchaudio.functional import mask_along_axis_iid

    x = torch.ones(20_000, 20, 30)
    ours = mask_frames(x, batch_generator(0, epoch=0, batch=0), fraction=0.5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = mask_along_axis_iid(x, mask_param=15, mask_value=0.0, axis=2)
    hidden, expected = (1 - ours[:, 0]).mean(dim=0), (1 - theirs[:, 0]).mean(dim=0)  # how often each frame is hidden
    assert torch.allclose(hidden, expected, atol=0.015)
    widths = torch.stack([torch.bincount((1 - y[:, 0]).sum(dim=1).long(), minlength=16) for y in (ours, theirs)])
    assert (widths / len(x)).diff(dim=0).abs().max() < 0.01


def test_a_fraction_too_small_for_one_band_changes_nothing():
    x = torch.randn(2, 8, 8)
    assert mask_bands(x, batch_generator(0, epoch=0, batch=0), fraction=0.1) is x


def test_one_seed_gives_one_augmentation_and_leaves_the_global_random_state_alone():
    x = torch.randn(4, 64, 50)
    before = torch.random.get_rng_state()

    def augment(**when):
        generator = batch_generator(3, **when)
        masked = mask_frames(mask_bands(x, generator, fraction=0.4), generator, fraction=0.4)
        return gain(mixup(masked, generator, alpha=0.3).x, generator, gain_db=6.0)

    assert torch.equal(augment(epoch=1, batch=2), augment(epoch=1, batch=2))
    assert not torch.equal(augment(epoch=1, batch=2), augment(epoch=2, batch=1))
    assert torch.equal(before, torch.random.get_rng_state())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), alpha=st.sampled_from([1e-4, 0.2, 1.0, 5.0]))
def test_mixup_is_the_blend_that_it_reports(seed, alpha):
    x = torch.randn(6, 5, 4)
    mixed = mixup(x, batch_generator(seed, epoch=0, batch=0), alpha=alpha)
    assert 0.5 <= mixed.weight <= 1.0
    assert sorted(mixed.partner.tolist()) == list(range(6))
    assert torch.allclose(mixed.x, mixed.weight * x + (1 - mixed.weight) * x[mixed.partner])


def test_mixup_weights_follow_the_beta_distribution():
    weights = torch.tensor(
        [mixup(torch.zeros(2, 1), batch_generator(0, epoch=0, batch=i), alpha=0.4).weight for i in range(3000)]
    )
    expected = torch.distributions.Beta(0.4, 0.4).sample((100_000,))
    expected = torch.maximum(expected, 1 - expected)
    levels = torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9])
    assert torch.allclose(weights.quantile(levels), expected.quantile(levels), atol=0.03)


def test_gain_moves_each_sample_as_a_whole_within_its_limit():
    x = torch.randn(16, 10, 10)
    change = gain(x, batch_generator(0, epoch=0, batch=0), gain_db=6.0) - x
    offsets = change.mean(dim=(1, 2))
    assert torch.allclose(change, offsets[:, None, None].expand_as(change), atol=1e-5)
    assert offsets.abs().max() <= 6.0
    assert offsets.std() > 1.0


@pytest.mark.parametrize("semitones", [-12.0, -2.0, -0.5, 0.5, 2.0, 7.0])
@pytest.mark.parametrize("rate", [16_000, RATE])
def test_pitch_shift_moves_the_pitch_and_keeps_the_length(semitones, rate):
    time = torch.arange(3 * rate) / rate
    waveform = 0.5 * torch.sin(2 * torch.pi * 440.0 * time)
    shifted = pitch_shift(waveform, sample_rate=rate, semitones=semitones)
    assert shifted.shape == waveform.shape
    steady = shifted[rate : 2 * rate] * torch.hann_window(rate)
    peak_hz = torch.fft.rfft(steady, n=8 * rate).abs().argmax().item() / 8
    assert 12 * torch.tensor(peak_hz / 440.0).log2().item() == pytest.approx(semitones, abs=0.02)
    assert steady.abs().max() == pytest.approx(0.5, abs=0.08), "a tone keeps its strength"


def test_pitch_shift_of_a_batch_is_that_of_its_rows():
    batch = torch.randn(2, 3, 8000, generator=torch.Generator().manual_seed(0)) * 0.1
    shifted = pitch_shift(batch, sample_rate=16_000, semitones=2.0)
    assert torch.allclose(shifted[1, 2], pitch_shift(batch[1, 2], sample_rate=16_000, semitones=2.0), atol=1e-5)


def test_no_semitones_is_no_change():
    waveform = torch.randn(1000) * 0.1
    assert torch.equal(pitch_shift(waveform, sample_rate=RATE, semitones=0.0), waveform)
