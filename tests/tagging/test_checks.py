"""What is checked before a copy takes a file's name: a fault in our own code must not reach the library."""

import os
from collections.abc import Callable
from pathlib import Path

import mutagen.flac
import pytest
from tagging_helpers import FakeClassifier

from geoclass.errors import TaggingError
from geoclass.tagging import apply, rewrite
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.formats.edit import Edit
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.rewrite import rewrite_file, stamp_of
from geoclass.tagging.tags import read_tags, tag_edits
from geoclass.tagging.undo import undo


def tag(path: Path, journal: Path):
    (result,) = apply_plan(plan_tags(FakeClassifier(), paths=[path]), journal=journal)
    return result


def refused(path: Path, journal: Path, words: str) -> None:
    """Tagging fails with these words, and nothing is left of it."""
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
    result = tag(path, journal)
    assert (result.status, words in result.reason) == ("failed", True), result.reason
    assert result.reason.startswith(f"{path}: ")
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert not journal.exists()  # the journal comes last, when the copy is known to be good
    assert os.listdir(path.parent) == [path.name]


# ---- mutagen reads the copy back --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (lambda changes: changes | {"country": ("GR",)}, "country"),
        (lambda changes: changes | {"genre": changes["genre"][::-1]}, "genre"),
        (lambda changes: {name: values for name, values in changes.items() if name != "model"}, "model"),
        (lambda changes: changes | {"country": (*changes["country"], "GR")}, "country"),
    ],
)
@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "wv"])
def test_what_reads_back_otherwise_is_refused(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, spoil: Callable[[dict], dict], field: str
) -> None:
    def spoiled(path: Path, file, changes, **options):
        return tag_edits(path, file, spoil(dict(changes)), **options)

    monkeypatch.setattr(apply, "tag_edits", spoiled)
    refused(make(f"music/a.{suffix}"), tmp_path / "journal", f"{field} could not be read back as written")


def test_what_does_not_read_at_all_is_refused(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("music/a.flac")
    monkeypatch.setattr(
        apply, "tag_edits", lambda _path, file, **_options: [Edit(4, file.read(8)[4:8], b"\x7f\xff\xff\xff")]
    )
    refused(path, tmp_path / "journal", "would not be readable afterwards")


def test_the_copy_is_read_not_the_file(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(apply, "read_tags", lambda path, **options: seen.append(path) or read_tags(path, **options))
    path = make("music/a.mp3")
    assert tag(path, tmp_path / "journal").status == "written"
    assert len(seen) == 1
    assert seen[0] != path


# ---- the copy is compared with what it should be ----------------------------------------------------------------


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: flipped(data, -1 % len(data)),
        lambda data: flipped(data, len(data) // 2),
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:-500] + data[-499:] + b"\0",
    ],
    ids=["last bit", "a bit in the middle", "too short", "too long", "a byte left out"],
)
def test_a_copy_that_is_not_what_it_should_be_is_refused(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[bytes], bytes]
) -> None:
    """As a drive or a memory that fails would make it; MP3 tags stand in front, mutagen sees none of this."""
    original = rewrite.copy_patched

    def spoiled(source, target, edits, *, size: int) -> None:
        original(source, target, edits, size=size)
        target.seek(0)
        data = spoil(target.read())
        target.seek(0)
        target.truncate()
        target.write(data)

    monkeypatch.setattr(rewrite, "copy_patched", spoiled)
    refused(make("music/a.mp3"), tmp_path / "journal", "the copy differs from what should have been written")


def test_edits_of_bytes_that_are_not_there_are_refused(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "tag_edits", lambda _path, _file, **_options: [Edit(100, b"never there", b"new")])
    refused(make("music/a.wav"), tmp_path / "journal", "the copy differs")


# ---- and the file is still the one that was read ----------------------------------------------------------------


@pytest.mark.parametrize("change", ["content", "time", "name"])
@pytest.mark.parametrize("moment", ["before the copy", "during the copy"])
def test_a_file_that_changed_is_left_alone(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, moment: str
) -> None:
    path = make("music/a.mp3")
    stamp = stamp_of(path)

    def meddle() -> None:
        if change == "content":
            path.write_bytes(path.read_bytes() + b"edited")
        elif change == "time":
            os.utime(path, ns=(stamp.mtime_ns, stamp.mtime_ns + 1))
        else:
            other = path.with_name("other")
            other.write_bytes(path.read_bytes())
            os.utime(other, ns=(stamp.mtime_ns, stamp.mtime_ns))
            os.replace(other, path)

    noted: list[object] = []
    if moment == "before the copy":
        meddle()
    else:
        monkeypatch.setattr(rewrite, "_keep_attributes", lambda *_arguments, **_options: meddle())
    with pytest.raises(TaggingError, match="changed by another program"):
        rewrite_file(
            path,
            lambda file: tag_edits(path, file, {"country": ("TR",)}),
            stamp=stamp,
            check=lambda _copy: None,
            before_replace=noted.append,
        )
    assert noted == []
    assert "country" not in read_tags(path).values
    assert os.listdir(path.parent) == ["a.mp3"]


