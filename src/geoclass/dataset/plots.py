"""Figures of a data set: tracks per label, durations, and what the features look like."""

from pathlib import Path
from typing import Any

import numpy as np

from geoclass.config.frontends import LogMelConfig
from geoclass.dataset.dataset import Dataset
from geoclass.plotting import BLUE, PALETTE, new_figure, save_png, style
from geoclass.vocabulary import SPLITS


def plot_dataset(dataset: Dataset, folder: Path) -> list[Path]:
    """Draw counts by label and split, durations, and sample log-mels; return the PNG files."""
    with style():
        drawn = [save_png(_counts(dataset, task), folder / f"counts-{task}.png") for task in dataset.tasks]
        if dataset.tracks["duration_s"].notna().any():
            drawn.append(save_png(_durations(dataset), folder / "durations.png"))
        if isinstance(dataset.front_end, LogMelConfig):
            drawn.append(save_png(_log_mels(dataset, dataset.front_end), folder / "log-mels.png"))
    return drawn


def _counts(dataset: Dataset, task: str) -> Any:
    counts = dataset.document["counts"][task]
    labels = sorted(counts, key=lambda label: -sum(counts[label][split]["tracks"] for split in SPLITS))
    figure = new_figure(7, 1.2 + 0.28 * len(labels))
    axes = figure.subplots()
    left = np.zeros(len(labels))
    for split, colour in zip(SPLITS, PALETTE, strict=False):
        numbers = np.array([counts[label][split]["tracks"] for label in labels])
        axes.barh(labels, numbers, left=left, label=split, color=colour)
        left += numbers
    axes.invert_yaxis()
    axes.set(xlabel="tracks", title=f"{task}: tracks by split ({dataset.protocol})")
    axes.legend()
    return figure


def _durations(dataset: Dataset) -> Any:
    figure = new_figure(7, 3.2)
    axes = figure.subplots()
    axes.hist(dataset.tracks["duration_s"].dropna(), bins=40, color=BLUE)
    axes.set(xlabel="duration (s)", ylabel="tracks", title="durations, according to the corpus")
    return figure


def _log_mels(dataset: Dataset, config: LogMelConfig, *, n_labels: int = 6, per_label: int = 2) -> Any:
    """The first training segments of the most frequent labels, seconds across and Hz upwards."""
    import librosa

    task = dataset.tasks[0]
    split = dataset.split("train")
    of_track = split.tracks[task] if dataset.kind(task) == "single" else split.tracks["genres"].str.split("|").str[0]
    labels = of_track.value_counts(sort=True).index[:n_labels].tolist()
    figure = new_figure(4.5 * per_label, 2.0 * len(labels))
    grid = figure.subplots(len(labels), per_label, squeeze=False, sharex=True, sharey=True)
    edges_hz = librosa.mel_frequencies(n_mels=config.n_mels + 1, fmin=config.f_min_hz, fmax=config.f_max_hz)
    mesh = None
    for row, label in zip(grid, labels, strict=True):
        rows_of_label = np.flatnonzero((of_track == label).to_numpy())[:per_label]
        for axes, track in zip(row, rows_of_label, strict=False):
            segment = int(split.segment_ids[np.flatnonzero(split.track_of_segment == track)[0]])
            log_mel = np.asarray(dataset.features[segment], np.float32)  # (n_mels, n_frames)
            edges_s = np.arange(log_mel.shape[1] + 1) * config.hop_length / config.sample_rate
            mesh = axes.pcolormesh(edges_s, edges_hz, log_mel, vmin=-config.top_db, vmax=0, cmap="magma")
            axes.set_yscale("symlog", linthresh=1000)
            axes.set_yticks([100, 500, 1000, 2000, 4000, 8000], ["100", "500", "1k", "2k", "4k", "8k"])
            axes.set_ylim(config.f_min_hz, config.f_max_hz)
            axes.set_title(f"{label}: {split.tracks['track_id'][track]}", fontsize="small", parse_math=False)
        row[0].set_ylabel("frequency (Hz)")
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    if mesh is not None:
        figure.colorbar(mesh, ax=grid, label="dB below the loudest bin", shrink=0.5)
    return figure
