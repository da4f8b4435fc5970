"""What files say of themselves: each is read once, and the notes of earlier runs are told from what people wrote."""

import os
from pathlib import Path

import mutagen.id3
import pytest
from tagging_helpers import FakeClassifier

from geoclass.tagging import entries
from geoclass.tagging.entries import (
    KeptEntries,
    genre_name,
    genre_of_label,
    is_ours,
    parse_provenance,
    provenance,
    read_entries,
)
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import Tags, read_tags


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A file that is nothing but an ID3 tag and two frames of an MP3."""
    path = tmp_path / "a.mp3"
    path.write_bytes((b"\xff\xfb\x90\x64" + bytes(413)) * 2)
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TPE1(encoding=3, text=["Selda"]))
    tags.save(path)
    return path


# ---- files ------------------------------------------------------------------------------------------------------


def test_an_entry_knows_its_file(song: Path) -> None:
    (found,) = read_entries([str(song)])
    status = os.stat(song)
    assert (found.path, found.target, found.index, found.error) == (song, song, 0, None)
    assert found.tags.values == {"artist": ("Selda",)}
    assert found.stamp is not None
    assert (found.stamp.size, found.stamp.mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert (found.stamp.device, found.stamp.inode) == (status.st_dev, status.st_ino)
    assert (found.prediction, found.opinions, found.verdict, found.settled, found.dissent) == (
        None,
        [],
        None,
        False,
        "",
    )


def test_a_file_is_read_once_whatever_leads_to_it(song: Path, tmp_path: Path) -> None:
    link, hard, other = tmp_path / "link.mp3", tmp_path / "hard.mp3", tmp_path / "other.mp3"
    link.symlink_to(song)
    hard.hardlink_to(song)
    other.write_bytes(song.read_bytes())
    found = list(read_entries([link, song, link, hard, other]))
    assert [(entry.path, entry.target, entry.index) for entry in found] == [
        (link, song, 0),
        (hard, hard, 1),
        (other, other, 2),
    ]


def test_what_cannot_be_read_says_why_and_the_rest_goes_on(song: Path, tmp_path: Path) -> None:
    empty, text, loop = tmp_path / "empty.mp3", tmp_path / "text.flac", tmp_path / "loop.mp3"
    empty.touch()
    text.write_text("once upon a time")
    loop.symlink_to(loop)
    paths = [tmp_path / "missing.mp3", empty, text, tmp_path, loop, song]
    found = list(read_entries(paths))
    assert [entry.path for entry in found] == paths
    assert [entry.index for entry in found] == list(range(6))
    messages = [entry.error.message if entry.error else "" for entry in found]
    assert messages[0] == f"{paths[0]}: No such file or directory"
    assert messages[1] == f"{empty}: the file is empty"
    assert messages[2] == f"{text}: not a format whose tags geoclass can write"
    assert messages[3] == f"{tmp_path}: not a regular file"
    assert messages[4].startswith(f"{loop}: ")
    assert messages[4] != f"{loop}: None"
    assert messages[5] == ""
    for entry in found[:5]:
        assert (entry.target, entry.tags.kind, entry.tags.values) == (entry.path, "", {})
    assert [entry.stamp is not None for entry in found] == [False, True, True, False, False, True]


# ---- entries that are kept --------------------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose tags are read."""
    found: list[Path] = []
    monkeypatch.setattr(entries, "read_tags", lambda path: found.append(path) or read_tags(path))
    return found


def kept_of(paths: list[Path], **options: int) -> KeptEntries:
    kept = KeptEntries(**options)
    for entry in read_entries(paths):
        kept.add(entry)
    return kept


def test_a_plan_with_a_vote_reads_each_file_once(song: Path, tmp_path: Path, reads: list[Path]) -> None:
    other, broken = tmp_path / "b.mp3", tmp_path / "c.mp3"
    other.write_bytes(song.read_bytes())
    broken.touch()
    plan = list(plan_tags(FakeClassifier(), paths=[song, other, broken], policy=Policy(vote="artist")))
    assert [file.status for file in plan] == ["planned", "planned", "failed"]
    assert (reads.count(song), reads.count(other)) == (1, 1)


def test_a_kept_entry_is_that_of_the_file_and_taken_once(song: Path, reads: list[Path]) -> None:
    kept = kept_of([song])
    (found,) = read_entries([song], kept=kept)
    assert (found.tags, reads) == (read_tags(song), [song])
    (found,) = read_entries([song], kept=kept)
    assert (found.tags, reads) == (read_tags(song), [song, song])


