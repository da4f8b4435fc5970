"""Files of one artist or album, brought together as a library streams by."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = tuple[str, ...]

MAX_WAITING = 2_000  # files that wait for others of their artist; then the artist of the oldest is decided


class Grouped(Generic[Item]):
    """One group as it is given out.

    Attributes:
        key: () for an item that belongs to no group.
        items: In order.
        complete: False where the group was given out early, for the sake of memory.
    """

    def __init__(self, key: Key, items: list[Item], *, complete: bool) -> None:
        self.key, self.items, self.complete = key, items, complete


def by_group(
    items: Iterable[Item], *, key: Callable[[Item], Key], sizes: Counter[Key], max_waiting: int = MAX_WAITING
) -> Iterator[Grouped[Item]]:
    """Groups, each as soon as its last item has come; at most `max_waiting` items wait.

    Args:
        items: Each belongs to the group of its key, or to none (()).
        key: Of an item.
        sizes: How many items of each key there will be.
        max_waiting: Beyond it the group of the item that waits longest is given out incomplete; the items of that group
            that come later form groups of their own.
    """
    waiting: dict[Key, list[Item]] = {}
    arrived: Counter[Key] = Counter()
    oldest: deque[Key] = deque()
    n_waiting = 0
    for item in items:
        name = key(item)
        if not name:
            yield Grouped(name, [item], complete=True)
            continue
        if name not in waiting:
            waiting[name] = []
            oldest.append(name)
        waiting[name].append(item)
        n_waiting += 1
        arrived[name] += 1
        if arrived[name] >= sizes[name]:
            found = waiting.pop(name)
            oldest.remove(name)
            n_waiting -= len(found)
            yield Grouped(name, found, complete=True)
        while n_waiting > max_waiting:
            early = oldest.popleft()
            found = waiting.pop(early)
            n_waiting -= len(found)
            yield Grouped(early, found, complete=False)
    for name in oldest:  # fewer have come than were counted
        yield Grouped(name, waiting[name], complete=True)
