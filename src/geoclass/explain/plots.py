"""The figure of an explanation: seconds across, Hz upwards; orange supports the label, blue opposes it."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from geoclass.config.frontends import FrontEndConfig
from geoclass.evidence.pool import Verdict
from geoclass.evidence.sound import CONFIDENCE
from geoclass.explain.axes import band_axis, band_edges, signed_bars, smooth
from geoclass.explain.explain import Explanation
from geoclass.explain.witnesses import contributions
from geoclass.metrics.geography import capital
from geoclass.plotting import BLUE, FAINT, GREEN, INK, ORANGE, new_figure, outline, save_png, style
from geoclass.reporting.worldmap import draw_world, label_place
from geoclass.text import printable

_BARS = 8
_NAMED = 5  # candidates that are named on the map
_VISIBLE = 0.01  # probability from which a country is shaded
Candidates = Sequence[tuple[str, float]]  # best first


def draw_explanation(
    explanation: Explanation, front_end: FrontEndConfig, path: str | Path, *, verdict: Verdict | None = None
) -> Path:
    """Write one PNG: waveform, features with what decided over them, candidates, witnesses, and for a country the map.

    Args:
        explanation: What the model heard.
        front_end: Of the model.
        path: Of the PNG.
        verdict: What all witnesses say of the country; None: the model is the only one.
    """
    with style():
        figure = new_figure(12, 8.6)
        upper, lower = figure.subfigures(2, 1, height_ratios=(3, 2))
        prediction = explanation.prediction
        candidates = prediction.candidates if verdict is None else verdict.candidates()
        threshold = prediction.threshold if verdict is None else CONFIDENCE
        (best, probability) = candidates[0]
        said = "is written" if probability >= threshold else f"below the threshold of {threshold:.2f}: not written"
        figure.suptitle(
            f"{printable(explanation.path.name)}\n{prediction.task}: {best} {probability:.2f}, {said}; "
            f"what the model heard is explained for {explanation.label}",
            fontsize="medium",
            parse_math=False,  # names hold dollar signs
        )
        if explanation.columns:
            _waveform(upper.subplots(1, 2), explanation)
        else:
            _sound(upper, explanation, front_end)
        n_panels = 1 + (verdict is not None) + (prediction.task == "country")
        panels = list(np.atleast_1d(lower.subplots(1, n_panels, width_ratios=(1.0, 1.3, 2.2)[-n_panels:])))
        _candidates(panels[0], candidates, explanation.label, threshold)
        if verdict is not None:
            _witnesses(panels[1], verdict, best)
        if prediction.task == "country":
            _map(lower, panels[-1], candidates)
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
    heard.set_title("log-mel spectrogram; orange supports the label, blue opposes it (integrated gradients)")
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


def _candidates(axes: Any, candidates: Candidates, explained: str, threshold: float) -> None:
    shown = candidates[:_BARS]
    rows = np.arange(len(shown))
    axes.barh(
        rows,
        [probability for _, probability in shown],
        color=[ORANGE if name == explained else BLUE for name, _ in shown],
    )
    for row, (_, probability) in enumerate(shown):
        number = axes.annotate(
            f"{probability:.2f}", (probability, row), (3, 0), textcoords="offset points", va="center", fontsize=8
        )
        outline(number)  # the threshold may run through it
    axes.axvline(threshold, color=INK, linestyle=":", linewidth=1)
    axes.set_yticks(rows, [name for name, _ in shown])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.15), xlabel="probability (dotted: threshold)")


def _witnesses(axes: Any, verdict: Verdict, country: str) -> None:
    """A bar per witness: what it adds to the log-odds of the likeliest country."""
    found = contributions(verdict, country)[:_BARS]
    names = [f"{one.witness} ({one.clue})" if one.clue != one.witness else one.witness for one in found]
    signed_bars(axes, names, np.array([one.log_odds for one in found]), height=0.35)
    for row, one in enumerate(found):
        because = shorten(one.because, 50, placeholder="…")
        axes.annotate(because, (0, row + 0.34), (2, 0), textcoords="offset points", va="center", fontsize=7)
    axes.set_ylim(max(len(found), 3) - 0.3, -0.5)
    axes.set_xlabel(f"contribution to {country} (log-odds)")


def _map(area: Any, axes: Any, candidates: Candidates) -> None:
    likely = {code: probability for code, probability in candidates if probability >= _VISIBLE}
    drawn = draw_world(axes, shades=likely)
    if drawn is not None:
        area.colorbar(drawn, ax=axes, label="probability", shrink=0.7)
    for code in [*likely][:_NAMED]:
        if (place := capital(code)) is not None:
            outline(label_place(axes, place, code, points_above=0))


def _against_for() -> Any:
    """Blue, clear, orange: what is near zero lets the log-mel through."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    colours = [(*to_rgb(BLUE), 0.85), (*to_rgb(BLUE), 0.0), (*to_rgb(ORANGE), 0.0), (*to_rgb(ORANGE), 0.85)]
    return LinearSegmentedColormap.from_list("against-for", list(zip((0.0, 0.5, 0.5, 1.0), colours, strict=True)))
