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


def given_out(keys: str, *, limit: int, counted: Counter[tuple[str, ...]] | None = None) -> list[tuple[str, str, bool]]:
    """(key, places of its items, whether it was whole) of each group of a stream such as "aab-", "-" being nobody's."""
    items = [(place, "" if name == "-" else name) for place, name in enumerate(keys)]
    groups = by_group(items, key=key, sizes=counted or sizes(items), max_waiting=limit)
    return [("".join(group.key), "".join(str(place) for place, _ in group.items), group.complete) for group in groups]


def test_the_group_that_waits_longest_is_given_out_early_and_says_so() -> None:
    assert given_out("abcabc", limit=2) == [
        ("a", "0", False),
        ("a", "3", True),
        ("b", "14", True),
        ("c", "25", True),
    ]


def test_as_many_as_may_wait_do() -> None:
    assert given_out("abab", limit=2) == [("a", "02", True), ("b", "13", True)]
    assert given_out("abab-", limit=1) == [("a", "0", False), ("a", "2", True), ("b", "13", True), ("", "4", True)]


def test_what_was_given_out_waits_no_more() -> None:
    assert all(whole for _, _, whole in given_out("aabbccddeeffgghh", limit=2))
    assert given_out("abcdabcd", limit=3)[:2] == [("a", "0", False), ("a", "4", True)]
    assert [whole for _, _, whole in given_out("abcdefabcdef", limit=3)].count(False) == 3


def test_groups_of_which_fewer_came_than_were_counted_end_with_the_stream() -> None:
    counted = Counter({("a",): 9, ("b",): 1, ("c",): 9})
    assert given_out("abca", limit=9, counted=counted) == [("b", "1", True), ("a", "03", True), ("c", "2", True)]
