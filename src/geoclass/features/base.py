"""What every front end is: samples to features, batched, on the model's device, alike in training and in tagging."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import torch
from torch import Tensor, nn

from geoclass.parallel.threads import closing_source

Item = TypeVar("Item")

FILES_AT_ONCE = 32  # through a front end on a GPU


class FrontEnd(nn.Module, ABC):
    """Turns segments of sound into features. Deterministic and without weights to learn."""

    sample_rate: int  # Hz, of the samples that go in

    @abstractmethod
    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) float32 in [-1, 1] -> (batch, *feature_shape(n_samples)) float32."""

    @abstractmethod
    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        """Shape of one segment's features; the first axis is what normalization runs along (bands, columns)."""


def power_spectrum(frames: Tensor, *, out: Tensor | None = None) -> Tensor:
    """(…, length) -> (…, n_bins), as many of the lowest as `out` has, or all.

    Several times as fast as the square of a complex abs.
    """
    n_bins = None if out is None else out.shape[-1]
    squares = torch.view_as_real(torch.fft.rfft(frames))[..., :n_bins, :].square_()
    return torch.add(squares[..., 0], squares[..., 1], out=out)  # real, imaginary


def each_segment(function: Callable[[Tensor], Tensor], waveform: Tensor) -> Tensor:
    """`function` of (batch, n_samples), of as many segments at a time as `at_once` says."""
    parts = at_once(waveform)
    return function(waveform) if len(parts) == 1 else torch.cat([*map(function, parts)])


def at_once(batch: Tensor) -> tuple[Tensor, ...]:
    """The batch as it is computed: whole on a GPU, on a CPU one segment after the other.

    For frames that overlap: those of one segment stay in the processor's cache, which makes this up to three times as
    fast. Where there is less to compute, more calls cost more than they save.
    """
    return torch.split(batch, 1) if batch.device.type == "cpu" else (batch,)


def in_half_precision(compute: Callable[[], Tensor], device: torch.device) -> Tensor:
    """What `compute` returns: in half precision on a GPU, and once more in full where a number left its range."""
    if device.type != "cuda":
        return compute()
    with torch.autocast("cuda", torch.float16):
        result = compute()
    return result if result.isfinite().all() else compute()


def together(front_end: FrontEnd, files: Sequence[Tensor]) -> Sequence[Tensor]:
    """The features of several files, which go through the front end at once.

    Args:
        front_end: Of any kind.
        files: (n_segments, n_samples) of each.

    Returns:
        (n_segments, *feature_shape) of each, where the front end computed them.
    """
    if not files:
        return ()
    with torch.inference_mode():
        features: Tensor = front_end(torch.cat([*files]))
    return torch.split(features, [*map(len, files)])


def in_batches(
    front_end: FrontEnd, items: Iterable[Item], segments_of: Callable[[Item], Tensor | None]
) -> Iterator[tuple[Item, Tensor | None]]:
    """The items in order, each with its features; many go through the front end at once, as a GPU needs it.

    Args:
        front_end: Of any kind.
        items: Files on their way; a generator is closed with this one.
        segments_of: (n_segments, n_samples) of an item; None: it has none.

    Yields:
        An item, and (n_segments, *feature_shape) on the CPU, or None.
    """
    with closing_source(items) as ready:
        while batch := [*islice(ready, FILES_AT_ONCE)]:
            given = [segments_of(item) for item in batch]
            following = iter(together(front_end, [of_item for of_item in given if of_item is not None]))
            for item, of_item in zip(batch, given, strict=True):
                yield item, None if of_item is None else next(following).cpu()
