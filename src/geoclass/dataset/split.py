"""Splits that do not leak: whole groups (artists, tracks) go to one side, stratified as far as groups allow."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from geoclass.errors import DatasetError
from geoclass.text import name_key
from geoclass.vocabulary import SPLITS


def split_groups(
    groups: Sequence[str], labels: Sequence[str], *, valid_fraction: float, test_fraction: float, seed: int
) -> list[str]:
    """Assign each item to "train", "valid" or "test" so that no group is in two splits.

    First each label, rarest first, gives its smallest group to "test" and the next to "valid" as long as one is left
    to train on. Then, largest first, each remaining group goes where its rarest label is most needed (iterative
    stratification, Sechidis et al. 2011, on groups). Ties are broken by a hash of (seed, group), so that the result
    depends on the items and not on their order.

    Args:
        groups: One group name per item.
        labels: One label per item.
        valid_fraction: Wanted part of the items in "valid".
        test_fraction: Wanted part of the items in "test".
        seed: Another seed gives another split.

    Raises:
        DatasetError: Fewer groups than splits.
    """
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for group, label in zip(groups, labels, strict=True):
        members[group][label] += 1
    if len(members) < len(SPLITS):
        raise DatasetError(
            f"{len(members)} groups of tracks cannot fill {len(SPLITS)} splits",
            hint="add recordings of other artists, or split by --group track",
        )
    totals = Counter(labels)
    fractions = {"train": 1 - valid_fraction - test_fraction, "valid": valid_fraction, "test": test_fraction}
    wanting = {(split, label): fractions[split] * totals[label] for split in SPLITS for label in totals}
    assigned: dict[str, str] = {}

    def order(group: str) -> tuple[int, bytes]:
        return (sum(members[group].values()), hash_key(seed, group))

    def assign(group: str, split: str) -> None:
        assigned[group] = split
        for label, count in members[group].items():
            wanting[split, label] -= count

    rarest_first = sorted(totals, key=lambda label: (totals[label], label))
    for label in rarest_first:
        holders = sorted((group for group in members if label in members[group]), key=order)
        for split in ("test", "valid"):
            free = [group for group in holders if group not in assigned]
            covered = {assigned[group] for group in holders if group in assigned}
            if split not in covered and len(free) > 1:  # one is left to train on
                assign(free[0], split)
    for group in sorted(members.keys() - assigned.keys(), key=order, reverse=True):
        label = min(members[group], key=rarest_first.index)
        assign(group, max(SPLITS, key=lambda split: (wanting[split, label], -SPLITS.index(split))))
    return [assigned[group] for group in groups]


def artist_keys(track_id: str, artist_id: str, artist: str) -> list[str]:
    """The keys of a track's artist: an id, a name, or both. A track without an artist is a separate group.

    Two ids with one name are one artist, unless the id itself tells namesakes apart, as "TR/artist 1" does.
    """
    name = name_key(artist)
    keys = [f"artist {artist_id}"] if artist_id else []
    if name and not artist_id.endswith(f"/{name}"):
        keys.append(f"name {name}")
    return keys or [f"track {track_id}"]


def merge_groups(keys: Sequence[Sequence[str]]) -> list[str]:
    """Name groups so that items with any key in common are in one: an artist with two ids is still one artist.

    Args:
        keys: For each item, what it is known by.

    Returns:
        For each item the alphabetically first key of its group.
    """
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for first, *others in keys:
        for other in others:
            one, two = sorted((root(first), root(other)))
            parent[two] = one
    return [root(own[0]) for own in keys]


def split_segments(
    segments: Sequence[str], labels: Sequence[str], *, valid_fraction: float, test_fraction: float, seed: int
) -> list[str]:
    """The published, leaky protocol: segments of one track on all sides, exactly stratified by label."""
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        by_label[label].append(index)
    result = ["train"] * len(segments)
    for indices in by_label.values():
        indices.sort(key=lambda index: hash_key(seed, segments[index]))
        n_test, n_valid = round(test_fraction * len(indices)), round(valid_fraction * len(indices))
        for rank, index in enumerate(indices[: n_test + n_valid]):
            result[index] = "test" if rank < n_test else "valid"
    return result


def hash_key(seed: int, name: str) -> bytes:
    """A sort key that shuffles names reproducibly on every machine."""
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogatepass")).digest()


def empty_cells(labels: Sequence[str], splits: Sequence[str]) -> Mapping[str, list[str]]:
    """Labels that a split lacks: {"test": ["TN"], …}; splits that have every label are left out."""
    present = set(zip(splits, labels, strict=True))
    known = sorted(set(labels))
    missing = {split: [label for label in known if (split, label) not in present] for split in SPLITS}
    return {split: gone for split, gone in missing.items() if gone}
