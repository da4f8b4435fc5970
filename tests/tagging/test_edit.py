"""The laws of patches."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

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


# ---- copied by the system ---------------------------------------------------------------------------------------


OLD = bytes(range(251)) * 2_000  # half a megabyte
EDITS = [splice.Edit(7, OLD[7:9], b"new"), splice.Edit(400_000, b"", b"more"), splice.Edit(len(OLD) - 1, OLD[-1:], b"")]
NEW = OLD[:7] + b"new" + OLD[9:400_000] + b"more" + OLD[400_000:-1]
by_the_system = pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="needs copy_file_range")


def patched_file(folder: Path) -> tuple[bytes, bool]:
    """OLD with EDITS from one file to another; what is found there, and what `is_patched` says of it."""
    (folder / "old").write_bytes(OLD)
    with open(folder / "old", "rb") as source, open(folder / "new", "w+b") as target:
        splice.copy_patched(source, target, EDITS, size=len(OLD))
        target.flush()
        return (folder / "new").read_bytes(), splice.is_patched(source, target, EDITS, size=len(OLD))


class System:
    """`os.copy_file_range` that copies at most `most` bytes, and at its `turn`-th call does something else."""

    def __init__(self, otherwise: Callable[..., int] | None = None, *, turn: int = 0, most: int = 2**30) -> None:
        self.otherwise, self.turn, self.most, self.n_calls = otherwise, turn, most, 0
        self.call = os.copy_file_range

    def __call__(self, source: int, target: int, count: int, source_offset: int, target_offset: int) -> int:
        self.n_calls += 1
        if self.n_calls == self.turn and self.otherwise is not None:
            return self.otherwise(target, target_offset)
        return self.call(source, target, min(self.most, count), source_offset, target_offset)


def failing(code: int) -> Callable[..., int]:
    def call(*_arguments: int) -> int:
        raise OSError(code, os.strerror(code))

    return call


@by_the_system
@pytest.mark.parametrize("most", [2**30, 2**16, 10_007])
def test_the_system_copies_what_lies_between_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    system = System(most=most)
    monkeypatch.setattr(os, "copy_file_range", system)
    assert patched_file(tmp_path) == (NEW, True)
    assert system.n_calls >= (len(OLD) - 10) // most + 1


@by_the_system
@pytest.mark.parametrize("turn", [1, 2, 3, 20])
@pytest.mark.parametrize(
    "code", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.ENOSPC, errno.EIO]
)
def test_what_the_system_does_not_copy_is_read_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, turn: int
) -> None:
    system = System(failing(code), turn=turn, most=20_000)
    monkeypatch.setattr(os, "copy_file_range", system)
    assert patched_file(tmp_path) == (NEW, True)
    assert system.n_calls >= turn


@by_the_system
@pytest.mark.parametrize("turn", [1, 2, 20])
def test_a_system_that_stops_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
    monkeypatch.setattr(os, "copy_file_range", System(lambda *_arguments: 0, turn=turn, most=20_000))
    assert patched_file(tmp_path) == (NEW, True)


def test_a_system_without_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    assert patched_file(tmp_path) == (NEW, True)


@by_the_system
@pytest.mark.parametrize("turn", [1, 20])
def test_a_system_that_copies_something_else_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    def wrong(target: int, offset: int) -> int:
        return os.pwrite(target, b"?", offset)

    monkeypatch.setattr(os, "copy_file_range", System(wrong, turn=turn, most=20_000))
    found, is_patched = patched_file(tmp_path)
    assert (len(found), found == NEW, is_patched) == (len(NEW), False, False)


def test_a_file_that_became_shorter_while_the_system_copied_it(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(OLD)
    with open(tmp_path / "old", "rb") as source, open(tmp_path / "new", "w+b") as target:
        with pytest.raises(ValueError, match=r"^the file became shorter while it was read$"):
            splice.copy_patched(source, target, [], size=len(OLD) + 1)
        assert not splice.is_patched(source, target, [], size=len(OLD) + 1)


@pytest.mark.parametrize("place", [0, 2**18 - 1, 2**18, len(NEW) - 1])
def test_one_wrong_bit_is_noticed_wherever_it_is(place: int) -> None:
    spoiled = NEW[:place] + bytes([NEW[place] ^ 1]) + NEW[place + 1 :]
    assert splice.is_patched(io.BytesIO(OLD), io.BytesIO(NEW), EDITS, size=len(OLD))
    assert not splice.is_patched(io.BytesIO(OLD), io.BytesIO(spoiled), EDITS, size=len(OLD))


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
