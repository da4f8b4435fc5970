"""Fewer examples of frequent labels, on the training split only; what stays is chosen by a hash, not by order."""

from collections import defaultdict
from collections.abc import Sequence

from geoclass.dataset.split import hash_key


def surplus(names: Sequence[str], labels: Sequence[str], splits: Sequence[str], *, seed: int) -> set[int]:
    """Items of "train" to leave out so that each label has as many there as the rarest.

    Returns:
        Indices into the three sequences.
    """
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, (label, split) in enumerate(zip(labels, splits, strict=True)):
        if split == "train":
            by_label[label].append(index)
    fewest = min(map(len, by_label.values()), default=0)
    return {
        index
        for indices in by_label.values()
        for index in sorted(indices, key=lambda index: hash_key(seed, names[index]))[fewest:]
    }
