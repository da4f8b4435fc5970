"""Describe groups of recordings, so that `learn` can draw rows like theirs.

    python tools/make_background.py --world DIR --popular DIR --gtzan DIR --loops DIR --music DIR

Into src/geoclass/learning/background.safetensors go no sound, name or row: of each group 21 quantiles of each
descriptor and 24 factors of their correlation. Every recording of a group counts alike, however long it is.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.special import ndtri

from geoclass.audio.decode import AUDIO_SUFFIXES, load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.config.frontends import DescriptorsConfig
from geoclass.features.registry import create_front_end
from geoclass.learning.background import FILE

SECONDS, EXCERPT_SECONDS = 5.0, 30.0
N_QUANTILES, N_FACTORS = 21, 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("world", "popular", "gtzan", "loops", "music"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    torch.set_num_threads(1)
    groups = {
        "field": [options.world],
        "popular": [options.popular, options.gtzan, options.music],
        "loops": [options.loops],
    }
    tensors: dict[str, NDArray[np.generic]] = {}
    for group, folders in groups.items():
        rows, weights = read([file for folder in folders for file in sound_files(folder)])
        quantiles, factor = describe(rows, weights)
        tensors |= {f"{group}.quantiles": quantiles.astype(np.float32), f"{group}.factor": factor.astype(np.float16)}
        print(f"{group}: {len(rows)} segments")
    save_file(tensors, options.out)


def sound_files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in AUDIO_SUFFIXES]


def read(files: list[Path]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows of all segments, and their weights: one for each file."""
    config = DescriptorsConfig()
    front_end = create_front_end(config)
    rows, weights = [], []
    for file in files:
        sound = load_excerpt(file, sample_rate=config.sample_rate, duration_s=EXCERPT_SECONDS)
        segments, _ = cut_segments(sound, sample_rate=config.sample_rate, seconds=SECONDS)
        with torch.inference_mode():
            rows.append(front_end(torch.from_numpy(segments)).double().numpy())
        weights += [1 / len(segments)] * len(segments)
    return np.concatenate(rows), np.array(weights)


def describe(
    rows: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted quantiles (N_QUANTILES, n_columns); factors of the scores' correlation (N_FACTORS, n_columns)."""
    knots = np.linspace(0, 1, N_QUANTILES)
    knots[[0, -1]] = 0.005, 0.995  # a single odd segment describes nothing
    order = np.argsort(rows, axis=0)
    quantiles, normal = np.empty((N_QUANTILES, rows.shape[1])), np.empty_like(rows)
    for column, ranking in enumerate(order.T):
        place = (np.cumsum(weights[ranking]) - weights[ranking] / 2) / weights.sum()
        quantiles[:, column] = np.interp(knots, place, rows[ranking, column])
        normal[ranking, column] = ndtri(np.clip(place, 0.005, 0.995))
    scaled = (normal - np.average(normal, axis=0, weights=weights)) * np.sqrt(weights / weights.sum())[:, None]
    scaled /= np.linalg.norm(scaled, axis=0) + 1e-12
    _, strength, directions = np.linalg.svd(scaled, full_matrices=False)
    return quantiles, strength[:N_FACTORS, None] * directions[:N_FACTORS]


if __name__ == "__main__":
    main()
