"""Batches: every segment once, and what comes with it the same whoever cuts the batches."""

import builtins
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from geoclass.config.frontends import LogMelConfig
from geoclass.dataset import loading
from geoclass.dataset.dataset import Dataset, Split
from geoclass.dataset.loading import SegmentLoader

CPU = torch.device("cpu")
COUNTRIES = ("CN", "IN", "TR")


@pytest.fixture
def small_dataset(write_dataset: Callable[..., Dataset]) -> Dataset:
    """45 tracks of two segments each, 27 of them in the training split; each segment sounds like no other."""
    generator = np.random.default_rng(0)
    tracks: list[dict[str, Any]] = [
        {"track_id": f"t{n}", "split": ("train", "train", "train", "valid", "test")[n % 5], "country": COUNTRIES[n % 3],
         "rows": generator.normal(size=(2, 8, 5)).astype(np.float16)}
        for n in range(45)
    ]  # fmt: skip
    return write_dataset(tracks, labels={"country": COUNTRIES}, front_end=LogMelConfig(n_mels=8))


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


@pytest.mark.parametrize(
    ("batch_size", "expected"),
    [(12, [12, 12, 12, 12, 6]), (13, [13, 13, 13, 8, 7]), (53, [27, 27]), (52, [27, 27]), (36, [36, 18]),
     (54, [54]), (99, [54]), (2, [2] * 27), (1, [1] * 54)],
)  # fmt: skip
def test_a_small_last_training_batch_is_evened_out_for_any_number_of_ranks(
    small_dataset: Dataset, batch_size: int, expected: list[int]
) -> None:
    assert len(small_dataset.split("train").segment_ids) == 54
    own = loader(small_dataset, seed=0, batch_size=batch_size)
    assert [len(batch.x) for batch in own.epoch()] == expected
    assert len(own) == len(expected)
    assert own.smallest_batch == min(expected)
    n_ranks = min(3, min(expected))
    ranks = [
        loader(small_dataset, seed=0, partners=True, batch_size=batch_size, rank=rank, world_size=n_ranks)
        for rank in range(n_ranks)
    ]
    shares = [[len(batch.x) for batch in rank.epoch()] for rank in ranks]
    assert np.sum(shares, axis=0).tolist() == expected
    assert min(map(min, shares)) >= 1
    assert seen(*ranks) == seen(loader(small_dataset, seed=0, partners=True)), "nothing is left out"


def test_validation_batches_are_as_they_come(small_dataset: Dataset) -> None:
    assert [len(batch.x) for batch in loader(small_dataset, batch_size=53).epoch()] == [53, 1]


@given(n_segments=st.integers(1, 60), batch_size=st.integers(2, 40))
def test_batches_are_even_enough_for_batch_norm_and_half_as_many_ranks(n_segments: int, batch_size: int) -> None:
    places = np.arange(n_segments)
    cut = [places[start : start + batch_size] for start in range(0, n_segments, batch_size)]
    parts = loading._evened(cut, batch_size)
    assert np.concatenate(parts).tolist() == places.tolist()
    assert max(map(len, parts)) <= max(batch_size, 3)
    assert len(parts) == 1 or min(map(len, parts)) >= max(2, batch_size // 2)


# ---- where a split lies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "resident"), [(0.41, False), (0.39, True)])
def test_a_split_is_kept_where_it_takes_less_than_two_fifths_of_the_free_memory(
    small_dataset: Dataset, monkeypatch: pytest.MonkeyPatch, share: float, resident: bool
) -> None:
    split = small_dataset.split("train")
    n_bytes = np.asarray(small_dataset.features[split.segment_ids]).nbytes
    monkeypatch.setattr(loading, "_free_bytes", lambda device: n_bytes / share)
    assert (loader(small_dataset)._resident is not None) == resident


def test_the_free_memory_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    free = loading._free_bytes(CPU)
    assert 0.5 * os.sysconf("SC_AVPHYS_PAGES") * page < free < os.sysconf("SC_PHYS_PAGES") * page
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: {"cuda": (7, 9)}[device.type])
    assert loading._free_bytes(torch.device("cuda")) == 7


