"""Threads that a test has begun, told from those that other tests left and that may end at any time."""

import threading
from collections.abc import Callable

import pytest


@pytest.fixture
def started() -> Callable[[], set[threading.Thread]]:
    """Who runs now and did not when the test began."""
    others = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - others
