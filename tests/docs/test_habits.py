"""What stands beside the code: workflows, issue forms, citation, one version."""

import re
import shutil
import subprocess
import sys
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


def schema_faults(path: Path) -> str:
    """What the schema of GitHub's workflows, which comes with check-jsonschema, has against a file; "" when nothing."""
    pytest.importorskip("check_jsonschema", reason="comes with the extra `dev`")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def dangling_names(workflow: dict[str, Any]) -> set[str]:
    """Jobs that are waited for, steps and dimensions of the matrix that expressions name, but which are not there."""
    dangling = set()
    for job in workflow["jobs"].values():
        needs = job.get("needs", [])
        dangling |= set([needs] if isinstance(needs, str) else needs) - set(workflow["jobs"])
        known = {f"steps.{step['id']}" for step in job["steps"] if "id" in step}
        known |= {f"matrix.{name}" for name in job.get("strategy", {}).get("matrix", {})}
        named = re.findall(r"\$\{\{\s*((?:steps|matrix)\.\w+)", str(job))
        dangling |= set(named) - known
    return dangling


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_what_github_reads(path: Path) -> None:
    assert schema_faults(path) == ""
    assert dangling_names(parsed(path)) == set()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_commands_of_workflows_are_shell(path: Path) -> None:
    for job in parsed(path)["jobs"].values():
        for step in job["steps"]:
            command = re.sub(r"\$\{\{.*?\}\}", "x", step.get("run", ""))
            done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [("runs-on: ubuntu-latest", "runs_on: ubuntu-latest"), ("steps:", "stages:"), ("push:", "pushed:")],
)
def test_workflows_that_github_would_refuse_are_noticed(tmp_path: Path, old: str, new: str) -> None:
    spoilt = tmp_path / "docs.yml"
    spoilt.write_text((ROOT / ".github/workflows/docs.yml").read_text(encoding="utf-8").replace(old, new, 1), "utf-8")
    assert schema_faults(spoilt)


def test_names_that_lead_nowhere_are_noticed() -> None:
    docs, release = (parsed(ROOT / f".github/workflows/{name}.yml") for name in ("docs", "release"))
    del docs["jobs"]["publish"]["steps"][0]["id"]
    del docs["jobs"]["build"]
    # The address of the page is that of the step which deploys it; without the job there is nothing to wait for.
    assert dangling_names(docs) == {"steps.deployment", "build"}
    del release["jobs"]["try"]["strategy"]["matrix"]["os"]
    assert dangling_names(release) == {"matrix.os"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_have_what_github_asks_for(path: Path) -> None:
    form = parsed(path)
    assert {"name", "description", "body"} <= set(form)
    inputs = [part for part in form["body"] if part["type"] != "markdown"]
    names = [part["id"] for part in inputs]
    assert len(names) == len(set(names))
    assert all(part["attributes"]["label"] for part in inputs)
    assert any(part.get("validations", {}).get("required") for part in inputs)
