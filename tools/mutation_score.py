"""How many one-line bugs the tests of a module notice: a seeded sample of mutmut's mutants, in a copy of the tree.

    python tools/mutation_score.py                       # the modules of [tool.geoclass.mutation] in pyproject.toml
    python tools/mutation_score.py dataset/split geo/borders --sample 60 --seed 0

Prints a row per module (mutants tried, noticed, score) and the mutants that survived, with their difference. A mutant
that no test reaches counts as survived, one that makes a test run for ever as noticed.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import tomli_w

ROOT = Path(__file__).parents[1]
KEPT = ("src", "tests", "docs", "examples", "tools", "benchmarks", "README.md", "CONTRIBUTING.md", "LICENSE", ".ci")
SURVIVED = (0, 33)  # mutmut's codes for "all tests passed" and "no test runs it"


def main() -> int:
    """Score the named modules, or all that are listed in pyproject.toml; 1 when one of them misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help='such as "dataset/split"')
    parser.add_argument("--sample", type=int, default=60, help="mutants per module (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: %(default)s)")
    parser.add_argument("--goal", type=float, default=0.85, help="score below which the exit code is 1")
    parser.add_argument("--tests", nargs="+", help="test files or folders, instead of those in pyproject.toml")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: one per core)")
    options = parser.parse_args()
    known: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["geoclass"][
        "mutation"
    ]
    scores = []
    for module in options.modules or known:
        tests = options.tests or known.get(module)
        if not tests:
            parser.error(f"{module} is not listed in [tool.geoclass.mutation]; name its tests with --tests")
        noticed, survivors = score(module, tests, sample=options.sample, seed=options.seed, jobs=options.jobs)
        tried = noticed + len(survivors)
        scores.append(noticed / max(1, tried))
        print(f"{module:28} {tried:4} mutants  {noticed:4} noticed  {scores[-1]:.2f}", flush=True)
        for name, difference in survivors:
            print(f"    {name}\n{difference}")
    return int(min(scores) < options.goal)


def score(module: str, tests: list[str], *, sample: int, seed: int, jobs: int) -> tuple[int, list[tuple[str, str]]]:
    """How many of the sampled mutants of a module its tests notice, and the others with their difference."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder) / "tree" / "checkout"
        for name in KEPT:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                copy.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy / name)
        if (ROOT.parent / "shared").is_dir():  # the real recordings, beside copy/mutants
            (copy / "shared").symlink_to((ROOT.parent / "shared").resolve())
        configure(copy, module, tests)
        mutmut(copy, "no.such.mutant", jobs=jobs)  # makes the mutants, and learns which test reaches which function
        record = copy / "mutants" / "src" / "geoclass" / f"{module}.py.meta"
        if not record.exists():
            sys.exit(f"mutmut made no mutants of {module}: do its tests pass?\n{log(copy)}")
        names = sorted(json.loads(record.read_text())["exit_code_by_key"])
        chosen = random.Random(seed).sample(names, min(sample, len(names)))
        mutmut(copy, *chosen, jobs=jobs)
        codes = json.loads(record.read_text())["exit_code_by_key"]
        if untried := [name for name in chosen if codes[name] is None]:
            sys.exit(f"{len(untried)} mutants of {module} were not tried: do its tests pass?\n{log(copy)}")
        survivors = [name for name in chosen if codes[name] in SURVIVED]
        return len(chosen) - len(survivors), [(name, difference(copy, name)) for name in survivors]


def configure(copy: Path, module: str, tests: list[str]) -> None:
    """Narrow mutmut to one module and its tests."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    document["tool"]["mutmut"] |= {
        "only_mutate": [f"src/geoclass/{module}.py"],
        "also_copy": list(KEPT),
        "pytest_add_cli_args_test_selection": tests,
        "timeout_constant": 8.0,  # times 15 seconds: on a busy machine slow tests are not mutants that were noticed
    }
    (copy / "pyproject.toml").write_text(tomli_w.dumps(document), "utf-8")


def mutmut(copy: Path, *names: str, jobs: int) -> None:
    """Run mutmut in the copy; what it prints goes to a log."""
    # One thread each: a process that is forked while torch's threads run would wait for them for ever.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs), *names]
    with open(copy / "mutmut.log", "ab") as output:
        subprocess.run(command, cwd=copy, env=environment, stdout=output, stderr=output, check=False)


def log(copy: Path) -> str:
    """The end of what mutmut printed."""
    return (copy / "mutmut.log").read_text("utf-8", "replace").replace("\r", "\n")[-3_000:]


def difference(copy: Path, name: str) -> str:
    """The changed lines of a mutant."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name], cwd=copy, capture_output=True, text=True, check=False
    ).stdout
    changed = (line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---"))
    return "\n".join(f"        {line}" for line in changed)


if __name__ == "__main__":
    sys.exit(main())
