"""What the program costs before it works: `geoclass --help`, and `geoclass tag` on one file, cold, by phases.

    python benchmarks/startup.py [--file SONG] [--repeats 21] [--json result.json]

Every figure is the median over fresh processes that have heard no song yet, beside `python -c "import torch"` in the
same round. The phases of `tag` come from one process each, which does in turn what the command does; the last rows are
the command itself, and its first run after an installation, which unpacks the language model. Without --file the song
is synthesized.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tag import copies

PHASES = """
import json, sys, time
from pathlib import Path
begun = time.perf_counter()
def phase(name):
    global begun
    now = time.perf_counter()
    times[name] = now - begun
    begun = now
times = {}
import geoclass.cli.app
from geoclass.audio.decode import load_excerpt
from geoclass.bundle.bundle import Bundle
from geoclass.bundle.catalogue import BUILTIN
from geoclass.inference.classifier import Classifier
from geoclass.tagging.apply import iter_apply
from geoclass.tagging.plan import iter_plan
from geoclass.tagging.policy import Policy
phase("imports")
classifier = Classifier([Bundle.load(folder) for folder in sorted(BUILTIN.glob("*-*"))])
phase("models")
path, journal = map(Path, sys.argv[1:])
load_excerpt(path, sample_rate=22_050, duration_s=30.0)
phase("decode")
plan = list(iter_plan(classifier, paths=[path], policy=Policy(candidates=True)))
phase("decode and predict")
list(iter_apply(plan, journal=journal))
phase("write")
times["predict"] = times.pop("decode and predict") - times["decode"]
print(json.dumps(times))
"""
ORDER = ("imports", "models", "decode", "predict", "write")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, help="a song, which is copied")
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--json", type=Path, help="write the numbers here")
    arguments = parser.parse_args()
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        folder = Path(name)
        song = arguments.file or next(iter(copies(folder, None, 1)))
        copy = folder / f"copy{song.suffix}"
        os.environ["GEOCLASS_HOME"] = str(home := folder / "home")

        def tag() -> None:
            _geoclass("tag", str(copy), "--candidates", "--journal", str(folder / "tag.jsonl"))

        def phases() -> None:
            command = [sys.executable, "-c", PHASES, str(copy), str(folder / "phases.jsonl")]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            for phase, seconds in json.loads(said).items():
                times.setdefault(phase, []).append(seconds)

        def import_torch() -> None:
            subprocess.run([sys.executable, "-c", "import torch"], check=True)

        def first_tag() -> None:
            shutil.rmtree(home, ignore_errors=True)
            tag()

        steps: dict[str, Callable[[], None]] = {
            "import torch": import_torch, "--help": lambda: _geoclass("--help"), "phases": phases,
            "tag, first run": first_tag, "tag": tag,
        }  # fmt: skip
        for _ in range(arguments.repeats):
            for step, run in steps.items():
                shutil.copyfile(song, copy)
                for kept in (*home.glob("cache/features.sqlite*"), *folder.glob("*.jsonl")):
                    kept.unlink()
                begun = time.perf_counter()
                run()
                times.setdefault(step, []).append(time.perf_counter() - begun)
    print(f"{arguments.repeats} processes each\n\n{'':24}{'median s':>9}{'best':>8}{'worst':>8}")
    for step in ("--help", *ORDER, "tag", "tag, first run"):
        values = times[step]
        name = f"  {step}" if step in ORDER else f"geoclass {step}"
        print(f"{name:24}{statistics.median(values):9.3f}{min(values):8.3f}{max(values):8.3f}")
    torch_s = statistics.median(times["import torch"])
    ratio = statistics.median(times["tag"]) / torch_s
    print(f"\nimport torch alone takes {torch_s:.3f} s: `geoclass tag`, cold, {ratio:.2f} times as long")
    if arguments.json:
        arguments.json.write_text(json.dumps(times, indent=2) + "\n")


def _geoclass(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "geoclass", *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
