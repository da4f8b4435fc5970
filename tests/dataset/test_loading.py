"""Batches: every segment once, and what comes with it the same whoever cuts the batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoclass.dataset.dataset import Dataset, Split
from geoclass.dataset.loading import SegmentLoader

CPU = torch.device("cpu")


def loader(dataset: Dataset, split: Split | None = None, batch_size: int = 16, **options: object) -> SegmentLoader:
    chosen = split or dataset.split("train")
    return SegmentLoader(dataset, chosen, batch_size=batch_size, device=CPU, **options)  # type: ignore[arg-type]


def seen(*loaders: SegmentLoader, epoch: int = 1) -> dict[bytes, tuple[float, bytes, int]]:
    """By the sound of each segment: what is drawn for it, and which segment it is mixed with."""
    found = {}
    for one in loaders:
        for batch in one.epoch(epoch):
            partner = batch.partner
            assert partner is not None
            drawn = batch.draws.uniform("gain")
            for row in range(len(batch.x)):
                mate = (partner.x[row].numpy().tobytes(), int(partner.targets["country"][row]))
                found[batch.x[row].numpy().tobytes()] = (float(drawn[row]), *mate)
    return found


def test_an_epoch_hears_each_segment_once(small_dataset: Dataset) -> None:
    x = torch.cat([batch.x for batch in loader(small_dataset).epoch()])
    expected = small_dataset.features[small_dataset.split("train").segment_ids].astype(np.float32)
    np.testing.assert_array_equal(x.numpy(), expected)


def test_targets_and_tracks_are_those_of_the_segments(small_dataset: Dataset) -> None:
    split = small_dataset.split("train")
    sounds = small_dataset.features[split.segment_ids].astype(np.float32)
    track_of = {sound.tobytes(): int(track) for sound, track in zip(sounds, split.track_of_segment, strict=True)}
    labels = split.targets("country")
    for batch in loader(small_dataset, seed=0, partners=True).epoch(1):
        assert batch.partner is not None
        for part in (batch, batch.partner):
            tracks = [track_of[x.numpy().tobytes()] for x in part.x]
            assert part.tracks.tolist() == tracks
            assert part.targets["country"].tolist() == labels[tracks].tolist()


def test_the_order_depends_on_seed_and_epoch(small_dataset: Dataset) -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return [int(row) for batch in loader(small_dataset, seed=seed).epoch(epoch) for row in batch.tracks]

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)
    assert sorted(order(0, 0)) == sorted(order(1, 5))


def test_reading_from_disk_gives_the_same_batches(small_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = list(loader(small_dataset, seed=3, partners=True).epoch(1))
    monkeypatch.setattr("geoclass.dataset.loading._free_bytes", lambda device: 0.0)
    streamed = list(loader(small_dataset, seed=3, partners=True).epoch(1))
    for one, other in zip(resident, streamed, strict=True):
        assert torch.equal(one.x, other.x)
        assert torch.equal(one.targets["country"], other.targets["country"])
        assert one.partner is not None
        assert other.partner is not None
        assert torch.equal(one.partner.x, other.partner.x)


def test_ranks_share_each_batch(small_dataset: Dataset) -> None:
    whole = loader(small_dataset, seed=0)
    parts = [loader(small_dataset, seed=0, rank=rank, world_size=2) for rank in (0, 1)]
    for batch, *shares in zip(whole.epoch(2), *(part.epoch(2) for part in parts), strict=True):
        assert sorted(torch.cat([share.tracks for share in shares]).tolist()) == sorted(batch.tracks.tolist())


def test_what_is_drawn_depends_on_neither_batch_size_nor_processes_nor_order(small_dataset: Dataset) -> None:
    split = small_dataset.split("train")
    n_segments = len(split.segment_ids)
    expected = seen(loader(small_dataset, seed=0, partners=True))
    assert len(expected) == n_segments
    assert seen(loader(small_dataset, seed=0, partners=True, batch_size=9)) == expected
    ranks = [loader(small_dataset, seed=0, partners=True, rank=rank, world_size=3) for rank in range(3)]
    assert seen(*ranks) == expected
    backward = replace(
        split,
        tracks=split.tracks[::-1].reset_index(drop=True),
        track_of_segment=(len(split.tracks) - 1 - split.track_of_segment)[::-1].reshape(-1, 2)[:, ::-1].ravel(),
        segment_ids=split.segment_ids[::-1].reshape(-1, 2)[:, ::-1].ravel(),  # two segments a track stay in order
    )
    turned = loader(small_dataset, backward, seed=0, partners=True)
    assert seen(turned) == expected
    first, same = (next(iter(one.epoch(1))) for one in (loader(small_dataset, seed=0), turned))
    assert torch.equal(first.x, same.x), "batches too"
    assert seen(loader(small_dataset, seed=0, partners=True), epoch=2) != expected


def test_partners_come_from_the_whole_split(small_dataset: Dataset) -> None:
    mates = [mate for number in range(20) for _, mate, _ in seen(
        loader(small_dataset, seed=0, partners=True), epoch=number
    ).values()]  # fmt: skip
    n_segments = len(small_dataset.split("train").segment_ids)
    assert len(set(mates)) == n_segments
    own = loader(small_dataset, seed=0, partners=True).epoch(0)
    assert sum(int((batch.partner.x == batch.x).all()) for batch in own if batch.partner) == 0


def test_balanced_sampling_draws_labels_equally(small_dataset: Dataset) -> None:
    split = small_dataset.split("train")
    few = (split.targets("country") != 0) | (np.arange(len(split.tracks)) % 5 == 0)
    kept = few[split.track_of_segment]
    lopsided = replace(split, segment_ids=split.segment_ids[kept], track_of_segment=split.track_of_segment[kept])
    batches = loader(small_dataset, lopsided, seed=0, balanced=True)
    labels = torch.cat([batch.targets["country"] for epoch in range(60) for batch in batches.epoch(epoch)])
    shares = torch.bincount(labels) / len(labels)
    assert shares.min() > 0.28


def test_a_segment_that_is_drawn_again_is_changed_otherwise(small_dataset: Dataset) -> None:
    batches = list(loader(small_dataset, seed=0, balanced=True).epoch(0))
    sounds = [x.numpy().tobytes() for batch in batches for x in batch.x]
    drawn = [value for batch in batches for value in batch.draws.uniform("gain").tolist()]
    assert len(set(sounds)) < len(sounds)
    assert len(set(drawn)) == len(drawn)


def test_a_last_batch_too_small_for_batch_norm_is_left_out_of_training_only(small_dataset: Dataset) -> None:
    n_segments = len(small_dataset.split("train").segment_ids)
    size = n_segments - 1
    assert [len(batch.x) for batch in loader(small_dataset, batch_size=size, seed=0).epoch()] == [size]
    assert [len(batch.x) for batch in loader(small_dataset, batch_size=size).epoch()] == [size, 1]
    two = loader(small_dataset, batch_size=n_segments - 2, seed=0)
    assert [len(batch.x) for batch in two.epoch()] == [n_segments - 2, 2]
    assert len(two) == 2
    shared = loader(small_dataset, batch_size=n_segments - 2, seed=0, world_size=2)
    assert len(shared) == 1
