"""The embedding space of a network, drawn in the plane."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.metrics.geography import regions
from geoclass.metrics.predictions import TaskPredictions
from geoclass.plotting import FAINT, MARKERS, PALETTE, new_figure


def plot_embedding(predictions: TaskPredictions, places: NDArray[np.float64], chosen: NDArray[np.int64]) -> Any:
    """The embedded tracks by label and, for countries, by region.

    Args:
        predictions: Of n_tracks tracks.
        places: (n_chosen, 2) from `embed_in_plane`.
        chosen: (n_chosen,) tracks.
    """
    labels = np.array([predictions.labels[row.argmax()] for row in predictions.targets[chosen]], object)
    panels = [("label", labels)]
    if predictions.task == "country":
        panels.append(("region", np.array(regions(list(labels)), object)))
    figure = new_figure(5.4 * len(panels), 5.2)
    for axes, (title, values) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        names, counts = np.unique(values, return_counts=True)
        frequent = names[np.argsort(-counts, kind="stable")][:14]
        rest = ~np.isin(values, frequent)
        axes.scatter(*places[rest].T, s=14, color=FAINT, label="others" if rest.any() else None)
        for index, name in enumerate(frequent):
            style = {
                "color": PALETTE[index % len(PALETTE)],
                "marker": MARKERS[(index // len(PALETTE) + index) % len(MARKERS)],
            }
            axes.scatter(
                *places[values == name].T,
                s=16 if len(values) > 200 else 30,
                label=name,
                linewidth=0,
                alpha=0.85,
                **style,
            )
        axes.set(title=f"by {title}", xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=5, fontsize="small", handletextpad=0.1)
    return figure


def embed_in_plane(
    embeddings: NDArray[np.float32], *, sample: int = 1500, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """t-SNE (van der Maaten and Hinton 2008) of at most `sample` tracks, chosen by `seed`.

    Returns:
        (n_chosen, 2) places and (n_chosen,) tracks in their order; None when there are too few tracks for a picture.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n_tracks = len(embeddings)
    chosen = np.sort(np.random.default_rng(seed).permutation(n_tracks)[:sample])
    if len(chosen) < 8:
        return None
    points = embeddings[chosen].astype(np.float64)
    if points.std() == 0:
        return None
    points = PCA(min(30, *points.shape), random_state=seed).fit_transform(points)
    perplexity = min(30.0, (len(chosen) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points).astype(np.float64), chosen
