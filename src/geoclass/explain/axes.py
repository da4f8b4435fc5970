"""What the figures of explanations share: the axis of bands, smoothing, and bars on both sides of zero."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.config.frontends import FrontEndConfig, LogMelConfig
from geoclass.plotting import BLUE, INK, ORANGE

_TICKS_HZ = (100, 500, 1000, 2000, 4000, 8000)


def signed_bars(axes: Any, names: list[str], values: NDArray[np.float64], *, height: float = 0.8) -> None:
    """A bar per name, the first on top: orange above zero, blue below."""
    rows = np.arange(len(names))
    axes.barh(rows, values, height=height, color=[ORANGE if value > 0 else BLUE for value in values])
    axes.set_yticks(rows, names, fontsize=8)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.invert_yaxis()


def band_edges(front_end: FrontEndConfig, n_bands: int) -> NDArray[np.float64]:
    """(n_bands + 1,) limits of the bands: in Hz for log-mels, else their numbers."""
    if not isinstance(front_end, LogMelConfig):
        return np.arange(n_bands + 1, dtype=np.float64) - 0.5
    import librosa

    edges = librosa.mel_frequencies(n_mels=n_bands + 1, fmin=front_end.f_min_hz, fmax=front_end.f_max_hz)
    return np.asarray(edges, np.float64)


def band_axis(axes: Any, front_end: FrontEndConfig, n_bands: int) -> None:
    """Scale, ticks and limits of the axis of bands."""
    if not isinstance(front_end, LogMelConfig):
        axes.set(ylabel="band", ylim=(-0.5, n_bands - 0.5))
        return
    axes.set_yscale("symlog", linthresh=1000)  # the mel scale: linear up to 1 kHz, logarithmic above
    ticks = [hz for hz in _TICKS_HZ if front_end.f_min_hz <= hz <= front_end.f_max_hz]
    axes.set_yticks(ticks, [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in ticks])
    axes.set_yticks([], minor=True)
    axes.set(ylabel="Hz", ylim=(front_end.f_min_hz, front_end.f_max_hz))


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Single bins of a gradient are noise; neighbourhoods of about 0.1 s and a few bands are not."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(values, sigma=(2, 2), mode="nearest")
    return np.asarray(smooth * (np.abs(values).max() / max(np.abs(smooth).max(), 1e-30)) * 0.7)