# ---- undo: exact, or not at all ---------------------------------------------------------------------------------


def test_undo_knows_its_own_bytes(make, tmp_path: Path) -> None:
    """Same size, same fields, one bit of ours changed (in padding): not as the run left it, so not put back blindly."""
    path = make("a.mp3")
    tag(path, tmp_path / "journal")
    data = path.read_bytes()
    place = data.index(b"GEOCLASS_MODEL") + 40  # padding behind the frames
    assert data[place : place + 9] == bytes(9)
    path.write_bytes(flipped(data, place))
    (done,) = undo(tmp_path / "journal")
    assert done.status == "edited"
    assert read_tags(path).values == {}
    assert flipped(data, place)[place : place + 1] in path.read_bytes()


def test_undo_leaves_sound_that_was_edited_since(make, tmp_path: Path) -> None:
    """Somebody cut the recording and kept its tags: the tags go back, the new sound stays."""
    path = make("a.wav")
    tag(path, tmp_path / "journal")
    data = bytearray(path.read_bytes())
    data[1_000:1_010] = b"new sound!"
    path.write_bytes(data)
    (done,) = undo(tmp_path / "journal")
    assert done.status in ("restored", "edited")
    assert b"new sound!" in path.read_bytes()
    assert read_tags(path).values == {}


def test_undo_of_a_file_that_grew_puts_back_fields_only(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    tag(path, tmp_path / "journal")
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))  # an ID3v1 block
    (done,) = undo(tmp_path / "journal")
    assert (done.status, done.kept) == ("edited", ())
    assert read_tags(path).values == {}
    assert path.read_bytes().endswith(b"TAG" + bytes(125))


def test_undo_removes_what_a_killed_run_left(make, tmp_path: Path) -> None:
    path = make("music/a.mp3")
    tag(path, tmp_path / "journal")
    path.with_name(".geoclass-left.tmp").touch()
    undo(tmp_path / "journal")
    assert os.listdir(path.parent) == ["a.mp3"]


def test_undo_of_a_value_that_somebody_removed_keeps_it_removed(make, tmp_path: Path) -> None:
    """It was not there before the run either."""
    path = make("a.flac")
    tag(path, tmp_path / "journal")
    tags = mutagen.flac.FLAC(path)
    del tags["ARTISTCOUNTRY"]
    tags.save()
    (done,) = undo(tmp_path / "journal")
    assert (done.status, done.kept) == ("edited", ())
    assert read_tags(path).values == {}


def test_undo_of_a_file_that_cannot_be_read_says_which(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("a.mp3")
    tag(path, tmp_path / "journal")

    def failing(name: object, *arguments: object, **options: object):
        if name == path:
            raise OSError(5, "Input/output error")
        return open(name, *arguments, **options)

    monkeypatch.setattr("geoclass.tagging.undo.open", failing, raising=False)
    (done,) = undo(tmp_path / "journal")
    assert (done.status, done.reason) == ("failed", f"{path}: Input/output error")


def test_undo_twice_changes_nothing_more(make, tmp_path: Path) -> None:
    path = make("a.flac")
    tag(path, tmp_path / "journal")
    undo(tmp_path / "journal")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    assert [done.status for done in undo(tmp_path / "journal")] == ["unchanged"]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_two_runs_are_taken_back_in_any_order(make, tmp_path: Path) -> None:
    """The first run's values stand under the second's: undoing the first finds them changed, and says so."""
    path = make("a.mp3")
    original = path.read_bytes()
    tag(path, tmp_path / "one")
    other = FakeClassifier(country="GR", sure=0.9)
    other.model_id = "other 2 89abcdef"
    from geoclass.tagging.policy import Policy

    policy = Policy(overwrite=frozenset({"country"}))
    apply_plan(plan_tags(other, paths=[path], policy=policy), journal=tmp_path / "two")
    (done,) = undo(tmp_path / "one")
    assert (done.status, set(done.kept)) == ("edited", {"country", "country_candidates", "model"})
    assert read_tags(path).values["country"] == ("GR",)
    assert "genre" not in read_tags(path).values  # the second run kept it, and so it is the first one's still
    path.write_bytes(original)
    tag(path, tmp_path / "three")
    apply_plan(plan_tags(other, paths=[path], policy=policy), journal=tmp_path / "four")
    assert [done.status for done in undo(tmp_path / "four")] == ["restored"]
    assert [done.status for done in undo(tmp_path / "three")] == ["restored"]
    assert path.read_bytes() == original
