"""WMA: the objects of an ASF header, laid out by hand; descriptors that are not ours keep their bytes."""

import io
import struct
import uuid

import mutagen.asf
import pytest
from tagging_helpers import spliced

from geoclass.tagging.formats import asf

HEADER = uuid.UUID("75B22630-668E-11CF-A6D9-00AA0062CE6C").bytes_le
FILE = uuid.UUID("8CABDCA1-A947-11CF-8EE4-00C00C205365").bytes_le
EXTENDED = uuid.UUID("D2D0A440-E307-11D2-97F0-00A0C95EA850").bytes_le
OTHER = uuid.UUID(int=7).bytes_le  # of nothing that is known
SOUND = uuid.UUID("75B22636-668E-11CF-A6D9-00AA0062CE6C").bytes_le + bytes(300)


def thing(guid: bytes, content: bytes) -> bytes:
    return guid + struct.pack("<Q", 24 + len(content)) + content


def descriptor(name: str, value: bytes, kind: int = 0) -> bytes:
    raw = (name + "\0").encode("utf-16-le")
    return struct.pack("<H", len(raw)) + raw + struct.pack("<HH", kind, len(value)) + value


def text(name: str, value: str) -> bytes:
    return descriptor(name, (value + "\0").encode("utf-16-le"))


def extended(*descriptors: bytes) -> bytes:
    return thing(EXTENDED, struct.pack("<H", len(descriptors)) + b"".join(descriptors))


def file(*objects: bytes) -> bytes:
    """Header, file properties (with the length of the file), the objects, then sound."""
    size = 30 + 104 + sum(map(len, objects))
    properties = thing(FILE, bytes(16) + struct.pack("<Q", size + len(SOUND)) + bytes(56))
    return HEADER + struct.pack("<QIBB", size, 1 + len(objects), 1, 2) + properties + b"".join(objects) + SOUND


def changed(data: bytes, **changes: tuple[str, ...]) -> bytes:
    named = {key.replace("_", "/"): values for key, values in changes.items()}
    return spliced(lambda file: asf.edits(file, named), data)


OTHERS = thing(OTHER, b"something else")
COVER = descriptor("WM/Picture", b"\x03" + bytes(range(200)), kind=1)
YEAR = descriptor("WM/TrackNumber", struct.pack("<I", 7), kind=3)


def test_a_header_without_descriptors_gets_an_object_at_its_end() -> None:
    new = changed(file(OTHERS), ARTISTCOUNTRY=("TR",))
    assert new == file(OTHERS, extended(text("ARTISTCOUNTRY", "TR")))
    assert [str(value) for value in mutagen.asf.ASF(io.BytesIO(new))["ARTISTCOUNTRY"]] == ["TR"]


def test_descriptors_of_others_keep_their_bytes_and_order() -> None:
    new = changed(file(extended(COVER, YEAR), OTHERS), WM_Genre=("Folk", "Türkü"))
    assert new == file(extended(COVER, YEAR, text("WM/Genre", "Folk"), text("WM/Genre", "Türkü")), OTHERS)
    assert [str(value) for value in mutagen.asf.ASF(io.BytesIO(new))["WM/Genre"]] == ["Folk", "Türkü"]


def test_all_values_are_replaced_whatever_the_case_of_their_name() -> None:
    old = file(OTHERS, extended(text("wm/genre", "Pop"), COVER, text("WM/Genre", "Rock"), YEAR))
    assert changed(old, WM_Genre=("Folk",)) == file(OTHERS, extended(COVER, YEAR, text("WM/Genre", "Folk")))
    assert changed(old, WM_Genre=()) == file(OTHERS, extended(COVER, YEAR))


def test_only_the_first_of_two_objects_is_changed() -> None:
    new = changed(file(extended(COVER), extended(YEAR)), ARTISTCOUNTRY=("TR",))
    assert new == file(extended(COVER, text("ARTISTCOUNTRY", "TR")), extended(YEAR))


def test_bytes_behind_the_descriptors_stay() -> None:
    old = thing(EXTENDED, struct.pack("<H", 1) + YEAR + b"rest")
    new = thing(EXTENDED, struct.pack("<H", 2) + YEAR + text("ARTISTCOUNTRY", "TR") + b"rest")
    assert changed(file(old), ARTISTCOUNTRY=("TR",)) == file(new)


def test_a_header_without_file_properties() -> None:
    old = HEADER + struct.pack("<QIBB", 30 + len(OTHERS), 1, 1, 2) + OTHERS + SOUND
    added = extended(text("ARTISTCOUNTRY", "TR"))
    new = HEADER + struct.pack("<QIBB", 30 + len(OTHERS + added), 2, 1, 2) + OTHERS + added + SOUND
    assert changed(old, ARTISTCOUNTRY=("TR",)) == new


def test_the_longest_value_and_one_that_is_longer() -> None:
    longest = "x" * (0xFFFF // 2 - 1)
    assert text("ARTISTCOUNTRY", longest) in changed(file(), ARTISTCOUNTRY=(longest,))
    with pytest.raises(ValueError, match=r"^ARTISTCOUNTRY would become longer than 64 KiB$"):
        asf.edits(io.BytesIO(file()), {"ARTISTCOUNTRY": (longest + "x",)})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file(OTHERS[:16] + struct.pack("<Q", 23) + OTHERS[24:]), "at byte 134 has an impossible size$"),
        (file(OTHERS[:16] + struct.pack("<Q", 10_000) + OTHERS[24:]), "at byte 134 has an impossible size$"),
        (file(extended(COVER[:-1])), "longer than the object that holds it$"),
        (file()[:60], "ends inside a tag"),
    ],
)
def test_what_cannot_be_followed_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        asf.edits(io.BytesIO(data), {"ARTISTCOUNTRY": ("TR",)})
