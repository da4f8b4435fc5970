"""`build-dataset` beside the plain way to prepare the same recordings: librosa, one process, segment by segment.

    python benchmarks/build.py [--source DIR] [--files 40] [--workers 2] [--repeats 5] [--json result.json]

The plain way is that of the published systems: librosa.load, then for each 5-s segment librosa.stft, the mel bank and
librosa.power_to_db. Both sides hear the same 30 s of the same files in each round and keep the same float16 features.
Without --source the files are synthesized MP3s of three minutes. Each side is a process of its own, as a user starts
it: imports, numba's compilation in librosa and what is checked afterwards count, the less the more files there are.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tag import copies

from geoclass.config.settings import BuildConfig

CONFIG = BuildConfig(min_tracks=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="music to copy; it is not changed")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers here")
    parser.add_argument("--plain", type=Path, nargs=2, help=argparse.SUPPRESS)  # a folder and what to write
    arguments = parser.parse_args()
    if arguments.plain:
        folder, out = arguments.plain
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        np.save(out, np.stack([part for path in files for part in _plain(path)]))
        return
    walls: dict[str, list[float]] = {"plain": [], "build-dataset": []}
    cores: dict[str, list[float]] = {"plain": [], "build-dataset": []}  # processor time, all cores
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        files = list(copies(Path(name), arguments.source, arguments.files))
        music = _labelled(files, Path(name) / "music")
        os.environ["GEOCLASS_HOME"] = str(Path(name) / "home")
        build = ["-m", "geoclass", "build-dataset", "--folder", str(music), "--min-tracks", "1"]
        plain = [__file__, "--plain", str(music)]
        for number in range(arguments.repeats):
            out = str(Path(name) / f"out{number}")
            _run([*plain, out + ".npy"], walls["plain"], cores["plain"])
            _run([*build, out, "--workers", str(arguments.workers)], walls["build-dataset"], cores["build-dataset"])
    medians = {step: statistics.median(values) for step, values in walls.items()}
    print(f"{len(files)} files, {arguments.workers} workers, {arguments.repeats} rounds\n")
    print(f"{'':15}{'files/s':>9}{'worst':>9}{'best':>9}{'core ms':>9}")
    for step, values in walls.items():
        rates = [len(files) / value for value in (medians[step], max(values), min(values))]
        core_ms = 1_000 * statistics.median(cores[step]) / len(files)
        print(f"{step:15}" + "".join(f"{number:9.1f}" for number in (*rates, core_ms)))
    ratio = medians["plain"] / medians["build-dataset"]
    of_cores = statistics.median(cores["plain"]) / statistics.median(cores["build-dataset"])
    print(f"\nbuild-dataset is {ratio:.1f} times as fast, start included, at 1/{of_cores:.1f} of the processor time")
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"files": len(files), "wall_s": walls, "core_s": cores, "ratio": ratio}, indent=2) + "\n"
        )


def _run(command: list[str], walls: list[float], cores: list[float]) -> None:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    walls.append(time.perf_counter() - begun)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _plain(path: Path) -> list[np.ndarray]:
    """Log-mel spectrograms of the 5-s segments of a file's middle 30 s, as float16."""
    import librosa

    front_end = CONFIG.front_end
    total_s = librosa.get_duration(path=path)
    sound, rate = librosa.load(
        path, sr=front_end.sample_rate, offset=max(0.0, (total_s - CONFIG.excerpt_seconds) / 2),
        duration=CONFIG.excerpt_seconds,
    )  # fmt: skip
    length = round(CONFIG.segment_seconds * rate)
    features = []
    for start in range(0, len(sound) - length + 1, length):
        spectrum = librosa.stft(y=sound[start : start + length], n_fft=front_end.n_fft, hop_length=front_end.hop_length)
        mel = librosa.feature.melspectrogram(
            S=np.abs(spectrum) ** 2, sr=rate, n_fft=front_end.n_fft, n_mels=front_end.n_mels,
            fmin=front_end.f_min_hz, fmax=front_end.f_max_hz,
        )  # fmt: skip
        features.append(librosa.power_to_db(mel, ref=np.max).astype(np.float16))
    return features


def _labelled(files: list[Path], folder: Path) -> Path:
    """The files as a corpus: two countries, five artists each."""
    for index, path in enumerate(files):
        place = folder / ("TR", "CN")[index % 2] / f"artist {index % 10}" / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(path)
    return folder


if __name__ == "__main__":
    main()
