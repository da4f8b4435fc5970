"""The journal: what it holds, what it refuses, what to do when it cannot be written, and what older versions wrote."""

import errno
import hashlib
import json
import os
import time
from datetime import datetime
from pathlib import Path

import pytest
from tagging_helpers import FakeClassifier

from geoclass.errors import StorageError
from geoclass.tagging import journal as journal_module
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.formats.edit import Edit
from geoclass.tagging.journal import Journal, last_journal, mark_undone, read_journal
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.record import Record
from geoclass.tagging.tags import Tags, read_tags
from geoclass.tagging.undo import undo


def record(name: str = "a.mp3") -> Record:
    edits = [Edit(2, b"old", b"new one"), Edit(9, b"", b"more")]
    return Record.of(Path("/music") / name, edits, size=20, before={"genre": ()}, after={"genre": ("Folk", "Rock")})


def write(path: Path, *names: str) -> list[Record]:
    records = [record(name) for name in names]
    with Journal(path) as journal:
        for made in records:
            journal.add(made)
    return records


# ---- what it holds ----------------------------------------------------------------------------------------------


def test_what_is_written_is_read(tmp_path: Path) -> None:
    records = write(tmp_path / "journal", "a.mp3", "caf\udce9.mp3")
    assert list(read_journal(tmp_path / "journal")) == records


def test_a_record_says_how_to_go_back(tmp_path: Path) -> None:
    found = record()
    assert (found.old_size, found.new_size) == (20, 28)
    assert [(region.offset, region.length, region.old) for region in found.regions] == [(2, 7, b"old"), (13, 4, b"")]
    assert [region.sha256 for region in found.regions] == [
        hashlib.sha256(new).hexdigest() for new in (b"new one", b"more")
    ]


def test_a_journal_is_private_and_says_what_it_is(tmp_path: Path) -> None:
    since_s = time.time()  # the clock that gives whole seconds may be a tick behind it
    write(tmp_path / "deep" / "journal", "a.mp3")
    path = tmp_path / "deep" / "journal"
    header = json.loads(path.read_text().splitlines()[0])
    assert (header["format"], header["version"]) == ("geoclass/journal", 1)
    assert list(header) == ["format", "version", "created"]
    assert since_s - 2 <= datetime.fromisoformat(header["created"]).timestamp() <= time.time()
    assert path.stat().st_mode & 0o077 == 0  # it holds tags of a person's files