@pytest.mark.parametrize("text", [None, "MemTotal:  8 kB\n", "MemTotal: 8 kB\nMemAvailable:   3 kB\nMemFree: 1 kB\n"])
def test_without_word_of_the_system_some_gigabytes_are_taken_for_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    meminfo = tmp_path / "meminfo"
    if text is not None:
        meminfo.write_text(text)
    monkeypatch.setattr(builtins, "open", lambda path, **options: {"/proc/meminfo": meminfo}[path].open(**options))
    assert loading._free_bytes(CPU) == (3 * 1024 if text and "MemAvailable" in text else 4e9)


# ---- what a batch holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resident", [True, False])
def test_batches_are_numbered_and_of_the_size_that_was_asked_for(
    small_dataset: Dataset, monkeypatch: pytest.MonkeyPatch, resident: bool
) -> None:
    if not resident:
        monkeypatch.setattr(loading, "_free_bytes", lambda device: 0.0)
    own = loader(small_dataset, batch_size=12, seed=1, partners=True)
    batches = list(own.epoch(3))
    assert [len(batch.x) for batch in batches] == [12, 12, 12, 12, 6]
    assert len(own) == 5
    assert [batch.index for batch in batches] == [0, 1, 2, 3, 4]
    assert [batch.partner.index for batch in batches if batch.partner] == [0, 1, 2, 3, 4]
    assert all(batch.x.dtype == torch.float32 and batch.x.shape[1:] == (8, 5) for batch in batches)
    assert all(len(batch.partner.x) == len(batch.x) for batch in batches if batch.partner)
    assert all(batch.partner.partner is None for batch in batches if batch.partner)


def test_nothing_is_mixed_in_unasked(small_dataset: Dataset) -> None:
    assert all(batch.partner is None for batch in loader(small_dataset, seed=0).epoch())


def test_a_partner_has_draws_of_its_own(small_dataset: Dataset) -> None:
    """Those that its segment has where it comes by itself, in the same epoch."""
    own = loader(small_dataset, seed=4, partners=True)
    alone = {x.numpy().tobytes(): draw for batch in own.epoch(2)
             for x, draw in zip(batch.x, batch.draws.uniform("gain"), strict=True)}  # fmt: skip
    for batch in own.epoch(2):
        assert batch.partner is not None
        drawn = batch.partner.draws.uniform("gain")
        assert [alone[x.numpy().tobytes()] for x in batch.partner.x] == drawn.tolist()


def test_without_a_seed_the_draws_are_those_of_seed_0(small_dataset: Dataset) -> None:
    def drawn(**options: Any) -> dict[bytes, tuple[float, bytes, int]]:
        return seen(loader(small_dataset, partners=True, **options), epoch=1)

    assert drawn() == drawn(seed=0) != drawn(seed=1)


def test_the_only_batch_is_kept_however_small(write_dataset: Callable[..., Dataset]) -> None:
    tracks = [{"track_id": name, "split": name, "country": code, "rows": [[1.0, 2.0]]}
              for name, code in (("train", "TR"), ("valid", "CN"))]  # fmt: skip
    dataset = write_dataset(tracks, labels={"country": ("CN", "TR")}, name="tiny")
    assert [len(batch.x) for batch in loader(dataset, seed=0, world_size=2).epoch()] == [1]


def test_ranks_get_equal_shares_of_what_one_process_hears_in_its_order(small_dataset: Dataset) -> None:
    whole = list(loader(small_dataset, seed=0).epoch(2))
    for rank in range(3):
        own = list(loader(small_dataset, seed=0, rank=rank, world_size=3).epoch(2))
        assert len(own) == len(whole)
        for part, batch in zip(own, whole, strict=True):
            assert torch.equal(part.x, batch.x[rank::3])


# ---- balanced -----------------------------------------------------------------------------------------------------


