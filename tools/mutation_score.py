"""How many one-line bugs the tests of a module notice: a seeded sample of mutmut's mutants, in a copy of the tree.

    python tools/mutation_score.py                       # the modules of [tool.geoclass.mutation] in pyproject.toml
    python tools/mutation_score.py dataset/split geo/borders --sample 60 --seed 0

Prints a row per module (mutants tried, noticed, score) and the mutants that survived, with their difference. A mutant
that no test reaches counts as survived, one that makes a test run for ever as noticed. The tests are collected and run
once; each mutant is then a fork of that process, in which those tests run that reach the changed function.
"""

import argparse
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import libcst
from mutmut.mutation.diff_apply import read_mutant_function, read_original_function
from mutmut.mutation.file_mutation import mutate_file_contents

ROOT = Path(__file__).parents[1]
KEPT = ("src", "tests", "docs", "examples", "tools", "benchmarks", ".ci", ".github")
KEPT += ("README.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml")


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
        copy_tree(copy)
        path = f"src/geoclass/{module}.py"
        mutated = mutate_file_contents(path, (ROOT / path).read_text("utf-8"))
        (copy / path).write_text(mutated.code, "utf-8")
        names = sorted(f"geoclass.{module.replace('/', '.')}.{name}" for name in mutated.mutant_names)
        if not names:
            sys.exit(f"mutmut makes no mutants of {module}")
        chosen = random.Random(seed).sample(names, min(sample, len(names)))
        fates = run(copy, chosen, tests, jobs=jobs)
        survivors = [name for name in chosen if fates[name] in ("survived", "unreached")]
        tree = libcst.parse_module(mutated.code)
        return len(chosen) - len(survivors), [(name, difference(tree, name)) for name in survivors]


def copy_tree(copy: Path) -> None:
    """What the tests need, so that a mutant that writes files writes them elsewhere."""
    copy.mkdir(parents=True)
    for name in KEPT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    if (ROOT.parent / "shared").is_dir():  # the real recordings, beside the checkout
        (copy.parent / "shared").symlink_to((ROOT.parent / "shared").resolve())


def run(copy: Path, names: list[str], tests: list[str], *, jobs: int) -> dict[str, str]:
    """What became of each mutant: "noticed", "endless", "survived" or "unreached"."""
    task, fates = copy.parent / "task.json", copy.parent / "fates.json"
    task.write_text(json.dumps({"mutants": names, "tests": tests, "jobs": jobs, "fates": str(fates)}), "utf-8")
    # One thread each: a process that is forked while torch's threads run would wait for them for ever.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(copy / "src")}
    command = [sys.executable, str(copy / "tools" / "run_mutants.py"), str(task)]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if not fates.exists():
        sys.exit(f"the mutants were not tried: do the tests pass?\n{(done.stdout + done.stderr)[-3_000:]}")
    found: dict[str, str] = json.loads(fates.read_text("utf-8"))
    return found


def difference(tree: libcst.Module, name: str) -> str:
    """The changed lines of a mutant."""
    functions = (read_original_function(tree, name), read_mutant_function(tree, name))
    before, after = (libcst.Module([function]).code.strip().splitlines() for function in functions)
    changed = [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:2] != "@@"]
    return "\n".join(f"        {line}" for line in changed[2:])


if __name__ == "__main__":
    sys.exit(main())
