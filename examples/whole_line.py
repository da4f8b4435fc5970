"""The whole line: two data sets, two models, two honest reports, tags written and taken back.

    python examples/whole_line.py --fma-root TREE --music FOLDER --work OUT

The same recordings are split twice: by segment, as published systems did (segments of one recording in training and
in test), and by artist. The same network is trained on both. What separates the two accuracies is the leak. Then the
artist-disjoint model tags a copy of FOLDER; every file must decode to the same samples, and be byte-identical after
`geoclass undo`.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

PROTOCOLS = {"segment": "leaky", "artist": "artist-disjoint"}


def geoclass(*arguments: object) -> str:
    """Run a command as a user would; stop when it fails."""
    line = ["geoclass", *map(str, arguments)]
    print("$", " ".join(line), flush=True)
    done = subprocess.run([sys.executable, "-m", *line], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}exit code {done.returncode}")
    return done.stdout


def score(corpus: list[object], group: str, work: Path, *, model: str, training: list[object]) -> dict[str, float]:
    """Build, train and evaluate under one protocol; return what metrics.json says."""
    dataset, run, report = (work / f"{group}-{what}" for what in ("dataset", "run", "report"))
    geoclass("build-dataset", dataset, *corpus, "--group", group)
    geoclass("train", dataset, "--model", model, "--run-dir", run, *training)
    geoclass("evaluate", run, "--dataset", dataset, "--report", report)
    metrics = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
    assert PROTOCOLS[group] in json.dumps(metrics), f"the report does not say {PROTOCOLS[group]}"
    return metrics


def tag_and_undo(music: Path, model: Path, work: Path) -> tuple[int, int]:
    """Tag a copy of `music`, check the sound, undo, check the bytes; return the numbers of files and of tags."""
    copy = work / "tagged"
    shutil.copytree(music, copy, copy_function=shutil.copyfile)
    files = [path for path in sorted(copy.rglob("*")) if path.suffix in {".mp3", ".flac", ".ogg", ".wav"}]
    before = {path: (path.read_bytes(), soundfile.read(path)[0]) for path in files}
    told = geoclass("tag", copy, "--model", model, "--min-confidence", 0, "--json").splitlines()
    written = sum(json.loads(line)["status"] == "written" for line in told)
    for path, (content, samples) in before.items():
        assert path.read_bytes() != content, f"{path} was not tagged"
        assert np.array_equal(soundfile.read(path)[0], samples), f"the sound of {path} changed"
    geoclass("undo")
    for path, (content, _) in before.items():
        assert path.read_bytes() == content, f"{path} is not what it was"
    return len(files), written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--fma-root", type=Path)
    source.add_argument("--folder", type=Path)
    parser.add_argument("--music", type=Path, required=True, help="files to tag a copy of")
    parser.add_argument("--work", type=Path, required=True, help="where everything is written")
    parser.add_argument("--model", default="attention-cnn")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--set", action="append", default=[], help="passed on to train")
    parser.add_argument("--build-set", action="append", default=[], help="passed on to build-dataset")
    arguments = parser.parse_args()

    began = time.monotonic()
    kind = "--fma-root" if arguments.fma_root else "--folder"
    corpus: list[object] = [kind, arguments.fma_root or arguments.folder]
    corpus += [part for setting in arguments.build_set for part in ("--set", setting)]
    training = ["--epochs", arguments.epochs, *(part for setting in arguments.set for part in ("--set", setting))]
    scores = {
        group: score(corpus, group, arguments.work, model=arguments.model, training=training) for group in PROTOCOLS
    }
    n_files, n_written = tag_and_undo(arguments.music, arguments.work / "artist-run", arguments.work)

    print(f"\n{'protocol':<16} {'segments':>9} {'tracks':>9} {'balanced':>9} {'majority':>9} {'test tracks':>12}")
    for group, protocol in PROTOCOLS.items():
        found = scores[group]
        numbers = [found[name] for name in ("segment_accuracy", "accuracy", "balanced_accuracy", "majority_baseline")]
        print(f"{protocol:<16} " + " ".join(f"{number:>9.3f}" for number in numbers) + f" {found['n_tracks']:>12}")
    print(f"\n{n_written} of {n_files} files tagged, sound unchanged; after undo all {n_files} are byte-identical")
    print(f"{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
