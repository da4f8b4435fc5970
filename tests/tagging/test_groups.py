"""Groups in a stream: nothing is lost, nothing is late, and what waits is bounded."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from geoclass.tagging.groups import by_group

streams = st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=40).map(lambda keys: list(enumerate(keys)))


def key(item: tuple[int, str]) -> tuple[str, ...]:
    return (item[1],) if item[1] else ()


def sizes(items: list[tuple[int, str]]) -> Counter[tuple[str, ...]]:
    return Counter(map(key, items))


@given(streams)
def test_each_group_is_given_out_once_whole_and_in_order(items: list[tuple[int, str]]) -> None:
    groups = list(by_group(items, key=key, sizes=sizes(items)))
    assert sorted(item for group in groups for item in group.items) == items
    assert all(group.complete for group in groups)
    for group in groups:
        assert group.items == ([item for item in items if key(item) == group.key] if group.key else group.items)
        assert len(group.items) == 1 or group.key


@given(streams)
def test_a_group_is_given_out_when_its_last_item_has_come(items: list[tuple[int, str]]) -> None:
    taken: list[tuple[int, str]] = []

    def source():
        for item in items:
            taken.append(item)
            yield item

    for group in by_group(source(), key=key, sizes=sizes(items)):
        assert taken[-1] == group.items[-1]


@given(streams, st.integers(0, 5))
def test_no_more_items_wait_than_may(items: list[tuple[int, str]], limit: int) -> None:
    taken = 0

    def source():
        nonlocal taken
        for item in items:
            taken += 1
            yield item

    given_out = 0
    largest = 0
    for group in by_group(source(), key=key, sizes=sizes(items), max_waiting=limit):
        largest = max(largest, taken - given_out)
        given_out += len(group.items)
    assert given_out == len(items)
    assert largest <= limit + 1


@given(streams)
def test_wrong_counts_lose_nothing(items: list[tuple[int, str]]) -> None:
    for wrong in (Counter(), Counter({("a",): 99, ("b",): 1})):
        groups = by_group(items, key=key, sizes=wrong)
        assert sorted(item for group in groups for item in group.items) == items
