"""What the scripts that make and judge the built-in models rest on."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from builtin_judge import (
    Answers,
    Calibration,
    _parts,
    calibrate,
    calibrations,
    countries,
    perfect_calibration_error,
    scores,
)
from builtin_recipe import Distillation, Rows, ask, distill, shift_covariance
from make_builtin_country import quiet_metric
from make_builtin_genre import CONFIG, discriminant

LABELS = ("GE", "TR", "ZZ")


def rows(labels: list[str], sources: list[str]) -> Rows:
    names = np.array([f"{source}-{number}" for number, source in enumerate(sources)])
    return Rows(np.zeros((len(labels), 1)), np.array(labels), names, np.array(sources))


@pytest.fixture
def answers() -> Answers:
    """Two collections of twenty, one of them mostly right; one recording of a country without a label; eight songs."""
    rng = np.random.default_rng(0)
    world = rows([*(["TR", "GE"] * 20), "FR"], [*(["one"] * 20), *(["two"] * 20), "three"])
    truth = np.array([LABELS.index(label) if label in LABELS else 0 for label in world.labels])
    logits = rng.normal(size=(41, 3))
    logits[np.arange(20), truth[:20]] += 3
    popular = rows(["ZZ"] * 8, [*(["gtzan"] * 5), *(["songs:x"] * 3)])
    by = np.array(["one"] * 3 + ["two"] * 3 + ["three"] * 2)
    return Answers(LABELS, world, logits, popular, rng.normal(loc=(0, 0, 4), size=(8, 3)), by)


def test_what_is_outside_takes_its_part_and_is_no_answer() -> None:
    np.testing.assert_allclose(countries(np.log([[1.0, 2.0, 5.0]]), 1.0), [[1 / 8, 2 / 8]])


def test_scores_count_recordings_of_known_countries(answers: Answers) -> None:
    right = answers.world_logits[:40, :2].argmax(axis=1) == answers.truth[:40]
    always = dict.fromkeys(("one", "two", "three"), Calibration(1.0, 0.0))
    found = scores(answers, always)
    assert found["rank 1"] == pytest.approx(right.mean())
    assert found["within 5"] == 1
    assert found["written"] == 1
    # The recording of a country that the model lacks got one too, and none could have been right.
    assert found["right of what is written, to any recording"] == pytest.approx(right.sum() / 41)
    assert found["GTZAN clips that get a country"] == found["songs that get a country"] == 1
    assert found["other countries' recordings that get one"] == 1
    never = scores(answers, dict.fromkeys(always, Calibration(1.0, 1.1)))
    assert never["written"] == never["GTZAN clips that get a country"] == never["songs that get a country"] == 0


def test_a_collection_has_no_say_in_its_own_calibration(answers: Answers) -> None:
    before = calibrations(answers)
    answers.world_logits[answers.world.sources == "one"] *= -5
    answers.popular_logits[answers.popular_by == "one"] *= -5
    after = calibrations(answers)
    assert after["one"] == before["one"]
    assert after["two"] != before["two"]


@pytest.mark.parametrize("kind", ["gtzan", "songs:x"])
def test_the_threshold_keeps_popular_music_out(answers: Answers, kind: str) -> None:
    """Each kind by itself: one is louder here than all recordings, and nothing of it may get a country."""
    loud = answers.popular.sources == kind
    answers.popular_logits[loud] = [[8.0, 0.0, 0.0]] * int(loud.sum()) + np.arange(loud.sum())[:, None] * [[0.1, 0, 0]]
    chosen = calibrate(answers)
    popular = countries(answers.popular_logits, chosen.temperature).max(axis=1)
    assert (popular[loud] > chosen.threshold).sum() == 0
    assert (popular[loud] == chosen.threshold).sum() <= 1


def test_what_recordings_of_unknown_countries_get_is_wrong() -> None:
    """Known recordings are all right; with as many strangers that are as sure, 9 of 10 cannot be reached."""
    popular = rows(["ZZ"] * 4, ["gtzan", "gtzan", "songs:x", "songs:x"])
    quiet = np.tile([0.0, 0.0, 9.0], (4, 1))
    sure = np.column_stack([np.zeros(20), np.linspace(0, 1, 20), np.zeros(20)])
    known = Answers(LABELS, rows(["TR"] * 20, ["one"] * 20), sure, popular, quiet, np.array(["one"] * 4))
    assert calibrate(known).threshold < 1
    world = rows([*(["TR"] * 20), *(["FR"] * 20)], ["one"] * 40)
    strangers = Answers(LABELS, world, np.tile(sure, (2, 1)), popular, quiet, np.array(["one"] * 4))
    assert calibrate(strangers).threshold == 1


def test_one_model_answers_all_songs_of_a_source() -> None:
    sources = np.array(["gtzan", "songs:a", "songs:b", "songs:a", "gtzan", "songs:b"])
    found = _parts(sources, 2)
    assert found.tolist() == [0, 0, 1, 0, 0, 1]


def test_few_perfect_answers_do_not_look_perfect() -> None:
    confidence = np.linspace(0.1, 0.9, 40)
    assert 0.05 < perfect_calibration_error(confidence) < 0.25
    assert perfect_calibration_error(np.repeat(confidence, 100)) < 0.03


def test_a_direction_in_which_sound_is_moved_counts_less() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 3))
    moves = rng.normal(size=(50, 3)) * [0, 0, 5]
    noise = shift_covariance(values, moves)
    assert np.abs(noise[:2]).max() == 0
    length = np.linalg.norm(quiet_metric(np.arcsinh(values), noise), axis=1)
    assert length[2] < 0.8 * length[0]


def test_the_student_answers_as_the_teacher_does() -> None:
    """Also of rows that it was not shown, and the same for the same seed."""
    rng = np.random.default_rng(0)
    n_columns = len(CONFIG.columns)
    direction = rng.normal(size=(n_columns, 3)) / n_columns**0.5

    def teacher(rows: np.ndarray) -> np.ndarray:
        return softmax(4 * rows @ direction, axis=1)

    rows, moves = rng.normal(size=(400, n_columns)), 0.1 * rng.normal(size=(20, n_columns))
    settings = Distillation(steps=300, batch_size=128, hidden=(64,))
    first, again = (
        distill(rows, np.ones(400), teacher, n_labels=3, moves=moves, front_end=CONFIG, settings=settings)
        for _ in range(2)
    )
    new = rng.normal(size=(400, n_columns))
    assert not first.training
    np.testing.assert_array_equal(ask(first, new), ask(again, new))
    assert np.abs(softmax(ask(first, rows), axis=1) - teacher(rows)).mean() < 0.03
    agree = ask(first, new).argmax(axis=1) == teacher(new).argmax(axis=1)
    assert agree.mean() > 0.85


def test_the_discriminant_does_not_listen_to_what_moves() -> None:
    """Two columns tell the genre; of one of them sound on its way to a collection makes anything."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=400)
    values = rng.normal(size=(400, len(CONFIG.columns)))
    values[:, 0] += 2 * truth
    values[:, 1] += 6 * truth
    moves = rng.normal(size=(100, len(CONFIG.columns))) * (np.arange(len(CONFIG.columns)) == 1) * 20
    moved = values + moves[rng.integers(100, size=400)]
    mean, std = values.mean(axis=0), values.std(axis=0)
    values, moved, moves = (values - mean) / std, (moved - mean) / std, moves / std
    deaf, trusting = discriminant(values, truth, moves), discriminant(values, truth, 0 * moves)
    assert (trusting(values).argmax(axis=1) == truth).mean() > 0.95
    right = [(model(moved).argmax(axis=1) == truth).mean() for model in (deaf, trusting)]
    assert right[0] > right[1] + 0.05
