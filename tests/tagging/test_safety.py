"""Whatever happens, a file is the old one or the new one, and the way back stays open."""

import os
import shutil
import signal
import sys
import tempfile
import threading
import types
from pathlib import Path

import mutagen.id3
import pytest
from tagging_helpers import FakeClassifier

from geoclass.errors import StorageError, TaggingError
from geoclass.library.scan import sound_files
from geoclass.storage import try_lock
from geoclass.tagging import apply, record, rewrite
from geoclass.tagging import journal as journal_module
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.formats import edit as splice
from geoclass.tagging.lock import only_run
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.tags import read_tags
from geoclass.tagging.undo import undo

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def tag(paths: list[Path], journal: Path):
    return apply_plan(plan_tags(FakeClassifier(), paths=paths), journal=journal)


def temporary_files(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".geoclass-")]


# ---- killed -----------------------------------------------------------------------------------------------------


def run_until(step: int, paths: list[Path], journal: Path) -> bool:
    """Tag in a child process that is killed at its `step`-th line of our code; False when it ended before."""
    child = os.fork()
    if child == 0:
        code = {module.__file__ for module in (apply, journal_module, record, rewrite, splice)}
        steps = 0

        def trace(frame, event, _argument):
            nonlocal steps
            if frame.f_code.co_filename not in code:
                return None
            if event == "line":
                steps += 1
                if steps >= step:  # two threads may count at once
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        threading.settrace(trace)
        sys.settrace(trace)
        try:
            tag(paths, journal)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.fixture
