"""The figure of an explanation: seconds across, Hz upwards; orange speaks for the label, blue against it."""

from pathlib import Path
from typing import Any

import numpy as np

from geoclass.config.frontends import FrontEndConfig
from geoclass.explain.axes import band_axis, band_edges, signed_bars, smooth
from geoclass.explain.explain import Explanation
from geoclass.plotting import BLUE, FAINT, GREEN, INK, ORANGE, new_figure, save_png, style
from geoclass.reporting.worldmap import draw_world

_BARS = 8


def draw_explanation(explanation: Explanation, front_end: FrontEndConfig, path: str | Path) -> Path:
    """Write one PNG: waveform, features with what decided over them, candidates, and for a country the map."""
    with style():
        figure = new_figure(11, 8.2)
        upper, lower = figure.subfigures(2, 1, height_ratios=(3, 2))
        best = explanation.prediction.candidates[0]
        value = explanation.prediction.value()
        said = "is written" if value else f"below the threshold of {explanation.prediction.threshold:.2f}: not written"
        figure.suptitle(
            f"{explanation.path.name}\n{explanation.prediction.task}: {best[0]} {best[1]:.2f}, {said}; "
            f"shown: evidence for {explanation.label}",
            fontsize="medium",
        )
        if explanation.columns:
            _waveform(upper.subplots(1, 2), explanation)
        else:
            _sound(upper, explanation, front_end)
        if explanation.prediction.task == "country":
            bars, world = lower.subplots(1, 2, width_ratios=(1, 2.4))
            shades = dict(
                zip(explanation.prediction.labels, map(float, explanation.prediction.probabilities), strict=True)
            )
            lower.colorbar(draw_world(world, shades=shades), ax=world, label="probability", shrink=0.7)
        else:
            bars = lower.subplots()
        _candidates(bars, explanation)
        return save_png(figure, Path(path))


def _sound(area: Any, explanation: Explanation, front_end: FrontEndConfig) -> None:
    wave, heard = area.subplots(2, 1, height_ratios=(1, 3), sharex=True)
    _draw_wave(wave, explanation)
    n_bands, n_frames = explanation.features.shape[1:]
    edges_y = band_edges(front_end, n_bands)
    scale = float(np.quantile(np.abs(explanation.contributions), 0.995)) or 1.0
    for index, start_s in enumerate(explanation.starts_s):
        edges_s = start_s + np.linspace(0, explanation.segment_seconds, n_frames + 1)
        heard.pcolormesh(edges_s, edges_y, explanation.features[index], cmap="gray", rasterized=True)
        smoothed = smooth(explanation.contributions[index]) / scale
        heard.pcolormesh(edges_s, edges_y, smoothed, cmap=_against_for(), vmin=-1, vmax=1, rasterized=True)
        if explanation.attention is not None:
            weights = explanation.attention[index] * n_frames  # 1: uniform attention
            wave.plot((edges_s[:-1] + edges_s[1:]) / 2, weights / 4, color=GREEN, linewidth=1,
                      label="attention" if index == 0 else None)  # fmt: skip
        if index:
            heard.axvline(start_s, color="white", linewidth=0.6)
    band_axis(heard, front_end, n_bands)
    heard.set_xlabel("time in the excerpt analysed (s)")
    heard.set_title("log-mel spectrogram; orange speaks for the label, blue against it (integrated gradients)")
    wave.legend(loc="upper right", fontsize="small", ncols=3)


def _draw_wave(axes: Any, explanation: Explanation) -> None:
    n_bins = min(1500, len(explanation.waveform))
    parts = np.array_split(explanation.waveform, n_bins)
    seconds = np.linspace(0, len(explanation.waveform) / explanation.sample_rate, n_bins)
    axes.fill_between(seconds, [part.min() for part in parts], [part.max() for part in parts], color=FAINT, linewidth=0)
    for index, (start_s, support) in enumerate(zip(explanation.starts_s, explanation.support, strict=True)):
        label = f"probability of {explanation.label} per segment" if index == 0 else None
        axes.plot(
            [start_s, start_s + explanation.segment_seconds], [support] * 2, color=ORANGE, linewidth=2.5, label=label
        )
    axes.set(ylim=(-1, 1.05), xlim=(0, len(explanation.waveform) / explanation.sample_rate), ylabel="waveform")
    axes.axhline(0, color=FAINT, linewidth=0.5)


def _waveform(panels: Any, explanation: Explanation) -> None:
    wave, bars = panels
    _draw_wave(wave, explanation)
    wave.set_xlabel("time in the excerpt analysed (s)")
    wave.legend(loc="upper right", fontsize="small")
    strongest = explanation.strongest_columns(16)
    names, values = [name for name, _ in strongest], np.array([value for _, value in strongest])
    signed_bars(bars, names, values)
    bars.set_xlabel(f"contribution to {explanation.label} (Shapley value)")


def _candidates(axes: Any, explanation: Explanation) -> None:
    shown = explanation.prediction.candidates[:_BARS]
    rows = np.arange(len(shown))
    colours = [ORANGE if label == explanation.label else BLUE for label, _ in shown]
    axes.barh(rows, [probability for _, probability in shown], color=colours)
    for row, (_, probability) in enumerate(shown):
        axes.annotate(
            f"{probability:.2f}", (probability, row), (3, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.axvline(explanation.prediction.threshold, color=INK, linestyle=":", linewidth=1)
    axes.set_yticks(rows, [label for label, _ in shown])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.1), xlabel="probability (dotted: threshold)")


def _against_for() -> Any:
    """Blue, clear, orange: what is near zero lets the log-mel through."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    colours = [(*to_rgb(BLUE), 0.85), (*to_rgb(BLUE), 0.0), (*to_rgb(ORANGE), 0.0), (*to_rgb(ORANGE), 0.85)]
    return LinearSegmentedColormap.from_list("against-for", list(zip((0.0, 0.5, 0.5, 1.0), colours, strict=True)))
