"""The protocol by which long work reports its progress."""

from typing import Protocol


class Progress(Protocol):
    """Called as work is done; a command shows it as a progress bar."""

    def __call__(self, n: int = 1, *, total: int | None = None, note: str | None = None) -> None:
        """Report `n` more units as done; `total` and `note` (re)state how many there are and what is being done."""