def memory_disk(tmp_path: Path):
    """A folder where hundreds of fsyncs cost nothing, if there is one."""
    root = Path("/dev/shm")
    if not os.access(root, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("suffix", "stride"),
    [
        ("mp3", 11),
        pytest.param("mp3", 1, marks=pytest.mark.slow),
        pytest.param("m4a", 1, marks=pytest.mark.slow),
    ],
)
def test_killed_at_every_step(sounds, memory_disk: Path, suffix: str, stride: int) -> None:
    tmp_path, folder = memory_disk, memory_disk / "library"
    folder.mkdir()
    paths = [folder / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        path.write_bytes(sounds[suffix])
    old = [path.read_bytes() for path in paths]
    tag(paths, tmp_path / "reference")
    new = [path.read_bytes() for path in paths]
    undo(tmp_path / "reference")
    step, states = 0, set()
    while True:
        step += stride
        first, second = tmp_path / f"{step}-first", tmp_path / f"{step}-second"
        killed = run_until(step, paths, first)
        found = [path.read_bytes() for path in paths]
        for index in range(len(paths)):
            assert found[index] in (old[index], new[index]), f"half a file after step {step}"
        states.add(tuple(found[index] == new[index] for index in range(len(paths))))
        tag(paths, second)  # the next run
        assert temporary_files(folder) == [], f"after step {step}"
        assert [path.read_bytes() for path in paths] == new
        for used in (second, first):
            if used.exists():
                undo(used)
        assert [path.read_bytes() for path in paths] == old, f"not undone after step {step}"
        if not killed:
            break
    assert step > 100  # the trace saw our code
    assert {(False, False), (True, True)} <= states  # killed before, and after, the change


# ---- what may not be changed ------------------------------------------------------------------------------------


def test_a_file_edited_between_plan_and_write_is_left_alone(make, tmp_path: Path) -> None:
    changed, other = make("a.mp3"), make("b.mp3")
    plan = list(plan_tags(FakeClassifier(), paths=[changed, other]))
    changed.write_bytes(changed.read_bytes() + b"edited")
    results = apply_plan(plan, journal=tmp_path / "journal")
    assert [result.status for result in results] == ["failed", "written"]
    assert "changed by another program" in results[0].reason
    assert changed.read_bytes().endswith(b"edited")


def test_a_file_replaced_while_the_copy_is_made(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("a.mp3")
    original = shutil.copystat

    def replace_meanwhile(source: Path, target: Path) -> None:
        original(source, target)
        other = tmp_path / "other"
        other.write_bytes(b"another file")
        os.replace(other, path)

    monkeypatch.setattr(rewrite.shutil, "copystat", replace_meanwhile)
    (result,) = tag([path], tmp_path / "journal")
    assert result.status == "failed"
    assert path.read_bytes() == b"another file"
    assert temporary_files(tmp_path) == []


def test_hard_links_are_not_parted(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    os.link(path, tmp_path / "b.mp3")
    for result in tag([path, tmp_path / "b.mp3"], tmp_path / "journal"):
        assert (result.status, "2 hard links" in result.reason) == ("failed", True)
        assert result.hint
    assert (tmp_path / "b.mp3").samefile(path)


def test_links_are_followed_once(make, tmp_path: Path) -> None:
    path = make("real/a.mp3")
    link = tmp_path / "link.mp3"
    link.symlink_to(path)
    results = tag([link, path, link], tmp_path / "journal")
    assert [result.status for result in results] == ["written"]
    assert link.is_symlink()
    assert read_tags(path).values["country"] == ("TR",)


def test_a_loop_of_links_is_reported(tmp_path: Path) -> None:
    loop = tmp_path / "loop.mp3"
    loop.symlink_to(loop)
    (result,) = tag([loop], tmp_path / "journal")
    assert result.status == "failed"


def test_a_loop_of_folders_ends(make, tmp_path: Path) -> None:
    path = make("library/a.mp3")
    (tmp_path / "library" / "again").symlink_to(tmp_path / "library")
    assert list(sound_files([tmp_path / "library"])) == [path]


def test_a_read_only_file(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    path.chmod(0o444)
    (result,) = tag([path], tmp_path / "journal")
    assert (result.status, result.reason) == ("failed", f"{path}: the file is read-only")


@pytest.mark.skipif(AS_ROOT, reason="root writes into read-only folders")
def test_a_read_only_folder(make, tmp_path: Path) -> None:
    path = make("locked/a.mp3")
    path.parent.chmod(0o555)
    try:
        (result,) = tag([path], tmp_path / "journal")
    finally:
        path.parent.chmod(0o755)
    assert result.status == "failed"


def test_odd_inputs_fail_one_by_one(make, tmp_path: Path) -> None:
    good = make("good.mp3")
    (tmp_path / "folder.mp3").mkdir()
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "picture.wav").write_bytes(b"\xff\xd8\xff\xe0 JPEG")
    odd = [tmp_path / name for name in ("folder.mp3", "pipe.mp3", "empty.mp3", "picture.wav", "missing.mp3")]
    results = tag([*odd, good], tmp_path / "journal")
    assert [result.status for result in results] == ["failed"] * 5 + ["written"]
    reasons = [result.reason for result in results[:5]]
    for reason, words in zip(
        reasons, ("regular file", "regular file", "empty", "not a format", "No such file"), strict=True
    ):
        assert words in reason


def test_a_folder_that_vanishes(make, tmp_path: Path) -> None:
    gone, stays = make("gone/a.mp3"), make("stays/b.mp3")
    plan = list(plan_tags(FakeClassifier(), paths=[gone, stays]))
    shutil.rmtree(gone.parent)
    assert [result.status for result in apply_plan(plan, journal=tmp_path / "journal")] == ["failed", "written"]


def test_names_that_are_not_utf8_and_long_paths(make, sounds, tmp_path: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp3"))
    deep = tmp_path.joinpath(*["x" * 100] * 3)
    deep.mkdir(parents=True)
    long = deep / ("y" * 251 + ".mp3")
    for path in (strange, long):
        path.write_bytes(sounds["mp3"])
    assert [result.status for result in tag([strange, long], tmp_path / "journal")] == ["written", "written"]
    assert [done.status for done in undo(tmp_path / "journal")] == ["restored", "restored"]
    assert strange.read_bytes() == long.read_bytes() == sounds["mp3"]


# ---- what is kept -----------------------------------------------------------------------------------------------


def test_mode_times_and_attributes_are_kept(make, tmp_path: Path) -> None:
    path = make("a.flac")
    path.chmod(0o640)
    os.utime(path, ns=(1_000_000_000, 2_000_000_000))
    try:
        os.setxattr(path, "user.mood", b"calm")
    except (OSError, AttributeError):
        attributes = []
    else:
        attributes = ["user.mood"]
    tag([path], tmp_path / "journal")
    found = path.stat()
    assert (found.st_mode & 0o777, found.st_mtime_ns) == (0o640, 2_000_000_000)
    if attributes:
        assert os.getxattr(path, "user.mood") == b"calm"


@pytest.mark.skipif(not AS_ROOT, reason="only root gives files away")
def test_the_owner_is_kept(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    os.chown(path, 1_234, 2_345)
    path.chmod(0o4755)
    tag([path], tmp_path / "journal")
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o7777) == (1_234, 2_345, 0o4755)


def test_touch_gives_a_new_time(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    os.utime(path, ns=(0, 0))
    apply_plan(plan_tags(FakeClassifier(), paths=[path]), journal=tmp_path / "journal", touch=True)
    assert path.stat().st_mtime_ns > 0


# ---- failing disks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["os.fsync", "os.replace", "shutil.copystat"])
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_call_that_fails_costs_one_file(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, turn: int
) -> None:
    paths = [make(f"library/{name}.mp3") for name in "abcd"]
    old = [path.read_bytes() for path in paths]
    owner, name = (os if call.startswith("os") else shutil), call.split(".")[1]
    original, calls, lock = getattr(owner, name), 0, threading.Lock()

    def failing(*arguments, **options):
        nonlocal calls
        with lock:
            calls += 1
            mine = calls
        if mine == turn:
            raise OSError(28, "No space left on device")
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, failing)
    try:
        results = tag(paths, tmp_path / "journal")
    except StorageError:  # it hit the journal
        results = []
    monkeypatch.undo()
    assert temporary_files(paths[0].parent) == []
    for result in results:
        assert (result.status == "failed") == (read_tags(result.path).values == {})
    if (tmp_path / "journal").exists():
        undo(tmp_path / "journal")
    assert [path.read_bytes() for path in paths] == old


def test_a_full_disk(small_disk: Path, sounds, tmp_path: Path) -> None:
    path = small_disk / "a.wav"
    path.write_bytes(sounds["wav"])
    (small_disk / "ballast").write_bytes(bytes(180 * 2**10))
    (result,) = tag([path], tmp_path / "journal")
    assert (result.status, "space" in result.reason) == ("failed", True)
    assert path.read_bytes() == sounds["wav"]
    assert temporary_files(small_disk) == []
    (small_disk / "ballast").unlink()
    assert tag([path], tmp_path / "journal2")[0].status == "written"


def test_a_full_disk_under_the_journal(small_disk: Path, make) -> None:
    path = make("a.mp3")
    original = path.read_bytes()
    (small_disk / "ballast").write_bytes(bytes(256 * 2**10))
    with pytest.raises(StorageError, match="journal"):
        tag([path], small_disk / "journal")
    assert path.read_bytes() == original


# ---- one run at a time, and the way back ------------------------------------------------------------------------


def test_a_second_run_is_refused() -> None:
    with only_run(), pytest.raises(TaggingError) as error, only_run():
        pass
    assert error.value.message == f"another geoclass run (process {os.getpid()}) is changing tags"
    assert error.value.hint == "wait until it is done, or stop it with Ctrl-C; what it has finished is kept"
    with only_run():
        pass


def test_the_lock_names_its_run_only(home: Path) -> None:
    lock = home / "state" / "tag.lock"
    lock.parent.mkdir()
    lock.write_text("a longer line of an earlier run\n")
    with only_run():
        assert lock.read_text() == f"{os.getpid()}\n"


def test_a_lock_without_a_name(home: Path) -> None:
    """As it is for a moment between taking the lock and writing the name."""
    with only_run():
        os.truncate(home / "state" / "tag.lock", 0)
        with pytest.raises(TaggingError, match=r"\(process unknown\)"), only_run():
            pass


def test_locks_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far behind every content, for others cannot read there; where the file is read and written does not change."""
    calls: list[tuple[int, int, int]] = []

    def locking(descriptor: int, mode: int, n_bytes: int) -> None:
        calls.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, n_bytes))
        if len(calls) > 1:
            raise OSError(36, "Resource deadlock avoided")

    windows = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    with open(tmp_path / "file", "w+b") as file:
        file.write(b"0123456789")
        file.seek(3)
        assert try_lock(file.fileno())
        assert file.tell() == os.lseek(file.fileno(), 0, os.SEEK_CUR)
        assert not try_lock(file.fileno())
    assert [(mode, n_bytes) for _, mode, n_bytes in calls] == [(2, 1), (2, 1)]
    assert all(place >= 2**40 for place, _, _ in calls)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_lock_dies_with_its_run() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with only_run():
            os.write(writer, b"held")
            signal.pause()
    assert os.read(reader, 4) == b"held"
    with pytest.raises(TaggingError, match=str(child)), only_run():
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with only_run():
        pass


def test_errors_of_a_run_are_not_those_of_its_lock() -> None:
    with pytest.raises(BrokenPipeError), only_run():
        raise BrokenPipeError


def test_a_user_folder_that_cannot_be_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").touch()
    monkeypatch.setenv("GEOCLASS_HOME", str(home / "file"))
    with pytest.raises(StorageError, match="cannot make the lock") as error, only_run():
        pass
    assert error.value.hint == "set GEOCLASS_HOME to a folder that you may write to"


def test_a_living_copy_is_not_swept(make) -> None:
    path = make("library/a.mp3")
    with rewrite._Copy(path) as copy:
        rewrite.sweep(path.parent)
        assert copy.path.exists()
    left = path.parent / ".geoclass-left.tmp"
    left.touch()
    rewrite.sweep(path.parent)
    assert not left.exists()


def test_undo_leaves_later_edits_alone(make, tmp_path: Path) -> None:
    edited, untouched = make("a.mp3"), make("b.mp3")
    original = untouched.read_bytes()
    tag([edited, untouched], tmp_path / "journal")
    tags = mutagen.id3.ID3(edited)
    tags.add(mutagen.id3.TCON(encoding=3, text=["Türkü"]))
    tags.add(mutagen.id3.TIT2(encoding=3, text=["New title"]))
    tags.save()
    results = {done.path.name: done for done in undo(tmp_path / "journal")}
    assert (results["a.mp3"].status, results["a.mp3"].kept) == ("edited", ("genre",))
    assert read_tags(edited).values == {"genre": ("Türkü",), "title": ("New title",)}
    assert mutagen.id3.ID3(edited)["TIT2"].text == ["New title"]
    assert untouched.read_bytes() == original


def test_undo_of_files_that_are_gone(make, tmp_path: Path) -> None:
    gone, stays = make("a.mp3"), make("b.mp3")
    original = stays.read_bytes()
    tag([gone, stays], tmp_path / "journal")
    gone.unlink()
    assert {done.path: done.status for done in undo(tmp_path / "journal")} == {stays: "restored", gone: "failed"}
    assert stays.read_bytes() == original
