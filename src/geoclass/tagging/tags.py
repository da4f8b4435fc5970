"""The tags of a file as fields: read, and changed by edits; errors get the name of the file."""

import struct
from pathlib import Path
from typing import BinaryIO

from geoclass.errors import TaggingError
from geoclass.tagging.formats import reading
from geoclass.tagging.formats.edit import Edit, Values
from geoclass.tagging.formats.fields import Tags
from geoclass.tagging.formats.registry import Format, detect_format

__all__ = ["Tags", "Values", "read_duration_s", "read_tags", "tag_edits"]


def read_tags(path: Path, *, suffix: str | None = None) -> Tags:
    """Read a file's tags, without its sound.

    Args:
        path: Links are followed.
        suffix: Of the name, where the file has another one for the time being.

    Raises:
        TaggingError: Unreadable, of a format that carries no tags, or with tags that cannot be parsed.
    """
    try:
        with open(path, "rb") as file:
            return _format_of(file, path, suffix or path.suffix).read(file)
    except TaggingError:
        raise
    except OSError as error:
        raise TaggingError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # mutagen raises struct, index, key, unicode and memory errors on damaged tags
        raise TaggingError(f"{path}: the tags cannot be read ({str(error) or type(error).__name__})") from error


def read_duration_s(path: Path) -> float | None:
    """How long a file plays by its headers, in seconds; None when they do not say, or cannot be read."""
    try:
        with open(path, "rb") as file:
            found = detect_format(file, path.suffix)
            return reading.duration_s(file, found.kind) if found else None
    except Exception:  # mutagen raises almost anything on damaged headers
        return None


def tag_edits(path: Path, file: BinaryIO, changes: Values, *, id3_version: int | None = None) -> list[Edit]:
    """The edits that set the fields of `changes`; an empty value removes the field.

    Args:
        path: For messages, and for the suffix.
        file: The same file, open for reading.
        changes: By field.
        id3_version: 3 or 4: converts an ID3 tag of the other version. None: keep what is there, 4 for a new one.

    Raises:
        TaggingError: The file's structure cannot be followed; nothing was changed.
    """
    try:
        return _format_of(file, path, path.suffix).edits(file, changes, id3_version=id3_version)
    except TaggingError:
        raise
    except OSError as error:
        raise TaggingError(f"{path}: {error.strerror or error}") from error
    except (ValueError, struct.error, IndexError, RecursionError) as error:
        raise TaggingError(f"{path}: the tags cannot be changed safely ({error})") from error
    except Exception as error:  # mutagen, on a tag that is to be converted
        raise TaggingError(f"{path}: the tag cannot be converted ({str(error) or type(error).__name__})") from error


def _format_of(file: BinaryIO, path: Path, suffix: str) -> Format:
    if not file.read(1):
        raise TaggingError(f"{path}: the file is empty")
    found = detect_format(file, suffix)
    if found is None:
        raise TaggingError(f"{path}: not a format whose tags geoclass can write")
    return found
