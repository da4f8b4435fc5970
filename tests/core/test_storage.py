"""Atomic files: whole or not at all."""

import os
from pathlib import Path

import pytest

from geoclass.errors import StorageError
from geoclass.storage import atomic_path, cache_dir, data_dir, fingerprint, read_json, write_json, write_text


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(StorageError), atomic_path(path) as temporary:
        temporary.write_text("half") and tmp_path.read_bytes()  # the second half fails
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_json_comes_back_with_its_format_checked(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"name": "Türkiye"}, format="geoclass/test")
    assert read_json(path, format="geoclass/test")["name"] == "Türkiye"
    with pytest.raises(StorageError, match="is not a geoclass/other file"):
        read_json(path, format="geoclass/other")
    path.write_text('{"format": "geoclass/test", "version": 2}')
    with pytest.raises(StorageError, match="version 2"):
        read_json(path, format="geoclass/test")
    path.write_text("{")
    with pytest.raises(StorageError, match="not valid JSON"):
        read_json(path, format="geoclass/test")


def test_infinite_numbers_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_json(tmp_path / "file.json", {"loss": float("nan")}, format="geoclass/test")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        write_text(tmp_path / "file" / "below.txt", "x")


def test_fingerprints_depend_on_values_and_not_on_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_one_variable_moves_all_folders(geoclass_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_dir() == geoclass_home / "data"
    assert cache_dir() == geoclass_home / "cache"
    monkeypatch.delenv("GEOCLASS_HOME")
    assert data_dir().name == "geoclass"
