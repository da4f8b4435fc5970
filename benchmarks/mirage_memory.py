"""How much memory a data set of a million MIRAGE broadcasts takes to build.

    python benchmarks/mirage_memory.py [--rows 1000000] [--tracks 414886]

Writes a synthetic MIRAGE.csv of the published size (a million rows of 500 bytes, 414,886 tracks, 259,783 artists, 57
countries) and a table of 13 features for every track, builds the data set in a fresh process as `geoclass
build-dataset --mirage-root DIR --features features.csv` does, and prints that process' peak resident memory and time,
for the reader alone and for all. More than 4 GB is a failure.
"""

import argparse
import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from geoclass.corpora.base import Track
from geoclass.corpora.mirage import MIRAGE
from geoclass.corpora.spotify import SPOTIFY_COLUMNS
from geoclass.geo.countries import countries

LIMIT_MB = 4_000
N_ARTISTS = 259_783
N_COUNTRIES = 57
PADDING = "x" * 420  # characters: brings a row to the 500 bytes that one of the real file has


def write(folder: Path, *, rows: int, tracks: int) -> None:
    draw = random.Random(0)
    names = [country.name for country in list(countries().values())[:N_COUNTRIES]]
    with (folder / "MIRAGE.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(
            ["track_name", "artist_name", "country", "region", "continent", "station_id", "event_time", "notes"]
        )
        for row in range(rows):
            track = row if row < tracks else draw.randrange(tracks)  # each track at least once
            station = draw.randrange(10_000)
            name = names[station % N_COUNTRIES]
            out.writerow([*pair(track), name, "Region", "Continent", station, "2022-10-01 12:00", PADDING])
    with (folder / "features.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["track_name", "artist_name", *SPOTIFY_COLUMNS])
        for track in range(tracks):
            out.writerow([*pair(track), *(f"{draw.random():.6f}" for _ in SPOTIFY_COLUMNS)])


def pair(track: int) -> tuple[str, str]:
    return f"The Song That Has the Number {track}", f"Artist Number {track % N_ARTISTS}"


def build(folder: Path) -> None:
    start = time.perf_counter()
    corpus = MIRAGE(folder, features="features.csv")
    kept = [item for item in corpus.tracks() if isinstance(item, Track)]
    print(
        f"read:  {len(kept):,} tracks, peak memory {peak_mb():,.0f} MB, {time.perf_counter() - start:.0f} s", flush=True
    )
    print(*(f"       {note}" for note in corpus.notes), sep="\n", flush=True)
    del kept

    from geoclass.dataset.build import build_dataset

    start = time.perf_counter()
    dataset = build_dataset(corpus, out=folder / "dataset")
    seconds = time.perf_counter() - start
    print(f"built: {len(dataset.tracks):,} tracks, peak memory {peak_mb():,.0f} MB of {LIMIT_MB:,} MB, {seconds:.0f} s")
    sys.exit(peak_mb() > LIMIT_MB)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tracks", type=int, default=414_886)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)  # what the fresh process is told
    options = parser.parse_args()
    if options.build:
        build(options.build)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows=options.rows, tracks=options.tracks)
        size_mb = (Path(folder) / "MIRAGE.csv").stat().st_size / 1e6
        print(f"{options.rows:,} broadcasts, MIRAGE.csv of {size_mb:,.0f} MB", flush=True)
        sys.exit(subprocess.run([sys.executable, __file__, "--build", folder]).returncode)


if __name__ == "__main__":
    main()