def test_several_labels_are_balanced_by_the_rarest_of_each_track(write_dataset: Callable[..., Dataset]) -> None:
    """Every track is Pop, one of ten is Fado: half of the draws hold the rare one, not a tenth."""
    tracks = [
        {"track_id": f"t{n}", "split": "train" if n < 40 else "valid", "genres": "Fado|Pop" if n % 10 == 0 else "Pop",
         "genre": "Pop", "rows": [[float(n), 0.0]]}
        for n in range(50)
    ]  # fmt: skip
    dataset = write_dataset(tracks, labels={"genre": ("Fado", "Pop")}, multi_label=True, name="genres")
    own = loader(dataset, seed=0, balanced=True)
    rows = torch.cat([batch.x[:, 0] for epoch in range(40) for batch in own.epoch(epoch)]).numpy()
    # The weights are 1/4 for each of 4 tracks of Fado, and 1/40 for each of the 36 others.
    assert (rows % 10 == 0).mean() == pytest.approx(1 / (1 + 36 / 40), abs=0.04)
    assert set(rows.astype(int)) == set(range(40))


def test_balanced_draws_hold_each_label_equally_often_and_differ_by_epoch_and_seed(small_dataset: Dataset) -> None:
    split = small_dataset.split("train")
    kept = ((split.targets("country") != 1) | (np.arange(len(split.tracks)) % 6 == 1))[split.track_of_segment]
    few = replace(split, segment_ids=split.segment_ids[kept], track_of_segment=split.track_of_segment[kept])

    def drawn(seed: int, epochs: range) -> list[int]:
        own = loader(small_dataset, few, seed=seed, balanced=True)
        return [int(row) for epoch in epochs for batch in own.epoch(epoch) for row in batch.tracks]

    labels = split.targets("country")[drawn(0, range(100))]
    np.testing.assert_allclose(np.bincount(labels) / len(labels), 1 / 3, atol=0.03)
    assert drawn(0, range(1)) == drawn(0, range(1))
    assert drawn(0, range(1)) != drawn(0, range(1, 2))
    assert drawn(0, range(1)) != drawn(1, range(1))


# ---- what a seed decides ------------------------------------------------------------------------------------------


def mates(own: SegmentLoader, epoch: int) -> list[bytes]:
    """Of each segment, in the order on disk, the one that is mixed in."""
    found = {x.numpy().tobytes(): mate.numpy().tobytes() for batch in own.epoch(epoch) if batch.partner
             for x, mate in zip(batch.x, batch.partner.x, strict=True)}  # fmt: skip
    return [found[key] for key in sorted(found)]


def test_draws_and_partners_each_depend_on_seed_and_epoch(small_dataset: Dataset) -> None:
    def draws(seed: int, epoch: int) -> list[float]:
        return [value for batch in loader(small_dataset, seed=seed).epoch(epoch) for value in batch.draws.uniform("x")]

    def partners(seed: int, epoch: int) -> list[bytes]:
        return mates(loader(small_dataset, seed=seed, partners=True), epoch)

    for of in (draws, partners):
        first = sorted(of(0, 1)) if of is draws else of(0, 1)
        assert first == (sorted(of(0, 1)) if of is draws else of(0, 1))
        assert first != (sorted(of(1, 1)) if of is draws else of(1, 1))
        assert first != (sorted(of(0, 2)) if of is draws else of(0, 2))


def test_a_seed_means_the_same_in_every_release(write_dataset: Callable[..., Dataset]) -> None:
    """A run that is resumed after an upgrade goes on in the order in which it began."""
    tracks = [{"track_id": f"t{n}", "split": "train" if n < 8 else "valid", "country": COUNTRIES[n % 2],
               "rows": [[float(n), 0.0]]} for n in range(10)]  # fmt: skip
    dataset = write_dataset(tracks, labels={"country": COUNTRIES[:2]}, name="tiny")

    def heard(**options: Any) -> tuple[list[int], list[int]]:
        (batch,) = loader(dataset, seed=3, **options).epoch(1)
        mixed = [] if batch.partner is None else batch.partner.x[:, 0].int().tolist()
        return batch.x[:, 0].int().tolist(), mixed

    assert heard(partners=True) == ([6, 5, 0, 2, 4, 1, 3, 7], [2, 1, 0, 5, 3, 1, 2, 0])
    assert heard(balanced=True) == ([3, 0, 0, 5, 3, 1, 0, 5], [])
