"""Plans carried out: what is written is what was planned, the journal has what was there, a failure is one file's."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import mutagen.apev2
import mutagen.id3
import pytest

from geoclass.errors import TaggingError
from geoclass.tagging import apply
from geoclass.tagging.apply import apply_plan, iter_apply
from geoclass.tagging.decide import FilePlan
from geoclass.tagging.journal import read_journal
from geoclass.tagging.plan import Plan
from geoclass.tagging.rewrite import stamp_of
from geoclass.tagging.tags import read_tags

FRAMES = (b"\xff\xfb\x90\x64" + bytes(413)) * 2  # of an MP3
ADTS = (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(10)) * 4  # frames of AAC: nothing but the suffix tells what they are


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write(tmp_path / "music" / "a.mp3")


def write(path: Path, *, country: str = "", version: int = 4) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(FRAMES)
    if country:
        tags = mutagen.id3.ID3()
        tags.add(mutagen.id3.TXXX(encoding=3, desc="ARTISTCOUNTRY", text=[country]))
        tags.save(path, v2_version=version)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def planned(path: Path, *, status: str = "planned", **changes: tuple[str, ...]) -> FilePlan:
    before = read_tags(path).values if path.suffix == ".mp3" and path.read_bytes()[:3] == b"ID3" else {}
    return FilePlan(
        path=path,
        target=path,
        status=status,
        changes=changes or {"country": ("TR",)},
        before=before,
        stamp=stamp_of(path),
    )


def country(path: Path) -> tuple[str, ...]:
    """By mutagen."""
    return tuple(mutagen.id3.ID3(path)["TXXX:ARTISTCOUNTRY"].text)


# ---- what is written --------------------------------------------------------------------------------------------


def test_what_was_planned_is_written_and_the_rest_of_the_plan_stays(song: Path, tmp_path: Path) -> None:
    plan = planned(song, country=("TR",), model=("fake 1",))
    (found,) = apply_plan([plan], journal=tmp_path / "journal")
    assert found == FilePlan(**(vars(plan) | {"status": "written"}))
    assert country(song) == ("TR",)
    assert mutagen.id3.ID3(song)["TXXX:GEOCLASS_MODEL"].text == ["fake 1"]
    assert song.read_bytes().endswith(FRAMES)


@pytest.mark.parametrize("status", ["unchanged", "abstained", "failed"])
def test_only_what_is_planned_is_written(song: Path, tmp_path: Path, status: str) -> None:
    plan = planned(song, status=status)
    assert apply_plan([plan], journal=tmp_path / "journal") == [plan]
    assert song.read_bytes() == FRAMES
    assert not (tmp_path / "journal").exists()


def test_a_file_that_has_it_already_is_unchanged(tmp_path: Path) -> None:
    song = write(tmp_path / "music" / "a.mp3")
    apply_plan([planned(song)], journal=tmp_path / "first")
    before = (song.read_bytes(), song.stat().st_mtime_ns, song.stat().st_ino)
    (found,) = apply_plan([planned(song)], journal=tmp_path / "second")
    assert found.status == "unchanged"
    assert (song.read_bytes(), song.stat().st_mtime_ns, song.stat().st_ino) == before
    assert not (tmp_path / "second").exists()


def test_files_come_back_in_the_order_of_the_plan(tmp_path: Path) -> None:
    songs = [write(tmp_path / "music" / f"{number}.mp3") for number in range(12)]
    plans = [planned(song, status="planned" if number % 3 else "abstained") for number, song in enumerate(songs)]
    found = apply_plan(iter(plans), journal=tmp_path / "journal")
    assert [file.path for file in found] == songs
    assert [file.status for file in found] == ["abstained", "written", "written"] * 4


@pytest.mark.parametrize(("asked", "found"), [(None, 4), (3, 3), (4, 4)])
def test_new_tags_have_the_version_that_was_asked_for(
    song: Path, tmp_path: Path, asked: int | None, found: int
) -> None:
    apply_plan([planned(song)], journal=tmp_path / "journal", id3_version=asked)
    assert song.read_bytes()[:4] == b"ID3" + bytes([found])


@pytest.mark.parametrize(("there", "asked", "found"), [(3, None, 3), (4, None, 4), (3, 4, 4), (4, 3, 3)])
def test_tags_keep_their_version_unless_another_is_asked_for(
    tmp_path: Path, there: int, asked: int | None, found: int
) -> None:
    song = write(tmp_path / "music" / "a.mp3", country="GR", version=there)
    (file,) = iter_apply([planned(song)], journal=tmp_path / "journal", id3_version=asked)
    assert file.status == "written"
    assert song.read_bytes()[:4] == b"ID3" + bytes([found])
    assert country(song) == ("TR",)


@pytest.mark.parametrize("run", [apply_plan, iter_apply])
def test_times_are_kept_unless_new_ones_are_asked_for(tmp_path: Path, run) -> None:
    for number, (options, is_new) in enumerate([({}, False), ({"touch": False}, False), ({"touch": True}, True)]):
        song = write(tmp_path / "music" / f"{number}.mp3")
        list(run([planned(song)], journal=tmp_path / f"journal {number}", **options))
        assert country(song) == ("TR",)
        assert (abs(song.stat().st_mtime - time.time()) < 3_600) is is_new
        assert is_new or song.stat().st_mtime == 1_000_000_000


def test_what_only_the_suffix_tells_is_read_back_as_such(tmp_path: Path) -> None:
    """The copy that is checked has another suffix for the time being."""
    path = tmp_path / "a.aac"
    path.write_bytes(ADTS)
    (found,) = apply_plan([planned(path)], journal=tmp_path / "journal")
    assert (found.status, found.reason) == ("written", "")
    assert country(path) == ("TR",)
    (found,) = apply_plan([planned(path, country=())], journal=tmp_path / "second")
    assert (found.status, found.reason) == ("written", ""), "without its tag, only the suffix tells"


def test_a_format_without_any_signature_is_read_back(tmp_path: Path) -> None:
    """Musepack before version 7; its tag stands at the end."""
    path = tmp_path / "a.mpc"
    path.write_bytes(b"\x25\x02\x10\x20" * 100)
    (found,) = apply_plan([planned(path)], journal=tmp_path / "journal")
    assert (found.status, found.reason) == ("written", "")
    assert str(mutagen.apev2.APEv2(path)["ARTISTCOUNTRY"]) == "TR"


# ---- the journal ------------------------------------------------------------------------------------------------


def test_the_journal_has_what_was_there_and_what_took_its_place(tmp_path: Path) -> None:
    song = write(tmp_path / "music" / "a.mp3", country="GR")
    size = song.stat().st_size
    apply_plan([planned(song, country=("TR",), genre=("Folk", "Rock"))], journal=tmp_path / "journal")
    (record,) = read_journal(tmp_path / "journal")
    assert record.path == song
    assert (record.old_size, record.new_size) == (size, song.stat().st_size)
    assert record.before == {"country": ("GR",), "genre": ()}
    assert record.after == {"country": ("TR",), "genre": ("Folk", "Rock")}
    new = song.read_bytes()
    for region in reversed(record.regions):
        new = new[: region.offset] + region.old + new[region.offset + region.length :]
    assert new == write(tmp_path / "music" / "same.mp3", country="GR").read_bytes(), "the way back is exact"


# ---- what fails -------------------------------------------------------------------------------------------------


def test_a_failure_is_one_files_and_says_why_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    songs = [write(tmp_path / "music" / f"{name}.mp3") for name in "abc"]
    original = apply.tag_edits

    def failing(path: Path, file, changes, **options):
        if path == songs[1]:
            raise TaggingError(f"{path}: the dog ate it", hint="feed the dog")
        return original(path, file, changes, **options)

    monkeypatch.setattr(apply, "tag_edits", failing)
    found = apply_plan(map(planned, songs), journal=tmp_path / "journal")
    assert [file.status for file in found] == ["written", "failed", "written"]
    assert (found[1].reason, found[1].hint) == (f"{songs[1]}: the dog ate it", "feed the dog")
    assert (found[1].path, found[1].changes) == (songs[1], {"country": ("TR",)})
    assert songs[1].read_bytes() == FRAMES
    assert {record.path for record in read_journal(tmp_path / "journal")} == {songs[0], songs[2]}


def test_a_plan_without_a_stamp_is_not_carried_out(song: Path, tmp_path: Path) -> None:
    plan = FilePlan(path=song, target=song, status="planned", changes={"country": ("TR",)})
    (found,) = apply_plan([plan], journal=tmp_path / "journal")
    assert (found.status, found.reason) == ("failed", f"{song}: planned without a stamp")
    assert song.read_bytes() == FRAMES


def test_a_file_that_changed_since_it_was_planned_fails(song: Path, tmp_path: Path) -> None:
    plan = planned(song)
    os.utime(song, (1_000_000_001, 1_000_000_001))
    (found,) = apply_plan([plan], journal=tmp_path / "journal")
    assert (found.status, song.read_bytes()) == ("failed", FRAMES)
    assert "changed by another program" in found.reason


def test_every_field_that_would_not_read_back_is_named(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = apply.tag_edits
    monkeypatch.setattr(
        apply, "tag_edits", lambda path, file, changes, **options: original(path, file, {"genre": ("Folk",)}, **options)
    )
    plan = planned(song, country=("TR",), genre=("Folk",), model=("fake 1",))
    (found,) = apply_plan([plan], journal=tmp_path / "journal")
    assert found.status == "failed"
    assert found.reason == f"{song}: country, model could not be read back as written; nothing was changed"
    assert song.read_bytes() == FRAMES


def test_a_copy_that_cannot_be_read_names_the_file_not_the_copy(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(copy: Path, **_options: object):
        raise TaggingError(f"{copy}: damaged")

    monkeypatch.setattr(apply, "read_tags", unreadable)
    plan = FilePlan(path=song, target=song, status="planned", changes={"country": ("TR",)}, stamp=stamp_of(song))
    (found,) = apply_plan([plan], journal=tmp_path / "journal")
    assert found.reason == f"{song}: the tags would not be readable afterwards; nothing was changed"
    assert song.read_bytes() == FRAMES


# ---- the run ----------------------------------------------------------------------------------------------------


def test_what_a_killed_run_left_is_swept_before_the_first_file_of_each_folder(tmp_path: Path) -> None:
    songs = [write(tmp_path / folder / f"{name}.mp3") for folder in ("one", "two") for name in "ab"]
    for folder in ("one", "two"):
        (tmp_path / folder / ".geoclass-left.tmp").touch()
    run = iter_apply(map(planned, songs), journal=tmp_path / "journal")
    next(run)
    assert sorted(os.listdir(tmp_path / "one"))[0] != ".geoclass-left.tmp"
    assert [file.status for file in run] == ["written"] * 3
    assert {name for folder in ("one", "two") for name in os.listdir(tmp_path / folder)} == {"a.mp3", "b.mp3"}


def test_a_folder_is_swept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[Path] = []
    monkeypatch.setattr(apply, "sweep", swept.append)
    songs = [write(tmp_path / folder / f"{name}.mp3") for name in "ab" for folder in ("one", "two")]
    apply_plan(map(planned, songs), journal=tmp_path / "journal")
    assert swept == [tmp_path / "one", tmp_path / "two"]


def test_files_are_written_while_later_ones_are_being_planned(tmp_path: Path) -> None:
    """Neither the whole plan first, nor many more than are wanted."""
    asked: list[int] = []

    def plans() -> Iterator[FilePlan]:
        for number in range(20):
            asked.append(number)
            yield planned(write(tmp_path / "music" / f"{number:02d}.mp3"))

    run = iter_apply(plans(), journal=tmp_path / "journal")
    for number, file in enumerate(run):
        assert country(file.path) == ("TR",)
        assert len(asked) <= number + 2 * 2 + 1  # two under way and two that wait, beside the one given out


def test_a_run_that_is_left_asks_the_model_no_more(tmp_path: Path) -> None:
    closed: list[bool] = []

    def plans() -> Iterator[FilePlan]:
        try:
            for number in range(20):
                yield planned(write(tmp_path / "music" / f"{number}.mp3"))
        finally:
            closed.append(True)

    plan = Plan(plans())
    run = iter_apply(plan, journal=tmp_path / "journal")
    next(run)
    run.close()
    assert closed == [True]
    assert len(list(plan)) < 20
