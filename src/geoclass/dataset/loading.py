"""Batches of a split: straight from the memory map, assembled without Python per sample.

A split that fits is put on the device once and indexed there. One that does not is read in batches by a thread that
stays one batch ahead, and copied from pinned memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.dataset.dataset import Dataset, Split
from geoclass.dataset.draws import Draws, Keys, nth_keys, occurrences, segment_keys
from geoclass.dataset.rows import read_rows
from geoclass.parallel.threads import closing_source, ordered_map

Rows = NDArray[np.int64]

_RESIDENT_SHARE = 0.4  # of the free memory that a split may take on the device


@dataclass(frozen=True)
class Batch:
    """Segments of one step, on the device."""

    index: int  # in the epoch, over all ranks
    x: Tensor  # (batch, n_bands, …) float32, not normalized
    targets: Mapping[str, Tensor]  # task -> (batch,) int64 or (batch, n_labels) float32
    tracks: Tensor  # (batch,) int64 rows of `split.tracks`, on the CPU
    draws: Draws  # the random numbers of each segment
    partner: "Batch | None" = None  # another segment for each one, to be mixed in


class SegmentLoader:
    """Cuts one split into batches. With several ranks, each gets its share of every batch.

    Args:
        dataset: Where the split is from.
        split: What to load.
        batch_size: Segments per step, over all ranks.
        device: Device of the batches.
        seed: Of the order; None: the order on disk.
        balanced: Draw segments so that the labels of the first task come equally often.
        partners: Give each segment another one, drawn from the whole split, to be mixed with.
        rank, world_size: This process and how many there are.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        *,
        batch_size: int,
        device: torch.device,
        seed: int | None = None,
        balanced: bool = False,
        partners: bool = False,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.split, self.batch_size, self.device, self.seed = split, batch_size, device, seed
        self.rank, self.world_size = rank, world_size
        self.tracks = torch.from_numpy(split.track_of_segment)
        self.targets = {task: torch.from_numpy(split.targets(task)).to(device) for task in dataset.tasks}
        self.tracks_on_device = self.tracks.to(device)
        self._keys = segment_keys(split.tracks["track_id"], split.track_of_segment)
        self._by_key = np.argsort(self._keys)  # an order independent of the one on disk
        self._weights = _balancing_weights(split, dataset.tasks[0]) if balanced else None
        self._partners = partners
        self._features = dataset.features
        self._resident: Tensor | None = None
        if len(split.segment_ids) * self._features[0].nbytes < _RESIDENT_SHARE * _free_bytes(device):
            self._resident = torch.from_numpy(read_rows(self._features, split.segment_ids)).to(device)

    def __len__(self) -> int:
        """Steps per epoch."""
        return len(self._batches(np.arange(len(self.tracks))))

    @property
    def smallest_batch(self) -> int:
        """Segments of the smallest batch, over all ranks."""
        return min(len(part) for part in self._batches(np.arange(len(self.tracks))))

    def epoch(self, number: int = 0) -> Iterator[Batch]:
        """The batches of an epoch.

        What comes with a segment (its draws, its partner) depends on the seed, the epoch and the segment; the order
        of the segments on the seed and the epoch. Batch size, ranks and the order on disk have no influence.
        """
        order, keys = self._order(number)
        places = self._cut(np.arange(len(order)))
        chosen = [self._with_partners(order[part], keys[part], number) for part in places]
        if self._resident is not None:
            for index, part in enumerate(places):
                rows = torch.from_numpy(chosen[index]).to(self.device)
                yield self._batch(index, self._resident.index_select(0, rows), chosen[index], keys[part], number)
        else:
            with closing_source(ordered_map(self._read, chosen, workers=1, ahead=2)) as blocks:
                for index, (part, x) in enumerate(zip(places, blocks, strict=True)):
                    x = x.to(self.device, non_blocking=True)
                    yield self._batch(index, x, chosen[index], keys[part], number)

    def _with_partners(self, chosen: Rows, keys: Keys, epoch: int) -> Rows:
        """Segments, then the partner of each."""
        if not self._partners:
            return chosen
        draws = Draws(keys, seed=self.seed or 0, epoch=epoch).uniform("partner")
        return np.concatenate([chosen, self._by_key[(draws * len(self._by_key)).astype(np.int64)]])

    def _batch(self, index: int, x: Tensor, chosen: Rows, keys: Keys, epoch: int) -> Batch:
        n_segments = len(keys)
        partner = None
        if len(chosen) > n_segments:
            others = chosen[n_segments:]
            partner = self._batch(index, x[n_segments:], others, self._keys[others], epoch)
        tracks = self.tracks[torch.from_numpy(chosen[:n_segments])]
        on_device = tracks.to(self.device)
        targets = {task: values[on_device] for task, values in self.targets.items()}
        draws = Draws(keys, seed=self.seed or 0, epoch=epoch)
        return Batch(index, x[:n_segments].float(), targets, tracks, draws, partner)

    def _read(self, chosen: Rows) -> Tensor:
        x = torch.from_numpy(read_rows(self._features, self.split.segment_ids[chosen]))
        return x.pin_memory() if self.device.type == "cuda" else x

    def _order(self, epoch: int) -> tuple[Rows, Keys]:
        """Which segments come one after the other, and the key of each; one that comes again has another key."""
        if self.seed is None:
            return np.arange(len(self._keys)), self._keys
        if self._weights is None:
            order = np.argsort(Draws(self._keys, seed=self.seed, epoch=epoch).uniform("order"))
            return order, self._keys[order]
        turns = Draws(np.arange(len(self._keys), dtype=np.uint64), seed=self.seed, epoch=epoch).uniform(
            "balanced order"
        )
        shares = np.cumsum(self._weights[self._by_key])
        order = self._by_key[np.searchsorted(shares, turns * shares[-1], side="right")]
        return order, nth_keys(self._keys[order], occurrences(order))

    def _cut(self, places: Rows) -> list[Rows]:
        """This rank's part of each batch."""
        return [part[self.rank :: self.world_size] for part in self._batches(places)]

    def _batches(self, places: Rows) -> list[Rows]:
        """Each batch of all ranks."""
        parts = [places[start : start + self.batch_size] for start in range(0, len(places), self.batch_size)]
        return parts if self.seed is None else _evened(parts, self.batch_size)


def _evened(parts: list[Rows], batch_size: int) -> list[Rows]:
    """Training batches, a small last one evened out with the one before it.

    Batch norm needs two segments and every rank one. Leaving out a batch too small for that would make the segments
    of an epoch depend on the number of ranks.
    """
    if len(parts) < 2 or batch_size < 2 or 2 * len(parts[-1]) >= max(4, batch_size):
        return parts
    both = np.concatenate(parts[-2:])
    return [*parts[:-2], *(np.array_split(both, 2) if len(both) > 3 else [both])]


def _balancing_weights(split: Split, task: str) -> NDArray[np.float64]:
    targets = split.targets(task)[split.track_of_segment]
    if targets.ndim == 2:
        rarity = 1 / np.maximum(targets.sum(axis=0), 1)
        return np.asarray((targets * rarity).max(axis=1), np.float64)
    return np.asarray(1 / np.bincount(targets)[targets], np.float64)


def _free_bytes(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":") for line in file)
        return float(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):  # macOS, Windows
        return 4e9
