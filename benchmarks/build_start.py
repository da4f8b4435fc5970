"""What `build-dataset` needs before its first file, on FMA metadata of full size, beside reading the table alone.

    python benchmarks/build_start.py [--tracks 106574] [--repeats 5] [--json result.json]

The metadata are synthetic, with the numbers of FMA: 16,341 artists, 23 % of them with coordinates (some at sea) and
37 % with a place name, biographies of some hundred letters. Each figure is the median over fresh processes, in turn, of
their processor time, which other programs disturb least.
"""

import argparse
import csv
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

READ = """
import sys
from geoclass.corpora.registry import open_corpus
list(open_corpus("fma", sys.argv[1], subset="large").tracks())
"""
BUILD = """
import os, sys
from geoclass.cli.app import main
from geoclass.dataset import extract
def first(job, **settings):
    os._exit(7)  # the first file: this is as far as the clock runs
extract.extract = first
sys.argv = ["geoclass", "build-dataset", sys.argv[2], "--fma-root", sys.argv[1], "--fma-subset", "large"]
main()
"""
N_ARTISTS = 16_341
POINTS = [(52.52, 13.40), (40.71, -74.01), (48.86, 2.35), (35.69, 139.69), (-33.45, -70.67), (41.01, 28.95)]
AT_SEA = (51.97, 3.98)  # off Rotterdam
PLACES = ["Brooklyn, NY", "Berlin", "London, UK", "Portland Oregon", "Paris, France", "Everywhere", "São Paulo, Brasil"]
COLUMNS = [
    *(("album", "title"), ("artist", "bio"), ("artist", "id"), ("artist", "latitude"), ("artist", "location")),
    *(("artist", "longitude"), ("artist", "name"), ("set", "split"), ("set", "subset"), ("track", "duration")),
    *(("track", "genre_top"), ("track", "genres_all"), ("track", "license"), ("track", "title")),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=106_574)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers here")
    arguments = parser.parse_args()
    times: dict[str, list[float]] = {"import torch": [], "read the table": [], "build, to the first file": []}
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        root = Path(name) / "fma"
        write_fma(root, arguments.tracks)
        for number in range(arguments.repeats):
            times["import torch"].append(_seconds("import torch", expected=0))
            times["read the table"].append(_seconds(READ, root, expected=0))
            times["build, to the first file"].append(_seconds(BUILD, root, Path(name) / f"out{number}", expected=7))
    torch, read, build = (statistics.median(values) for values in times.values())
    for step, values in times.items():
        print(f"{step:26} {statistics.median(values):6.2f} s  (best {min(values):.2f}, worst {max(values):.2f})")
    print(f"{'more than reading':26} {build - read:6.2f} s, {(build - read) / torch:.2f} of importing torch")
    if arguments.json:
        arguments.json.write_text(json.dumps(times, indent=2) + "\n")


def write_fma(root: Path, n_tracks: int) -> None:
    """Metadata in FMA's layout, and a file of one byte for each track."""
    generator = random.Random(0)
    artists = [_artist(number, generator) for number in range(N_ARTISTS)]
    (root / "fma_metadata").mkdir(parents=True)
    with open(root / "fma_metadata" / "tracks.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([["", *(top for top, _ in COLUMNS)], ["", *(field for _, field in COLUMNS)], ["track_id"]])
        for number in range(2, n_tracks + 2):
            writer.writerow([number, *_row(number, artists[generator.randrange(N_ARTISTS)], generator)])
            path = root / "fma_large" / f"{number // 1000:03d}" / f"{number:06d}.mp3"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")


def _artist(number: int, generator: random.Random) -> dict[str, object]:
    artist: dict[str, object] = {"id": number, "name": f"Artist {number}", "bio": f"<p>{'words and words, ' * 30}</p>"}
    if generator.random() < 0.23:
        latitude, longitude = AT_SEA if generator.random() < 0.01 else generator.choice(POINTS)
        artist |= {"latitude": latitude + generator.gauss(0, 0.02), "longitude": longitude + generator.gauss(0, 0.02)}
    if generator.random() < 0.37:
        artist["location"] = generator.choice(PLACES)
    return artist


def _row(number: int, artist: dict[str, object], generator: random.Random) -> list[object]:
    split = generator.choices(["training", "validation", "test"], [8, 1, 1])[0]
    values: dict[tuple[str, str], object] = {
        ("set", "split"): split, ("set", "subset"): "large", ("track", "duration"): 200,
        ("track", "title"): f"Song {number}", ("track", "license"): "CC BY", ("album", "title"): "Songs",
    }  # fmt: skip
    values |= {("artist", name): str(value) for name, value in artist.items()}
    return [values.get(column, "") for column in COLUMNS]


def _seconds(code: str, *paths: Path, expected: int) -> float:
    """Processor seconds of a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != expected:
        sys.exit(done.stderr)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
