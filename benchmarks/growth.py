"""How time and memory grow with the number of tracks: build, one epoch of training, evaluate, tag.

    python benchmarks/growth.py [--tracks 1000 10000 100000] [--folder DIR] [--json result.json]
    python benchmarks/growth.py --tracks 20000 --steps build --seconds 5.2 --n-mels 256     # the default features

Each step is the command line in a process of its own. The corpus is hard links to a hundred synthesized songs, short
with small features where nothing else is said: what is measured is what grows, not what a song costs. "core s"
is processor time over all cores: it holds on a busy machine. The slope is that of log core seconds over log tracks
between the two largest sizes, after the costs of the smallest are taken away; n log n has the slope that stands at the
end.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from synthesize_music import SAMPLE_RATE, SCALES, synthesize

SONGS = 20  # of each country
TRACKS_AN_ARTIST = 10
GEOCLASS = (sys.executable, "-m", "geoclass")
STEPS = ("build", "train", "evaluate", "tag")


@dataclass(frozen=True)
class Cost:
    """Of one command."""

    step: str
    tracks: int
    wall_s: float
    core_s: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument(
        "--steps", nargs="+", default=list(STEPS), choices=STEPS, help="the last two need the first two"
    )
    parser.add_argument("--seconds", type=float, default=3.2, help="length of a song")
    parser.add_argument("--n-mels", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where to work; the system's temporary folder by default")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    arguments = parser.parse_args()
    if set(arguments.steps) != {"build"} and not {"build", "train"} <= set(arguments.steps):
        parser.error("train needs build, evaluate and tag need both")
    costs: list[Cost] = []
    print(f"{'step':10}{'tracks':>9}{'wall s':>9}{'core s':>9}{'ms per track':>14}{'peak MB':>9}")
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="geoclass-growth-") as name:
        songs = _songs(Path(name) / "songs", arguments.seconds)
        for n_tracks in sorted(arguments.tracks):
            folder = Path(name) / str(n_tracks)
            _link(songs, folder / "music", n_tracks)
            commands = _steps(folder, arguments)
            for step, command in ((step, commands[step]) for step in arguments.steps):
                costs.append(_run(step, n_tracks, command, log=folder / f"{step}.log"))
                cost = costs[-1]
                print(
                    f"{step:10}{n_tracks:9,}{cost.wall_s:9.1f}{cost.core_s:9.1f}"
                    f"{1_000 * cost.core_s / n_tracks:14.2f}{cost.peak_mb:9.0f}",
                    flush=True,
                )
    slopes = _slopes(costs)
    if slopes:
        print(f"\n{'step':10}{'slope':>7}{'KB of memory a track':>23}")
        for step, (slope, memory) in slopes.items():
            print(f"{step:10}{slope:7.2f}{memory:23.1f}")
        print(f"n log n   {_n_log_n(sorted(arguments.tracks)):7.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")


def _steps(folder: Path, arguments: argparse.Namespace) -> dict[str, list[str]]:
    music, data, run = (str(folder / name) for name in ("music", "data", "run"))
    workers = str(arguments.workers)
    small = ["--segment-seconds", str(int(arguments.seconds)), "--set", f"front_end.n_mels={arguments.n_mels}"]
    return {
        "build": ["build-dataset", data, "--folder", music, *small, "--workers", workers],
        "train": ["train", data, "--preset", "resnet-small", "--epochs", "1", "--run-dir", run, "--device", "cpu"],
        "evaluate": ["evaluate", run, "--dataset", data, "--report", str(folder / "report")],
        "tag": ["tag", music, "--model", run, "--dry-run", "--device", "cpu", "--workers", workers],
    }


def _run(step: str, n_tracks: int, command: list[str], *, log: Path) -> Cost:
    begun = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen([*GEOCLASS, *command], stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"geoclass {' '.join(command)} failed:\n{log.read_text()[-2_000:]}")
    peak_mb = usage.ru_maxrss / (1_000 if sys.platform != "darwin" else 1e6)
    return Cost(step, n_tracks, time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, peak_mb)


def _slopes(costs: list[Cost]) -> dict[str, tuple[float, float]]:
    """By step: the slope over the two largest of three sizes or more, and the memory that a track more takes, in KB."""
    found = {}
    for step in dict.fromkeys(cost.step for cost in costs):
        of_step = sorted((cost for cost in costs if cost.step == step), key=lambda cost: cost.tracks)
        if len(of_step) < 3 or of_step[-2].core_s <= of_step[0].core_s:  # nothing but the start was measured
            continue
        least, before, last = of_step[0], *of_step[-2:]
        growth = (last.core_s - least.core_s) / (before.core_s - least.core_s)
        slope = math.log(growth) / math.log((last.tracks - least.tracks) / (before.tracks - least.tracks))
        found[step] = (slope, 1_000 * (last.peak_mb - before.peak_mb) / (last.tracks - before.tracks))
    return found


def _n_log_n(sizes: list[int]) -> float:
    before, last = sizes[-2:]
    return math.log(last * math.log(last) / (before * math.log(before))) / math.log(last / before)


def _songs(folder: Path, seconds: float) -> dict[str, list[Path]]:
    folder.mkdir()
    songs: dict[str, list[Path]] = {}
    for country in SCALES:
        for number in range(SONGS):
            path = folder / f"{country}-{number}.wav"
            soundfile.write(path, synthesize(country, artist=number, track=0, seconds=seconds), SAMPLE_RATE)
            songs.setdefault(country, []).append(path)
    return songs


def _link(songs: dict[str, list[Path]], folder: Path, n_tracks: int) -> None:
    countries = list(songs)
    for index in range(n_tracks):
        country = countries[index % len(countries)]
        number = index // len(countries)
        path = folder / country / f"{country} artist {number // TRACKS_AN_ARTIST}" / f"{number % TRACKS_AN_ARTIST}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.hardlink_to(songs[country][number // TRACKS_AN_ARTIST % SONGS])


if __name__ == "__main__":
    main()
