"""Learning curves of a run as one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geoclass.plotting import new_figure, save_png, style


def plot_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Losses and validation accuracies over the epochs, the best epoch marked.

    Args:
        history: Lines of metrics.jsonl.
        path: Of the PNG.
    """
    with style():
        save_png(_curves(history), path)


def _curves(history: Sequence[Mapping[str, float]]) -> Any:
    figure = new_figure(9, 3.6)
    losses, accuracies = figure.subplots(1, 2)
    epochs = [int(line["epoch"]) for line in history]
    losses.plot(epochs, [line["train_loss"] for line in history], label="training (smoothed, weighted)")
    losses.plot(epochs, [line["valid_loss"] for line in history], label="validation, per track")
    losses.set_ylabel("loss (nats)")
    accuracies.plot(epochs, [line["valid_accuracy"] for line in history], label="accuracy")
    accuracies.plot(epochs, [line["valid_balanced_accuracy"] for line in history], label="balanced accuracy")
    accuracies.set(ylabel="validation, per track", ylim=(0, 1))
    best = max((int(line["epoch"]) for line in history if line["is_best"]), default=None)
    for axes in (losses, accuracies):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        if best is not None:
            axes.axvline(best, color="0.5", linestyle=":", label=f"best: epoch {best}")
        axes.legend(fontsize="small")
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure
