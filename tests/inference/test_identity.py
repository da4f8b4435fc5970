"""The identity of a sound: tags, names and places change nothing, one changed byte of sound changes it."""

import random
import shutil
from pathlib import Path

import pytest
from tagging_helpers import SUFFIXES, encode

from geoclass.audio.identity import sound_id
from geoclass.errors import AudioError
from geoclass.tagging.formats.edit import copy_patched
from geoclass.tagging.tags import read_tags, tag_edits


@pytest.fixture(params=SUFFIXES)
def sound(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"song.{request.param}"
    path.write_bytes(encode(request.param, seconds=2.0))
    return path


def tag_by_mutagen(path: Path, *, note: str) -> None:
    """Set a text, long enough to move everything behind it, with the program that most taggers are made of."""
    import mutagen

    if path.suffix in (".tak", ".ofr"):  # synthesized: their sound is none, which APEv2 does not look at
        from mutagen.apev2 import APEv2

        tags = APEv2()
        tags["Title"] = note * 3_000
        tags.save(path)
        return
    file = mutagen.File(path)
    kind = type(file).__name__
    if file.tags is None:
        file.add_tags()
    if kind in ("MP3", "WAVE", "AIFF", "DSF", "TrueAudio"):
        from mutagen.id3 import TIT2, TXXX

        file.tags.add(TIT2(encoding=3, text=note))
        file.tags.add(TXXX(encoding=3, desc="note", text=note * 3_000))
    elif kind == "MP4":
        file.tags["\xa9nam"] = [note * 3_000]
    elif kind == "ASF":
        file.tags["Title"] = [note]
        file.tags["Note"] = [note * 3_000]
    else:
        file.tags["TITLE"] = [note * 30_000]
    file.save()


def test_tags_names_and_places_change_nothing(sound: Path, tmp_path: Path) -> None:
    before = sound_id(sound)
    if sound.suffix == ".aac":
        from mutagen.id3 import ID3, TIT2

        tags = ID3()
        tags.add(TIT2(encoding=3, text="a title"))
        tags.save(sound)
    else:
        tag_by_mutagen(sound, note="title ")
        size = sound.stat().st_size
        tag_by_mutagen(sound, note="another title ")
        assert sound.stat().st_size != size
    assert sound_id(sound) == before
    elsewhere = tmp_path / "sub" / f"other name{sound.suffix}"
    elsewhere.parent.mkdir()
    shutil.move(sound, elsewhere)
    assert sound_id(elsewhere) == before


def test_our_own_tags_change_nothing(sound: Path) -> None:
    before = sound_id(sound)
    copy = sound.with_name(f"tagged{sound.suffix}")
    changes = {"country": ("TR",), "genre": ("Folk", "Jazz"), "model": ("x" * 20_000,)}
    with open(sound, "rb") as file, open(copy, "wb") as target:
        copy_patched(file, target, tag_edits(sound, file, changes), size=sound.stat().st_size)
    assert read_tags(copy).get("country") == ("TR",)
    assert sound_id(copy) == before


def test_one_changed_byte_of_sound_is_another_sound(sound: Path) -> None:
    before, data = sound_id(sound), sound.read_bytes()
    random_ = random.Random(0)
    for _ in range(5):
        place = random_.randrange(len(data) // 3, len(data) * 3 // 5)
        length = 64 if sound.suffix == ".spx" else 1  # more than the head of a page, which is no sound
        changed = bytes(byte ^ 1 for byte in data[place : place + length])
        sound.write_bytes(data[:place] + changed + data[place + length :])
        assert sound_id(sound) != before, f"byte {place} of {len(data)}"
    sound.write_bytes(data[: len(data) * 3 // 5])
    assert sound_id(sound) != before


def test_tags_at_the_end_of_an_mp3_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    data = encode("mp3")
    path.write_bytes(data)
    before = sound_id(path)
    from mutagen.apev2 import APEv2

    tags = APEv2()
    tags["Title"] = "a title"
    tags.save(path)
    assert path.stat().st_size > len(data)
    assert sound_id(path) == before
    with open(path, "ab") as file:
        file.write(b"TAG" + b"old title".ljust(125, b"\0"))
    assert sound_id(path) == before


def test_damaged_and_foreign_files_have_an_identity_of_their_own(sound: Path, tmp_path: Path) -> None:
    data = sound.read_bytes()
    random_ = random.Random(1)
    for length in (1, 3, 11, 40, 200, len(data) // 2):
        sound.write_bytes(data[:length])
        assert sound_id(sound)
        sound.write_bytes(data[:40] + random_.randbytes(length))
        assert sound_id(sound)
    with pytest.raises(AudioError, match="No such file"):
        sound_id(tmp_path / "gone.mp3")
    sound.write_bytes(b"")
    with pytest.raises(AudioError, match="empty"):
        sound_id(sound)
