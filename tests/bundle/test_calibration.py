"""Temperature and threshold: what they promise on the split they were fitted on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoclass.bundle.calibration import (
    MIN_DECISIONS,
    TEMPERATURE_RANGE,
    choose_threshold,
    decisions,
    fit_temperature,
    to_probabilities,
)
from geoclass.errors import EvaluationError


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_that_was_applied_is_found_again(temperature: float) -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20_000, 6)) * 2
    truth = np.array([generator.choice(6, p=row) for row in to_probabilities(logits, "single")])
    assert fit_temperature(logits * temperature, truth) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_temperature_of_a_multi_label_model_is_found_again(temperature: float) -> None:
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(5_000, 6)) * 2
    truth = (generator.random(logits.shape) < to_probabilities(logits, "multi")).astype(int)
    assert fit_temperature(logits * temperature, truth) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_is_more_likely() -> None:
    generator = np.random.default_rng(2)
    logits, truth = generator.normal(size=(300, 4)) * 3, generator.integers(0, 4, 300)

    def loss(temperature: float) -> float:
        wanted = np.full((300, 4), 1 / 302 / 3)  # Platt's smoothed truth
        wanted[np.arange(300), truth] = 301 / 302
        return float(-(wanted * np.log(to_probabilities(logits, "single", temperature=temperature))).sum(axis=1).mean())

    best = loss(fit_temperature(logits, truth))
    assert all(best <= loss(other) + 1e-9 for other in np.geomspace(*TEMPERATURE_RANGE, 200))


def test_the_fewer_tracks_without_an_error_the_less_certain_the_model() -> None:
    def certainty(n_tracks: int) -> float:
        truth = np.arange(n_tracks) % 4
        logits = np.eye(4)[truth] * 5
        return float(to_probabilities(logits, "single", temperature=fit_temperature(logits, truth)).max())

    assert certainty(4) == pytest.approx(5 / 6, abs=1e-3)
    assert certainty(400) == pytest.approx(401 / 402, abs=1e-3)


def test_probabilities_do_not_overflow() -> None:
    extreme = np.array([[1e4, -1e4], [-1e4, 1e4]])
    assert np.array_equal(to_probabilities(extreme, "single"), np.eye(2))
    assert np.array_equal(to_probabilities(extreme, "multi"), np.eye(2))


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), target=st.floats(0.3, 0.99), multi=st.booleans(), coarse=st.booleans())
def test_what_is_written_meets_the_target_and_nothing_lower_does(
    seed: int, target: float, multi: bool, coarse: bool
) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(60, 5)) * 2
    probabilities = to_probabilities(logits, "multi" if multi else "single")
    if coarse:
        probabilities = np.round(probabilities, 1)
    truth = (generator.random((60, 5)) < 0.4).astype(int) if multi else generator.integers(0, 5, 60)
    if not multi:
        truth = np.where(generator.random(60) < 0.5, probabilities.argmax(axis=1), truth)
    threshold = choose_threshold(probabilities, truth, target_precision=target)
    confidence, correct = decisions(probabilities, truth)
    chance = truth.mean() if multi else 1 / 5
    assert threshold >= min(1.0, chance)
    lower = sorted({value for value in confidence if value < threshold and value >= chance})
    for value in lower:  # each smaller threshold writes too many wrong labels, or too few to tell
        written = confidence >= value
        assert correct[written].mean() < target or written.sum() < MIN_DECISIONS
    if threshold < 1.0 and threshold > chance:
        written = confidence >= threshold
        assert written.sum() >= MIN_DECISIONS
        assert correct[written].mean() >= target - 1e-12


def test_a_model_that_is_always_right_writes_everything() -> None:
    probabilities = np.full((10, 3), 0.1) + np.eye(3)[np.arange(10) % 3] * np.linspace(0.5, 0.7, 10)[:, None]
    threshold = choose_threshold(probabilities, np.arange(10) % 3, target_precision=0.8)
    assert (probabilities.max(axis=1) >= threshold).all()


def test_a_model_that_is_always_wrong_writes_nothing() -> None:
    probabilities = np.tile([0.9, 0.1], (20, 1))
    assert choose_threshold(probabilities, np.ones(20, int), target_precision=0.5) == 1.0


def test_a_few_lucky_answers_are_no_evidence() -> None:
    probabilities = np.column_stack([np.linspace(0.6, 0.9, 20), np.linspace(0.4, 0.1, 20)])
    truth = np.ones(20, int)
    truth[-(MIN_DECISIONS - 1) :] = 0  # only the surest four are right
    assert choose_threshold(probabilities, truth, target_precision=0.9) == 1.0


@pytest.mark.parametrize("function", [fit_temperature, lambda p, t: choose_threshold(p, t, target_precision=0.8)])
def test_bad_input_is_named(function: object) -> None:
    with pytest.raises(EvaluationError, match="no track"):
        function(np.zeros((0, 3)), np.zeros(0, int))
    with pytest.raises(EvaluationError, match="1 of 2 tracks"):
        function(np.array([[1.0, np.inf], [0.0, 0.0]]), np.array([0, 1]))
