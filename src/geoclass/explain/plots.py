"""Pictures of explanations: seconds across, Hz upwards; orange speaks for the answer, blue against it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.config.frontends import FrontEndConfig, LogMelConfig
from geoclass.explain.explain import ClassPortraits, Explanation
from geoclass.plotting import BLUE, FAINT, GREEN, INK, ORANGE, new_figure, save_png, style
from geoclass.reporting.worldmap import draw_world

_TICKS_HZ = (100, 500, 1000, 2000, 4000, 8000)
_BARS = 8


def draw_explanation(explanation: Explanation, front_end: FrontEndConfig, path: str | Path) -> Path:
    """Write one PNG: waveform, what was heard with what decided over it, candidates, and for a country the map."""
    with style():
        figure = new_figure(11, 8.2)
        upper, lower = figure.subfigures(2, 1, height_ratios=(3, 2))
        best = explanation.prediction.candidates[0]
        value = explanation.prediction.value()
        said = (
            "would be written"
            if value
            else f"below the threshold of {explanation.prediction.threshold:.2f}: not written"
        )
        figure.suptitle(
            f"{explanation.path.name}\n{explanation.prediction.task}: {best[0]} {best[1]:.2f}, {said}; "
            f"shown: what speaks for {explanation.label}",
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
    edges_y = _band_edges(front_end, n_bands)
    scale = float(np.quantile(np.abs(explanation.contributions), 0.995)) or 1.0
    for index, start_s in enumerate(explanation.starts_s):
        edges_s = start_s + np.linspace(0, explanation.segment_seconds, n_frames + 1)
        heard.pcolormesh(edges_s, edges_y, explanation.features[index], cmap="gray", rasterized=True)
        smooth = _smooth(explanation.contributions[index]) / scale
        heard.pcolormesh(edges_s, edges_y, smooth, cmap=_against_for(), vmin=-1, vmax=1, rasterized=True)
        if explanation.attention is not None:
            weights = explanation.attention[index] * n_frames  # 1 is even attention
            wave.plot((edges_s[:-1] + edges_s[1:]) / 2, weights / 4, color=GREEN, linewidth=1,
                      label="attention" if index == 0 else None)  # fmt: skip
        if index:
            heard.axvline(start_s, color="white", linewidth=0.6)
    _band_axis(heard, front_end, n_bands)
    heard.set_xlabel("seconds of the excerpt that was heard (the middle of the file)")
    heard.set_title("log-mel; orange speaks for the answer, blue against it (integrated gradients)")
    wave.legend(loc="upper right", fontsize="small", ncols=3)


def _draw_wave(axes: Any, explanation: Explanation) -> None:
    n_bins = min(1500, len(explanation.waveform))
    parts = np.array_split(explanation.waveform, n_bins)
    seconds = np.linspace(0, len(explanation.waveform) / explanation.sample_rate, n_bins)
    axes.fill_between(seconds, [part.min() for part in parts], [part.max() for part in parts], color=FAINT, linewidth=0)
    for index, (start_s, support) in enumerate(zip(explanation.starts_s, explanation.support, strict=True)):
        label = f"probability of {explanation.label}, segment by segment" if index == 0 else None
        axes.plot(
            [start_s, start_s + explanation.segment_seconds], [support] * 2, color=ORANGE, linewidth=2.5, label=label
        )
    axes.set(ylim=(-1, 1.05), xlim=(0, len(explanation.waveform) / explanation.sample_rate), ylabel="waveform")
    axes.axhline(0, color=FAINT, linewidth=0.5)


def _waveform(panels: Any, explanation: Explanation) -> None:
    wave, bars = panels
    _draw_wave(wave, explanation)
    wave.set_xlabel("seconds of the excerpt that was heard")
    wave.legend(loc="upper right", fontsize="small")
    strongest = explanation.strongest_columns(16)
    names, values = [name for name, _ in strongest], np.array([value for _, value in strongest])
    _signed_bars(bars, names, values)
    bars.set_xlabel(f"adds to {explanation.label} (Shapley value)")


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


def draw_portraits(portraits: ClassPortraits, front_end: FrontEndConfig, folder: str | Path) -> list[Path]:
    """Write what each class listens for: by band (or column), the most typical segments, and typical.csv."""
    folder = Path(folder)
    with style():
        if portraits.columns:
            drawn = [save_png(_by_column(portraits), folder / "columns.png")]
            if portraits.importance is not None:
                drawn.append(save_png(_importances(portraits), folder / "importance.png"))
        else:
            drawn = [
                save_png(_by_band(portraits, front_end), folder / "bands.png"),
                save_png(_grid(portraits, front_end), folder / "maps.png"),
            ]
    from geoclass.storage import atomic_path

    with atomic_path(folder / "typical.csv") as temporary:
        portraits.typical.to_csv(temporary, index=False, lineterminator="\n", errors="surrogateescape")
    return [*drawn, folder / "typical.csv"]


def _by_band(portraits: ClassPortraits, front_end: FrontEndConfig) -> Any:
    by_band = portraits.maps.sum(axis=2)  # (n_labels, n_bands)
    by_band = by_band / np.maximum(np.abs(by_band).max(axis=1, keepdims=True), 1e-12)
    n_labels, n_bands = by_band.shape
    figure = new_figure(2.2 + 0.4 * n_labels, 4.6)
    axes = figure.subplots()
    edges = _band_edges(front_end, n_bands)
    mesh = axes.pcolormesh(np.arange(n_labels + 1) - 0.5, edges, by_band.T, cmap="PuOr_r", vmin=-1, vmax=1)
    axes.set_xticks(range(n_labels), portraits.labels, rotation=90)
    _band_axis(axes, front_end, n_bands)
    figure.colorbar(mesh, label="speaks for the class (each class scaled to 1)")
    axes.set_title("which bands decide, by class")
    return figure


def _grid(portraits: ClassPortraits, front_end: FrontEndConfig, *, most: int = 24) -> Any:
    labels = portraits.labels[:most]
    figure = new_figure(9, 0.4 + 1.6 * len(labels))
    grid = figure.subplots(len(labels), 2, squeeze=False, sharex=True, sharey=True)
    n_bands, n_frames = portraits.maps.shape[1:]
    edges_y, edges_x = _band_edges(front_end, n_bands), np.linspace(0, 1, n_frames + 1)
    if isinstance(front_end, LogMelConfig):
        edges_x = np.arange(n_frames + 1) * front_end.hop_length / front_end.sample_rate
    for index, (label, (left, right)) in enumerate(zip(labels, grid, strict=True)):
        values = _smooth(portraits.maps[index])
        scale = float(np.quantile(np.abs(values), 0.995)) or 1.0
        left.pcolormesh(edges_x, edges_y, values, cmap="PuOr_r", vmin=-scale, vmax=scale)
        right.pcolormesh(edges_x, edges_y, portraits.examples[index], cmap="magma")
        first = portraits.typical[portraits.typical["label"] == label].iloc[0]
        left.set_title(f"{label}: mean map", fontsize="small")
        right.set_title(
            f"most typical: {first['track_id']} at {first['start_s']:.0f} s, {first['probability']:.2f}",
            fontsize="small",
        )
        for axes in (left, right):
            _band_axis(axes, front_end, n_bands)
        right.set_ylabel("")
    for axes in grid[-1]:
        axes.set_xlabel("seconds of the segment" if isinstance(front_end, LogMelConfig) else "share of the segment")
    return figure


def _by_column(portraits: ClassPortraits, *, most: int = 25) -> Any:
    order = np.argsort(-np.abs(portraits.maps).mean(axis=0), kind="stable")[:most]
    figure = new_figure(4 + 0.4 * len(portraits.labels), 1.5 + 0.22 * len(order))
    axes = figure.subplots()
    scale = float(np.abs(portraits.maps).max()) or 1.0
    image = axes.imshow(portraits.maps[:, order].T, cmap="PuOr_r", vmin=-scale, vmax=scale, aspect="auto")
    axes.set_yticks(range(len(order)), [portraits.columns[index] for index in order], fontsize=8)
    axes.set_xticks(range(len(portraits.labels)), portraits.labels, rotation=90)
    figure.colorbar(image, label="adds to the class (Shapley value)")
    return figure


def _importances(portraits: ClassPortraits, *, most: int = 25) -> Any:
    assert portraits.importance is not None
    order = np.argsort(-portraits.importance, kind="stable")[:most]
    figure = new_figure(7, 1 + 0.24 * len(order))
    axes = figure.subplots()
    _signed_bars(axes, [portraits.columns[index] for index in order], portraits.importance[order])
    axes.set_xlabel("accuracy lost when the column is shuffled")
    return figure


def _signed_bars(axes: Any, names: list[str], values: NDArray[np.float64]) -> None:
    rows = np.arange(len(names))
    axes.barh(rows, values, color=[ORANGE if value > 0 else BLUE for value in values])
    axes.set_yticks(rows, names, fontsize=8)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.invert_yaxis()


def _band_edges(front_end: FrontEndConfig, n_bands: int) -> NDArray[np.float64]:
    if not isinstance(front_end, LogMelConfig):
        return np.arange(n_bands + 1, dtype=np.float64) - 0.5
    import librosa

    edges = librosa.mel_frequencies(n_mels=n_bands + 1, fmin=front_end.f_min_hz, fmax=front_end.f_max_hz)
    return np.asarray(edges, np.float64)


def _band_axis(axes: Any, front_end: FrontEndConfig, n_bands: int) -> None:
    if not isinstance(front_end, LogMelConfig):
        axes.set(ylabel="band", ylim=(-0.5, n_bands - 0.5))
        return
    axes.set_yscale("symlog", linthresh=1000)  # the mel scale: linear up to 1 kHz, logarithmic above
    ticks = [hz for hz in _TICKS_HZ if front_end.f_min_hz <= hz <= front_end.f_max_hz]
    axes.set_yticks(ticks, [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in ticks])
    axes.set_yticks([], minor=True)
    axes.set(ylabel="Hz", ylim=(front_end.f_min_hz, front_end.f_max_hz))


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Single bins of a gradient are noise; neighbourhoods of about 0.1 s and a few bands are not."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(values, sigma=(2, 2), mode="nearest")
    return np.asarray(smooth * (np.abs(values).max() / max(np.abs(smooth).max(), 1e-30)) * 0.7)


def _against_for() -> Any:
    """Blue, clear, orange: what is near zero lets the log-mel through."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    colours = [(*to_rgb(BLUE), 0.85), (*to_rgb(BLUE), 0.0), (*to_rgb(ORANGE), 0.0), (*to_rgb(ORANGE), 0.85)]
    return LinearSegmentedColormap.from_list("against-for", list(zip((0.0, 0.5, 0.5, 1.0), colours, strict=True)))
