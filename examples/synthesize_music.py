"""Synthesize a small corpus of MP3 files, to try geoclass where no music lies at hand.

    python examples/synthesize_music.py music/ --artists 6 --tracks 2
    geoclass build-dataset data/ --folder music/

Each country gets a scale, a tempo and a timbre of its own; each artist a tuning, a register and a room. None of it
is real music: it only gives the program something that can be told apart.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 22_050  # Hz
SCALES = {  # semitones above the tonic; notes per second; relative strength of the first harmonics
    "TR": ((0, 1, 4, 5, 7, 8, 11), 5.0, (1.0, 0.2, 0.7, 0.1, 0.5)),
    "CN": ((0, 2, 4, 7, 9), 2.0, (1.0, 0.8, 0.1, 0.0, 0.0)),
    "IN": ((0, 1, 4, 6, 7, 8, 11), 8.0, (0.5, 1.0, 0.9, 0.8, 0.7)),
    "GB": ((0, 2, 4, 5, 7, 9, 11), 3.0, (1.0, 0.5, 0.33, 0.25, 0.2)),
    "ML": ((0, 3, 5, 7, 10), 6.0, (0.3, 0.1, 0.0, 1.0, 0.0)),
}


def synthesize(country: str, *, artist: int, track: int, seconds: float) -> np.ndarray:
    """One song: (n_samples,) float32, mono."""
    rng = np.random.default_rng([sum(map(ord, country)), artist, track])
    taste = np.random.default_rng([artist])
    scale, notes_a_second, harmonics = SCALES[country]
    tonic_hz = 220.0 * 2 ** (taste.uniform(-6, 6) / 12)
    n_samples = round(seconds * SAMPLE_RATE)
    song = np.zeros(n_samples)
    length = round(SAMPLE_RATE / notes_a_second)
    time_s = np.arange(2 * length) / SAMPLE_RATE
    envelope = np.exp(-3 * time_s * notes_a_second) * np.minimum(1, time_s * 200)
    for start in range(0, n_samples, length):
        pitch_hz = tonic_hz * 2 ** (rng.choice(scale) / 12 + rng.integers(0, 2))
        note = sum(
            strength * np.sin(2 * np.pi * pitch_hz * (number + 1) * time_s) for number, strength in enumerate(harmonics)
        )
        end = min(start + len(time_s), n_samples)
        song[start:end] += (note * envelope)[: end - start]
    song += taste.uniform(0.001, 0.01) * rng.standard_normal(n_samples)
    return (0.5 * song / np.abs(song).max()).astype(np.float32)


def write_corpus(
    folder: Path, *, countries: tuple[str, ...] = tuple(SCALES), artists: int = 6, tracks: int = 2, seconds: float = 12
) -> list[Path]:
    """Write folder/COUNTRY/ARTIST/TRACK.mp3 and return the files."""
    written = []
    for country in countries:
        for artist in range(artists):
            for track in range(tracks):
                path = folder / country / f"artist {artist + 1}" / f"song {track + 1}.mp3"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, synthesize(country, artist=artist, track=track, seconds=seconds), SAMPLE_RATE)
                written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--artists", type=int, default=6, help="a country")
    parser.add_argument("--tracks", type=int, default=2, help="an artist")
    parser.add_argument("--seconds", type=float, default=12, help="of a track")
    arguments = parser.parse_args()
    files = write_corpus(
        arguments.folder, artists=arguments.artists, tracks=arguments.tracks, seconds=arguments.seconds
    )
    print(f"{len(files)} songs in {arguments.folder}")


if __name__ == "__main__":
    main()
