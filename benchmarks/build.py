"""`build-dataset` beside the plain way to prepare the same recordings: librosa, one process, segment by segment.

    python benchmarks/build.py [--source DIR] [--files 40] [--workers 2] [--repeats 5] [--json result.json]

The plain way is that of the published systems: librosa.load, then for each 5-s segment librosa.stft, the mel bank and
librosa.power_to_db. Both sides hear the same 30 s of the same files in each round and keep the same float16 features.
Without --source the files are synthesized MP3s of three minutes. What a run starts with (imports, and numba's
compilation in librosa) is not in it.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
from tag import copies

from geoclass.config.settings import BuildConfig
from geoclass.corpora.folder import Folder
from geoclass.dataset.build import build_dataset

CONFIG = BuildConfig(min_tracks=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="music to copy; it is not changed")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers here")
    arguments = parser.parse_args()
    walls: dict[str, list[float]] = {"plain": [], "build-dataset": []}
    cores: dict[str, list[float]] = {"plain": [], "build-dataset": []}  # processor time, all cores
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        files = list(copies(Path(name), arguments.source, arguments.files))
        music = _labelled(files, Path(name) / "music")
        outs = iter(range(10**6))

        def build() -> None:
            out = Path(name) / f"out{next(outs)}"
            build_dataset(Folder(music), out=out, config=CONFIG, workers=arguments.workers)

        def plain() -> None:
            np.save(Path(name) / "plain.npy", np.stack([part for path in files for part in _plain(path)]))

        steps: dict[str, Callable[[], None]] = {"plain": plain, "build-dataset": build}
        _plain(files[0])  # numba compiles
        build()
        for _ in range(arguments.repeats):
            for step, run in steps.items():
                begun, busy = time.perf_counter(), time.process_time()
                run()
                walls[step].append(time.perf_counter() - begun)
                cores[step].append(time.process_time() - busy)
    medians = {step: statistics.median(values) for step, values in walls.items()}
    print(f"{len(files)} files, {arguments.workers} workers, {arguments.repeats} rounds\n")
    print(f"{'':15}{'files/s':>9}{'worst':>9}{'best':>9}{'core ms':>9}")
    for step, values in walls.items():
        rates = [len(files) / value for value in (medians[step], max(values), min(values))]
        core_ms = 1_000 * statistics.median(cores[step]) / len(files)
        print(f"{step:15}" + "".join(f"{number:9.1f}" for number in (*rates, core_ms)))
    ratio = medians["plain"] / medians["build-dataset"]
    print(f"\nbuild-dataset is {ratio:.1f} times as fast")
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"files": len(files), "wall_s": walls, "core_s": cores, "ratio": ratio}, indent=2) + "\n"
        )


def _plain(path: Path) -> list[np.ndarray]:
    """Log-mel spectrograms of the 5-s segments of a file's middle 30 s, as float16."""
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