@pytest.mark.parametrize("change", ["size", "time", "name"])
def test_tags_of_a_file_that_changed_are_read_again(song: Path, tmp_path: Path, change: str) -> None:
    kept, was = kept_of([song]), os.stat(song)
    data = song.read_bytes().replace(b"Selda", b"Baris")
    if change == "name":
        (tmp_path / "new").write_bytes(data)
        os.utime(tmp_path / "new", ns=(was.st_mtime_ns, was.st_mtime_ns))
        os.replace(tmp_path / "new", song)
    else:
        song.write_bytes(data + b"." * (change == "size"))
        os.utime(song, ns=(was.st_mtime_ns, was.st_mtime_ns + (change == "time")))
    (found,) = read_entries([song], kept=kept)
    assert found.tags == read_tags(song)
    assert found.tags.values != {"artist": ("Selda",)}


def test_few_entries_with_short_tags_are_kept(song: Path, tmp_path: Path, reads: list[Path]) -> None:
    wordy, broken, others = tmp_path / "wordy.mp3", tmp_path / "broken.mp3", [tmp_path / f"{n}.mp3" for n in range(3)]
    for path in (wordy, *others):
        path.write_bytes(song.read_bytes())
    tags = mutagen.id3.ID3(wordy)
    tags.add(mutagen.id3.USLT(encoding=3, text="la " * 1_000))
    tags.save(wordy)
    broken.touch()
    kept = kept_of([wordy, broken, *others], most=2)
    reads.clear()
    assert len(list(read_entries([wordy, broken, *others], kept=kept))) == 5
    assert reads == [wordy, broken, others[2]]


# ---- notes ------------------------------------------------------------------------------------------------------


def test_three_candidates_are_noted_or_as_many_as_are_written() -> None:
    said = [("TR", 0.62), ("IR", 0.11), ("GR", 0.051), ("US", 0.049), ("FR", 0.01)]
    assert provenance(said) == "TR 0.62; IR 0.11; GR 0.05"
    assert provenance(said, n=1) == "TR 0.62; IR 0.11; GR 0.05"
    assert provenance(said, n=4) == "TR 0.62; IR 0.11; GR 0.05; US 0.05"
    assert provenance(iter(said[:1])) == "TR 0.62"
    assert provenance([]) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TR 0.62; IR 0.11", (("TR", 0.62), ("IR", 0.11))),
        ("Hip-Hop Rap 1.00", (("Hip-Hop Rap", 1.0),)),
        ("TR 0.62;IR 0.11 ", (("TR", 0.62), ("IR", 0.11))),
        ("TR 0.62; IR", ()),
        ("TR 0.6", ()),
        ("TR 2.00", ()),
        ("TR 0.621", ()),
        ("0.62", ()),
        ("", ()),
    ],
)
def test_notes_are_read_as_they_were_written_or_not_at_all(text: str, expected: tuple) -> None:
    assert parse_provenance(text) == expected


@pytest.mark.parametrize(
    ("values", "noted", "ours"),
    [
        (("TR",), ("TR 0.62; IR 0.11",), True),
        (("IR",), ("TR 0.62; IR 0.11",), False),  # somebody chose the second
        (("GR",), ("TR 0.62; IR 0.11",), False),
        (("TR", "GR"), ("TR 0.62; IR 0.11",), False),  # somebody added one
        (("TR", "IR"), ("TR 0.62; IR 0.61",), True),
        (("IR", "TR"), ("TR 0.62", "IR 0.61"), True),
        (("TR",), (), False),
        (("TR",), ("by hand",), False),
        ((), ("TR 0.62",), False),
    ],
)
def test_a_value_is_ours_when_the_note_says_so(values: tuple[str, ...], noted: tuple[str, ...], ours: bool) -> None:
    assert is_ours(Tags(kind="mp3", values={"country": values, "country_candidates": noted}), "country") is ours
    assert is_ours(Tags(kind="mp3", values={"genre": values, "country_candidates": noted}), "genre") is False


# ---- genres -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Folk", "Folk"),
        ("Hip-Hop / Rap", "Hip-Hop Rap"),
        ("a,b;c/d\\e\0f", "a b c d e f"),
        ("  Drum  and   Bass ", "Drum and Bass"),
        (";", ""),
    ],
)
def test_a_genre_has_no_character_at_which_players_split(label: str, name: str) -> None:
    assert genre_name(label) == name


@pytest.mark.parametrize(
    ("label", "genre"),
    [
        ("jazz", "Jazz"),
        ("hiphop", "Hip-Hop"),
        ("drum and bass", "Drum and bass"),
        ("R&B", "R&B"),
        ("EDM", "EDM"),
        ("Hip-Hop / Rap", "Hip-Hop Rap"),
        ("blues/rock", "Blues rock"),
    ],
)
def test_a_label_becomes_a_genre_as_players_show_it(label: str, genre: str) -> None:
    assert genre_of_label(label) == genre
