"""What `tag` takes for silence, noise or speech instead of music, counted over folders of recordings.

    python benchmarks/quality.py --speech DIR --music DIR [--music DIR]

Short recordings of a folder of speech, such as the prompts of a telephone system, are joined to clips of 30 seconds
with a third of a second between them. (Debian's packages asterisk-core-sounds-*-wav and ktuberling-data hold such, in
30 languages.)
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geoclass.audio.decode import AUDIO_SUFFIXES, load_audio, load_excerpt
from geoclass.audio.quality import describe
from geoclass.errors import AudioError

RATE = 22_050  # Hz
CLIP_S = 30.0
GAP_S = 0.33
MOST_CLIPS = 15  # of a folder of speech, which is mostly one voice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, action="append", default=[])
    parser.add_argument("--music", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    for folder in arguments.speech:
        counts = Counter(describe(clip, sample_rate=RATE) or "music" for clip in _joined(folder))
        print(f"speech in {folder}: {dict(counts)}")
    for folder in arguments.music:
        counts = Counter()
        for path in _sound_files(folder):
            note = describe(load_excerpt(path, sample_rate=RATE, duration_s=CLIP_S), sample_rate=RATE)
            counts[note or "music"] += 1
            if note:
                print(f"  {note}: {path}")
        print(f"music in {folder}: {dict(counts)}")


def _joined(folder: Path) -> Iterator[NDArray[np.float32]]:
    """Clips of 30 s of each folder of short recordings."""
    by_folder: dict[Path, list[NDArray[np.float32]]] = {}
    gap = np.zeros(round(GAP_S * RATE), np.float32)
    for path in _sound_files(folder):
        try:
            by_folder.setdefault(path.parent, []).extend([load_audio(path, sample_rate=RATE), gap])
        except AudioError:
            continue
    n_samples = round(CLIP_S * RATE)
    for parts in by_folder.values():
        sound = np.concatenate(parts)
        n_clips = min(MOST_CLIPS, len(sound) // n_samples)
        yield from sound[: n_clips * n_samples].reshape(n_clips, n_samples)


def _sound_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)


if __name__ == "__main__":
    main()
