"""What `learn` hears: finite for any sound, and of pitch neither key nor tuning."""

import numpy as np
import pytest
import torch

from geoclass.config.frontends import DescriptorsConfig
from geoclass.errors import AudioError
from geoclass.features.registry import create_front_end

RATE = 22_050


@pytest.fixture(scope="module")
def front_end():
    return create_front_end(DescriptorsConfig())


def melody(tonic_hz: float, steps: tuple[int, ...], *, seconds: float = 5.0) -> torch.Tensor:
    """(1, n_samples): a scale, up and down, six notes per second."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    degree = (time_s * 6).astype(int) % (2 * len(steps))
    step = np.array([*steps, *reversed(steps)])[degree]
    phase = 2 * np.pi * np.cumsum(tonic_hz * 2 ** (step / 12)) / RATE
    return torch.from_numpy((0.4 * np.sin(phase) + 0.2 * np.sin(2 * phase)).astype(np.float32))[None]


def columns(row: torch.Tensor, name: str) -> torch.Tensor:
    chosen = [index for index, column in enumerate(DescriptorsConfig().columns) if column.startswith(name)]
    return row[0, chosen]


def test_any_sound_gives_as_many_finite_numbers_as_there_are_names(front_end) -> None:
    random = torch.Generator().manual_seed(0)
    sounds = [torch.zeros(1, 5 * RATE), torch.ones(1, 5 * RATE), torch.randn(1, 5 * RATE, generator=random)]
    sounds += [1e-4 * sounds[2], melody(220, (0, 2, 4))]
    for sound in sounds:
        row = front_end(sound)
        assert row.shape == (1, *front_end.feature_shape(sound.shape[1])) == (1, len(DescriptorsConfig().columns))
        assert row.isfinite().all()
    assert len(set(DescriptorsConfig().columns)) == len(DescriptorsConfig().columns)


def test_each_segment_is_described_alone(front_end) -> None:
    one, other = melody(220, (0, 2, 4, 5, 7)), melody(330, (0, 1, 4, 6))
    together = front_end(torch.cat([one, other]))
    torch.testing.assert_close(together[:1], front_end(one), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(together[1:], front_end(other), atol=1e-3, rtol=1e-3)


def test_another_key_is_the_same_scale(front_end) -> None:
    major, minor = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
    here, there = (columns(front_end(melody(tonic, major)), "interval") for tonic in (261.6, 311.1))
    pentatonic = columns(front_end(melody(261.6, (0, 2, 4, 7, 9))), "interval")
    assert (here - there).abs().sum() < 0.5 * (here - pentatonic).abs().sum()
    assert minor  # of the same intervals as major: neither can be told from the other by them


def test_the_pulse_shows_as_its_period(front_end) -> None:
    clicks = torch.zeros(1, 5 * RATE)
    period = RATE // 2
    for start in range(0, 5 * RATE - 500, period):
        clicks[0, start : start + 500] = torch.randn(500, generator=torch.Generator().manual_seed(start)) * 0.5
    found = columns(front_end(clicks), "periodicity")
    steady = columns(front_end(torch.randn(1, 5 * RATE, generator=torch.Generator().manual_seed(1))), "periodicity")
    assert found.max() > 0.6
    assert found.max() > 2 * steady.max()


def test_short_segments_are_refused(front_end) -> None:
    with pytest.raises(AudioError, match="4 s"):
        front_end(torch.zeros(1, 3 * RATE))
