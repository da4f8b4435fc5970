"""How well the leak audit tells copies from other recordings, measured on real sound.

    python benchmarks/audit.py FOLDER...

Each file is planted four times: as an MP3 of another bit rate, shifted by 0.3 s, 6 dB quieter, and all three at once.
A copy counts as found when one of its segments finds one of the original's among its nearest in all files, and the two
agree. Pairs of different recordings are compared in full, segment by segment; a `manifest.csv` with `group_id` beside
the files says which are parts of one recording.
"""

import argparse
import csv
import io
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile
import torch

from geoclass.audio.decode import AUDIO_SUFFIXES, load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.config.frontends import LogMelConfig
from geoclass.dataset.copies import NEIGHBOURS
from geoclass.dataset.fingerprints import SAME, describe, nearest, reduce_log_mels, similarity
from geoclass.errors import AudioError
from geoclass.features.registry import create_front_end

CONFIG = LogMelConfig()
EXCERPT_S, SHIFT_S, GAIN = 15.5, 0.3, 0.5
FOUND_AT_LEAST, FALSE_AT_MOST = 0.95, 0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folders", nargs="+", type=Path)
    arguments.add_argument("--pairs", type=int, default=2000, help="of different recordings")
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    groups, originals, copies = [], [], {"mp3": [], "shift": [], "gain": [], "all": []}
    for group, path in sorted(files(options.folders), key=str):
        try:
            sound = load_excerpt(path, sample_rate=CONFIG.sample_rate, duration_s=EXCERPT_S)
            cut = round(SHIFT_S * CONFIG.sample_rate)
            originals.append(fingerprints(sound[:-cut]))
            copies["mp3"].append(fingerprints(mp3(sound[:-cut])))
            copies["shift"].append(fingerprints(sound[cut:]))
            copies["gain"].append(fingerprints(sound[:-cut] * GAIN))
            copies["all"].append(fingerprints(mp3(sound[cut:] * GAIN)))
            groups.append(group)
        except AudioError as error:
            print(f"left out: {error.message}", file=sys.stderr)
    print(f"{len(groups)} files of {len(set(groups))} recordings; copies count from a correlation of {SAME}")
    good = True
    stored = np.concatenate([description for description, _ in originals])
    owner = np.repeat(np.arange(len(originals)), [len(description) for description, _ in originals])
    for name, planted in copies.items():
        near = [owner[nearest(description, stored, NEIGHBOURS)] == k for k, (description, _) in enumerate(planted)]
        found = [agreement(a, b) * bool(met.any()) for a, b, met in zip(originals, planted, near, strict=True)]
        rate = np.mean(np.array(found) >= SAME)
        good &= rate >= FOUND_AT_LEAST
        print(f"{name:>6}: found {rate:.3f}   lowest {min(found):.3f}, 5 % below {np.quantile(found, 0.05):.3f}")
    pairs = [(a, b) for a, b in combinations(range(len(groups)), 2) if groups[a] != groups[b]]
    chosen = np.random.default_rng(options.seed).permutation(len(pairs))[: options.pairs]
    other = np.array([agreement(originals[pairs[k][0]], originals[pairs[k][1]]) for k in chosen])
    false = int((other >= SAME).sum())
    good &= false <= FALSE_AT_MOST
    print(f" other: {false} false alarms on {len(other)} pairs   highest {np.sort(other)[-5:][::-1].round(3).tolist()}")
    return 0 if good else 1


def files(folders: list[Path]) -> list[tuple[str, Path]]:
    """(recording, path) of every sound file."""
    found = []
    for folder in folders:
        groups = {}
        if (folder / "manifest.csv").exists():
            with open(folder / "manifest.csv", encoding="utf-8") as file:
                groups = {Path(row["file"]).name: row["group_id"] for row in csv.DictReader(file)}
        found += [
            (groups.get(path.name, str(path)), path)
            for path in folder.rglob("*")
            if path.suffix.lower() in AUDIO_SUFFIXES
        ]
    return found


def fingerprints(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n_segments, n) descriptions and (n_segments, bands, n_frames) shapes, through float16 as in a data set."""
    segments, _ = cut_segments(sound, sample_rate=CONFIG.sample_rate, seconds=5.0)
    with torch.inference_mode():
        log_mels = create_front_end(CONFIG)(torch.from_numpy(np.array(segments))).numpy().astype(np.float16)
    return describe(log_mels, CONFIG), reduce_log_mels(log_mels, CONFIG)


def mp3(sound: np.ndarray) -> np.ndarray:
    """Through an MP3 of about 64 kbit/s."""
    file = io.BytesIO()
    soundfile.write(file, sound, CONFIG.sample_rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.8)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0][: len(sound)]


def agreement(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """The best of all pairs of segments."""
    left, right = np.indices((len(a[1]), len(b[1]))).reshape(2, -1)
    return float(similarity(a[1][left], b[1][right], CONFIG).max())


if __name__ == "__main__":
    raise SystemExit(main())
