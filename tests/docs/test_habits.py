"""What stands beside the code: workflows, issue forms, citation, one version."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import geoclass

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(set((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"})
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def parsed(path: Path) -> Any:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "src/geoclass/__init__.py"
    assert parsed(ROOT / "CITATION.cff")["version"] == geoclass.__version__


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_release_compares_the_tag_with_the_version() -> None:
    steps = parsed(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["build"]["steps"]
    (command,) = [step["run"] for step in steps if step.get("name", "").startswith("The tag names")]
    for tag, code in ((f"v{geoclass.__version__}", 0), ("v99.0", 1)):
        done = subprocess.run(["bash", "-ec", command], cwd=ROOT, env={"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"})
        assert done.returncode == code


def test_python_is_tried_from_the_oldest_on_three_systems() -> None:
    matrix = parsed(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["platforms"]["strategy"]["matrix"]
    assert f">={matrix['python'][0]}" == PROJECT["project"]["requires-python"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]


def test_the_site_is_built_with_what_the_extra_names() -> None:
    text = (ROOT / ".github" / "workflows" / "docs.yml").read_text(encoding="utf-8")
    assert " ".join(f"'{name}'" for name in PROJECT["project"]["optional-dependencies"]["docs"]) in text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_do_no_more_than_they_need(path: Path) -> None:
    workflow = parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "secrets" not in str(job)
        for step in job["steps"]:
            assert re.search(r"@(v\d+|release/v1)$", step.get("uses", "x@v1"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pass_actionlint(path: Path) -> None:
    if shutil.which("actionlint") is None:
        pytest.skip("actionlint is not installed")
    done = subprocess.run(["actionlint", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_have_what_github_asks_for(path: Path) -> None:
    form = parsed(path)
    assert {"name", "description", "body"} <= set(form)
    inputs = [part for part in form["body"] if part["type"] != "markdown"]
    names = [part["id"] for part in inputs]
    assert len(names) == len(set(names))
    assert all(part["attributes"]["label"] for part in inputs)
    assert any(part.get("validations", {}).get("required") for part in inputs)