def test_every_record_is_on_the_disk_when_add_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    original = os.fsync

    def fsync(descriptor: int) -> None:
        original(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    with Journal(tmp_path / "journal") as journal:
        monkeypatch.setattr(journal_module.os, "fsync", fsync)
        for name in "abc":
            journal.add(record(name))
            assert synced[-1] == (tmp_path / "journal").stat().st_size
    assert len(synced) == 4  # the folder, where the new name stands, and each record


def test_a_run_that_changes_nothing_leaves_no_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal"):
        pass
    assert list(tmp_path.iterdir()) == []


# ---- what cannot be written -------------------------------------------------------------------------------------


def fail_to_write(monkeypatch: pytest.MonkeyPatch, turn: int, *, n_bytes: int, number: int = errno.ENOSPC) -> None:
    """The `turn`-th write puts `n_bytes` on the disk, then says that it failed."""
    original, calls = os.write, 0

    def failing(descriptor: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls != turn:
            return original(descriptor, data)
        written = original(descriptor, data[:n_bytes])
        if n_bytes:
            return written
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(journal_module.os, "write", failing)


@pytest.mark.parametrize("n_bytes", [0, 1, 60, 100])
@pytest.mark.parametrize("turn", [1, 2])
def test_a_full_disk_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int, n_bytes: int
) -> None:
    """A line that was written in part is taken back, so that the next one stands on a line of its own."""
    path = tmp_path / "journal"
    kept = [record(name) for index, name in enumerate("abc", start=1) if index != turn]
    fail_to_write(monkeypatch, turn, n_bytes=n_bytes)
    with Journal(path) as journal:
        for index, name in enumerate("abc", start=1):
            if index != turn:
                journal.add(record(name))
                continue
            with pytest.raises(StorageError, match="space") as error:
                journal.add(record(name))
            assert "free some space" in str(error.value.hint)
    assert list(read_journal(path)) == kept
    assert path.read_bytes().endswith(b"\n")


def test_a_journal_whose_only_write_failed_is_no_run_to_undo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = journal_module.default_path()
    fail_to_write(monkeypatch, 1, n_bytes=30)
    with Journal(path) as journal, pytest.raises(StorageError):
        journal.add(record())
    assert not path.exists()
    assert last_journal() is None


@pytest.mark.parametrize(
    ("number", "words", "not_words"),
    [
        (errno.ENOSPC, "free some space", "undo"),
        (errno.EDQUOT, "free some space", "undo"),
        (errno.EIO, "a writable folder", "space"),
        (errno.EROFS, "a writable folder", "space"),
    ],
)
def test_the_hint_fits_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str, not_words: str
) -> None:
    fail_to_write(monkeypatch, 1, n_bytes=0, number=number)
    with Journal(tmp_path / "journal") as journal, pytest.raises(StorageError, match="cannot write") as error:
        journal.add(record())
    assert words in str(error.value.hint)
    assert "--journal" in str(error.value.hint)
    assert not_words not in str(error.value.hint)


def test_a_journal_that_exists_is_not_added_to(tmp_path: Path) -> None:
    write(tmp_path / "journal", "a.mp3")
    before = (tmp_path / "journal").read_bytes()
    with Journal(tmp_path / "journal") as journal, pytest.raises(StorageError, match="exists") as error:
        journal.add(record())
    assert "name another file" in str(error.value.hint)
    assert f"geoclass undo {tmp_path / 'journal'}" in str(error.value.hint)
    assert "space" not in str(error.value.hint)
    assert (tmp_path / "journal").read_bytes() == before


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "journal"
    with Journal(path) as journal, pytest.raises(StorageError) as error:
        journal.add(record())
    assert error.value.message == f"cannot write the journal {path}: Not a directory"
    assert error.value.hint == ("no file is changed without a journal; name a writable folder with --journal")


def test_no_file_changes_without_a_record_of_it(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [make(f"{name}.mp3") for name in "ab"]
    original = paths[0].read_bytes()
    fail_to_write(monkeypatch, 1, n_bytes=10)
    monkeypatch.setattr("geoclass.tagging.apply._WRITERS", 1)
    with pytest.raises(StorageError):
        apply_plan(plan_tags(FakeClassifier(), paths=paths), journal=tmp_path / "journal")
    recorded = (
        {found.path for found in read_journal(tmp_path / "journal")} if (tmp_path / "journal").exists() else set()
    )
    assert {path for path in paths if path.read_bytes() != original} <= recorded


# ---- what cannot be read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"format": "else"}\n', "is not a journal"),
        (b'{"format": "geoclass/journal", "version": 9}\n', "version 9"),
        (b'{"format": "geoclass/journal"}\n', "version None"),
        (b'{"format": "geoclass/journal", "version": 1}\nnonsense\n', "line 2"),
        (b'{"format": "geoclass/journal", "version": 1}\n{"path": "x"}\n', "line 2"),
        (b'["geoclass/journal"]\n', "is not a journal"),
        (b"ID3\x04\0\0\0\0\x01\0" + bytes(100_000), "is not a journal"),
    ],
)
def test_a_journal_that_cannot_be_used(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=words):
        undo(path)


