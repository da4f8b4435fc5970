"""Batches of a split: straight from the memory map, assembled without Python per sample.

A split that fits is put on the device once and indexed there. One that does not is read in batches by a thread that
stays one batch ahead, and copied from pinned memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from geoclass.dataset.dataset import Dataset, Split
from geoclass.parallel.threads import closing_source, ordered_map
from geoclass.storage import fingerprint

_RESIDENT_SHARE = 0.4  # of the free memory that a split may take on the device


@dataclass(frozen=True)
class Batch:
    """Segments of one step, on the device."""

    index: int  # in the epoch, over all ranks
    x: Tensor  # (batch, n_bands, …) float32, not normalized
    targets: Mapping[str, Tensor]  # task -> (batch,) int64 or (batch, n_labels) float32
    tracks: Tensor  # (batch,) int64 rows of `split.tracks`, on the CPU


class SegmentLoader:
    """Cuts one split into batches. With several ranks, each gets its share of every batch.

    Args:
        dataset: Where the split is from.
        split: What to load.
        batch_size: Segments a step, over all ranks.
        device: Where batches are wanted.
        seed: Of the order; None: the order on disk.
        balanced: Draw segments so that the labels of the first task come equally often.
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
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.split, self.batch_size, self.device, self.seed = split, batch_size, device, seed
        self.rank, self.world_size = rank, world_size
        self.tracks = torch.from_numpy(split.track_of_segment)
        self.targets = {task: torch.from_numpy(split.targets(task)).to(device) for task in dataset.tasks}
        self.tracks_on_device = self.tracks.to(device)
        self._draw = _balancing_weights(split, dataset.tasks[0]) if balanced else None
        self._features = dataset.features
        self._resident: Tensor | None = None
        if len(split.segment_ids) * self._features[0].nbytes < _RESIDENT_SHARE * _free_bytes(device):
            self._resident = torch.from_numpy(self._features[split.segment_ids]).to(
                device
            )  # a copy: the index is an array

    def __len__(self) -> int:
        """Steps an epoch."""
        return len(self._cut(self._order(0)))

    def epoch(self, number: int = 0) -> Iterator[Batch]:
        """The batches of an epoch; the order depends on (seed, number) alone."""
        parts = self._cut(self._order(number))
        if self._resident is not None:
            rows = self._resident
            for index, chosen in enumerate(parts):
                on_device = chosen.to(self.device)
                yield self._batch(index, rows.index_select(0, on_device), chosen)
        else:
            with closing_source(ordered_map(self._read, parts, workers=1, ahead=2)) as blocks:
                for index, (chosen, x) in enumerate(blocks):
                    yield self._batch(index, x.to(self.device, non_blocking=True), chosen)

    def _batch(self, index: int, x: Tensor, chosen: Tensor) -> Batch:
        rows = self.tracks_on_device[chosen.to(self.device)]
        targets = {task: values[rows] for task, values in self.targets.items()}
        return Batch(index, x.float(), targets, self.tracks[chosen])

    def _read(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        ids = self.split.segment_ids[chosen.numpy()]
        order = np.argsort(ids)  # the disk is read forwards
        block = np.empty((len(ids), *self._features.shape[1:]), self._features.dtype)
        block[order] = self._features[ids[order]]
        x = torch.from_numpy(block)
        return chosen, x.pin_memory() if self.device.type == "cuda" else x

    def _order(self, epoch: int) -> Tensor:
        n_segments = len(self.tracks)
        if self.seed is None:
            return torch.arange(n_segments)
        generator = torch.Generator().manual_seed(int(fingerprint("order", self.seed, epoch)[:15], 16))
        if self._draw is not None:
            return torch.multinomial(self._draw, n_segments, replacement=True, generator=generator)
        return torch.randperm(n_segments, generator=generator)

    def _cut(self, order: Tensor) -> list[Tensor]:
        """This rank's part of each batch. A last training batch too small for batch norm on every rank is left out."""
        parts = list(torch.split(order, self.batch_size))
        if self.seed is not None and len(parts) > 1 and len(parts[-1]) < 2 * self.world_size:
            parts.pop()
        return [part[self.rank :: self.world_size] for part in parts]


def _balancing_weights(split: Split, task: str) -> Tensor:
    targets = split.targets(task)[split.track_of_segment]
    if targets.ndim == 2:
        rarity = 1 / np.maximum(targets.sum(axis=0), 1)
        return torch.from_numpy((targets * rarity).max(axis=1).astype(np.float64))
    return torch.from_numpy(1 / np.bincount(targets)[targets].astype(np.float64))


def _free_bytes(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":") for line in file)
        return float(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):  # macOS, Windows
        return 4e9
