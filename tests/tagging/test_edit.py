"""The laws of patches."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoclass.tagging.formats import edit as splice

PIECES = st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30)), max_size=5)


@given(PIECES, st.binary(max_size=30))
def test_a_patch_and_its_inverse(pieces: list[tuple[bytes, bytes, bytes]], tail: bytes) -> None:
    old = b"".join(kept + before for kept, before, _ in pieces) + tail
    new = b"".join(kept + after for kept, _, after in pieces) + tail
    edits, position = [], 0
    for kept, before, after in pieces:
        position += len(kept)
        edits.append(splice.Edit(position, before, after))
        position += len(before)
    try:
        edits = splice.compact(edits)
    except ValueError:  # insertions at one place have no order
        return
    assert apply(old, edits) == new
    assert apply(new, splice.inverse(edits)) == old
    assert splice.growth(edits) == len(new) - len(old)


def apply(data: bytes, edits: list[splice.Edit]) -> bytes:
    out = io.BytesIO()
    splice.copy_patched(io.BytesIO(data), out, edits, size=len(data))
    assert splice.is_patched(io.BytesIO(data), out, edits, size=len(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("old", "new", "place", "short_old", "short_new"),
    [
        (b"abcd", b"abXd", 12, b"c", b"X"),
        (b"abcd", b"abcd", 14, b"", b""),
        (b"", b"new", 10, b"", b"new"),
        (b"aaa", b"aaaaa", 13, b"", b"aa"),
        (b"xaaay", b"xaay", 13, b"a", b""),
        (b"left|right", b"LEFT|right", 10, b"left", b"LEFT"),
        (b"left|right", b"left|RIGHT", 15, b"right", b"RIGHT"),
    ],
)
def test_an_edit_is_trimmed_to_what_changes(
    old: bytes, new: bytes, place: int, short_old: bytes, short_new: bytes
) -> None:
    assert splice.Edit(10, old, new).trimmed() == splice.Edit(place, short_old, short_new)


def test_edits_are_sorted_and_those_that_change_nothing_are_left_out() -> None:
    edits = [splice.Edit(20, b"b", b"B"), splice.Edit(5, b"same", b"same"), splice.Edit(0, b"a", b"")]
    assert splice.compact(edits) == [splice.Edit(0, b"a", b""), splice.Edit(20, b"b", b"B")]
    assert splice.compact([]) == []


def test_an_insertion_stands_before_what_is_replaced_at_its_place() -> None:
    edits = [splice.Edit(3, b"old", b"NEW"), splice.Edit(3, b"", b"+")]
    assert apply(b"...old...", splice.compact(edits)) == b"...+NEW..."


def test_neighbours_are_fine_and_what_overlaps_is_refused() -> None:
    assert len(splice.compact([splice.Edit(0, b"abc", b"xyz"), splice.Edit(3, b"d", b"D")])) == 2
    with pytest.raises(ValueError, match=r"^two edits overlap$"):
        splice.compact([splice.Edit(0, b"abc", b"xyz"), splice.Edit(2, b"c", b"C")])


def test_the_way_back_of_edits_that_grow_and_shrink() -> None:
    edits = [splice.Edit(2, b"", b"++"), splice.Edit(4, b"xyz", b""), splice.Edit(9, b"a", b"bb")]
    assert splice.growth(edits) == 2 - 3 + 1
    assert splice.inverse(edits) == [
        splice.Edit(2, b"++", b""),
        splice.Edit(6, b"", b"xyz"),
        splice.Edit(8, b"bb", b"a"),
    ]


@pytest.mark.parametrize("n_bytes", [2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_files_larger_than_a_block(n_bytes: int) -> None:
    data = bytes(range(256)) * (n_bytes // 256) + bytes(n_bytes % 256)
    edits = [splice.Edit(7, data[7:9], b"new"), splice.Edit(n_bytes - 1, data[-1:], b"END")]
    assert apply(data, edits) == data[:7] + b"new" + data[9:-1] + b"END"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda new: new[:-1],
        lambda new: new + b"\0",
        lambda new: new + b"\0\0",
        lambda new: b"?" + new[1:],
        lambda new: new[:-1] + b"?",
        lambda new: new.replace(b"NEW", b"NE?"),
    ],
)
def test_a_copy_with_a_fault_is_noticed(spoil: Callable[[bytes], bytes]) -> None:
    old, edits = b"before old after", [splice.Edit(7, b"old", b"NEW")]
    new = apply(old, edits)
    assert new == b"before NEW after"
    assert not splice.is_patched(io.BytesIO(old), io.BytesIO(spoil(new)), edits, size=len(old))


def test_a_source_that_is_not_what_the_edits_say_is_noticed() -> None:
    edits = [splice.Edit(7, b"old", b"NEW")]
    assert not splice.is_patched(io.BytesIO(b"before xxx after"), io.BytesIO(b"before NEW after"), edits, size=16)


def test_a_source_that_became_shorter_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the file became shorter while it was read$"):
        splice.copy_patched(io.BytesIO(b"short"), io.BytesIO(), [splice.Edit(0, b"", b"+")], size=100)


def test_reading_exactly_what_is_promised() -> None:
    file = io.BytesIO(b"0123456789")
    assert splice.read_at(file, 2, 3) == b"234"
    assert splice.read_at(file, 10, 0) == b""
    with pytest.raises(ValueError, match=r"^the file ends inside a tag: expected 3 bytes at byte 8$"):
        splice.read_at(file, 8, 3)
    with pytest.raises(ValueError, match=r"^a tag of 65 MiB at byte 2 is not plausible$"):
        splice.read_at(file, 2, 65 * 2**20)
    with pytest.raises(ValueError, match=r"is not plausible$"):
        splice.read_at(file, 2, -1)
    with pytest.raises(ValueError, match=r"^the file ends inside a tag"):
        splice.read_at(file, 2, 64 * 2**20)  # as large as a tag may be