def test_whoever_names_no_journal_is_told_where_they_are(tmp_path: Path, home: Path, make) -> None:
    for path in (make("song.mp3"), tmp_path / "missing", tmp_path):
        with pytest.raises(StorageError) as error:
            undo(path)
        assert str(path) in error.value.message
        assert "`geoclass undo` without a name" in str(error.value.hint)
        assert str(home) in str(error.value.hint)


def test_a_newer_journal_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text('{"format": "geoclass/journal", "version": 2}\n')
    with pytest.raises(StorageError) as error:
        undo(tmp_path / "journal")
    assert error.value.message == f"{tmp_path / 'journal'} has version 2; this geoclass reads up to 1"
    assert error.value.hint == "upgrade with `pip install --upgrade geoclass`"


def test_a_journal_cut_short_by_a_crash(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    original = path.read_bytes()
    apply_plan(plan_tags(FakeClassifier(), paths=[path]), journal=tmp_path / "journal")
    whole = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(whole + b'{"path": "/half')
    assert [done.status for done in undo(tmp_path / "journal")] == ["restored"]
    assert path.read_bytes() == original
    for length in range(0, whole.index(b"\n"), 7):
        (tmp_path / "journal").write_bytes(whole[:length])
        assert undo(tmp_path / "journal") == []


# ---- which run is undone ----------------------------------------------------------------------------------------


def test_the_last_journal_is_the_newest_that_was_not_undone(make, home: Path) -> None:
    assert last_journal() is None
    first, second = make("a.mp3"), make("b.mp3")
    for path in (first, second):
        apply_plan(plan_tags(FakeClassifier(), paths=[path]), journal=journal_module.default_path())
    newest = last_journal()
    assert newest is not None
    assert [done.path for done in undo(newest)] == [second]
    older = last_journal()
    assert older is not None
    assert [done.path for done in undo(older)] == [first]
    assert last_journal() is None


def test_an_undo_that_failed_can_be_tried_again(make, home: Path) -> None:
    """Not marked as undone while a file is not what it was: a drive may only be unplugged."""
    here, away = make("here.mp3"), make("away.mp3")
    original = away.read_bytes()
    journal = journal_module.default_path()
    apply_plan(plan_tags(FakeClassifier(), paths=[here, away]), journal=journal)
    away.rename(away.with_suffix(".unplugged"))
    assert {done.path.name: done.status for done in undo(journal)} == {"here.mp3": "restored", "away.mp3": "failed"}
    assert last_journal() == journal
    away.with_suffix(".unplugged").rename(away)
    assert {done.path.name: done.status for done in undo(journal)} == {"here.mp3": "unchanged", "away.mp3": "restored"}
    assert last_journal() is None
    assert away.read_bytes() == original


def test_a_long_journal_is_undone_only_when_its_last_line_says_so(home: Path) -> None:
    path = journal_module.default_path()
    write(path, *("x" * 300 + f"{number}.mp3" for number in range(20)))
    assert last_journal() == path
    mark_undone(path)
    assert last_journal() is None
    with open(path, "ab") as file:  # a run that went on behind the mark
        file.write(path.read_bytes().splitlines(keepends=True)[1])
    assert last_journal() == path


def test_journals_are_named_by_their_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times_ns = [1_700_000_000_999_999_999, 1_700_000_001_000_000_000, 1_700_000_001_000_000_001]
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", iter(times_ns).__next__)
        paths = [journal_module.default_path() for _ in times_ns]
    assert paths == sorted(paths)
    assert {path.suffix for path in paths} == {".jsonl"}
    assert {path.parent for path in paths} == {home / "state" / "journals"}
    stamp, rest_ns, process = paths[0].stem[:19], *paths[0].stem[20:].split("-")
    assert datetime.strptime(stamp, "%Y-%m-%dT%H-%M-%S").timestamp() == 1_700_000_000
    assert (rest_ns, process) == ("999999999", str(os.getpid()))


def test_a_mark_does_not_hide_what_stands_before_it(tmp_path: Path) -> None:
    records = write(tmp_path / "journal", "a.mp3")
    since_s = time.time()
    mark_undone(tmp_path / "journal")
    assert list(read_journal(tmp_path / "journal")) == records
    first, mark = (tmp_path / "journal").read_bytes().splitlines(keepends=True)[1:]
    assert since_s - 2 <= datetime.fromisoformat(json.loads(mark)["undone"]).timestamp() <= time.time()
    with open(tmp_path / "journal", "ab") as file:  # a run that went on behind the mark
        file.write(first)
    assert list(read_journal(tmp_path / "journal")) == 2 * records
    with pytest.raises(StorageError, match="cannot write the journal"):
        mark_undone(tmp_path)


# ---- what the first version wrote -------------------------------------------------------------------------------

UNTAGGED = b"ID3\4\0\0\0\0\0\x20TIT2\0\0\0\6\0\0\0Title" + bytes(16) + b"\xff\xfb\x90\x64" + bytes(60)
TAGGED_SHA256 = "9574627e322d1cd2c3a4bca252775d92bc2a8c9d34d1bad05238a98323f1c4a6"
JOURNAL_1 = (
    '{"format":"geoclass/journal","version":1,"created":"2026-11-21T13:46:35+0000"}\n'
    '{"path":"PATH","old_size":106,"new_size":1226,"regions":['
    '[8,2,"a2c4aed1cf757cd9a509734a267ffc7b1166b55f4c8f9c3e3550c56e743328fc","eAFjUAAAACIAIQ=="],'
    '[26,1120,"4c3f5613320308a3dbf05c3e81bcbecb50996bc78723c6590b24747f1cd59337","eAEDAAAAAAE="]],'
    '"before":{"country":[],"country_candidates":[],"model":[]},'
    '"after":{"country":["TR"],"country_candidates":["TR 0.90; IR 0.10"],"model":["fake 1 0123abcd"]}}\n'
)


def tagged() -> bytes:
    """UNTAGGED as the first version tagged it."""
    frames = b"".join(
        b"TXXX" + bytes([0, 0, 0, len(text) + 1]) + b"\0\0\0" + text
        for text in (b"ARTISTCOUNTRY\0TR", b"GEOCLASS_COUNTRY\0TR 0.90; IR 0.10", b"GEOCLASS_MODEL\0fake 1 0123abcd")
    )
    title = UNTAGGED[10:26]
    return b"ID3\4\0\0\0\0\x09\0" + title + frames + bytes(1_152 - len(title + frames)) + UNTAGGED[-64:]


def test_a_journal_of_the_first_version_still_takes_a_run_back(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(tagged())
    assert hashlib.sha256(path.read_bytes()).hexdigest() == TAGGED_SHA256
    assert read_tags(path).values["country"] == ("TR",)
    (tmp_path / "journal").write_text(JOURNAL_1.replace("PATH", str(path)))
    assert [done.status for done in undo(tmp_path / "journal")] == ["restored"]
    assert path.read_bytes() == UNTAGGED


def test_corrections_of_the_first_version_still_hold(tmp_path: Path) -> None:
    path = tmp_path / "corrections.json"
    path.write_text(
        '{"format": "geoclass/corrections", "version": 1, "values": '
        '{"country of barış manço": ["TR"], "genre in /music/a.mp3": ["Folk", "Rock"]}}'
    )
    remembered = Corrections.load(path)
    by_artist = Tags(kind="", values={"artist": ("Barış Manço",)})
    for spelling in ("Barış Manço", " BARIŞ MANÇO ", "Baris Manco"):
        tags = Tags(kind="", values={"artist": (spelling,)})
        assert remembered.find("country", Path("/music/b.mp3"), tags) == ("TR",)
    assert remembered.find("genre", Path("/music/a.mp3"), by_artist) == ("Folk", "Rock")
    assert remembered.find("genre", Path("/music/b.mp3"), by_artist) == ()
