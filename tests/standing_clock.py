"""A clock for limits of time: a machine that is busy may take any time for anything."""

from dataclasses import dataclass

import pytest


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now_s: float = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def move(self) -> None:
        """Past every limit."""
        self.now_s += 1e6


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What threads measure the time of their work with; a loop looks at it again after `time_limit_s` of real time."""
    found = Clock()
    monkeypatch.setattr("geoclass.parallel.threads.time", found)
    return found
