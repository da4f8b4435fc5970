"""What the project says of itself is true."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import geoclass

ROOT = Path(__file__).parents[1]


def test_ci_runs_the_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    (python3 -m venv .*pytest)$", readme, flags=re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_module_imports() -> None:
    names = [module.name for module in pkgutil.walk_packages(geoclass.__path__, "geoclass.")]
    for name in names:
        if name != "geoclass.__main__":
            importlib.import_module(name)
    assert len(names) > 50


@pytest.mark.parametrize("name", geoclass.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(geoclass, name) is not None


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, geoclass; sys.exit(' '.join({'torch', 'numpy', 'pandas', 'typer'} & set(sys.modules)) or 0)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"


def test_library_code_does_not_print_or_exit() -> None:
    for path in (ROOT / "src" / "geoclass").rglob("*.py"):
        if path.parent.name != "cli":
            text = path.read_text(encoding="utf-8")
            assert not re.search(
                r"^\s*(print\(|sys\.exit|logging\.basicConfig|import typer|from typer)", text, re.MULTILINE
            ), path


def test_no_module_imports_what_imports_it() -> None:
    """Nor under TYPE_CHECKING, nor inside a function, nor inside a folder."""
    grimp = pytest.importorskip("grimp", reason="comes with import-linter, of the extra `dev`")
    graph = grimp.build_graph("geoclass")
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # CycleError names the circle


_HTML = re.compile(
    r"</?(?:a|b|body|div|dl|figure|h[1-6]|head|html|li|p|section|span|strong|table|td|th|tr|ul)\b[^<>]*>"
)


def test_markup_stands_in_templates_only() -> None:
    for path in (ROOT / "src" / "geoclass").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not _HTML.search(node.value), f"{path}:{node.lineno}"
