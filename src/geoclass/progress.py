"""How long work tells whoever waits for it how far it has come."""

from typing import Protocol


class Progress(Protocol):
    """Called as work is done; a command turns it into a bar, a notebook into whatever it likes."""

    def __call__(self, n: int = 1, *, total: int | None = None, note: str | None = None) -> None:
        """Report `n` more units as done; `total` and `note` (re)state how many there are and what is being done."""
