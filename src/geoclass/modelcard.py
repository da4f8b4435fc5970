"""The README.md of a bundle: what the model was trained on, how well it does, what it is not for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoclass.bundle import Bundle


def model_card(bundle: "Bundle") -> str:
    """A model card (Mitchell et al. 2019) in Markdown, from what the bundle knows of itself."""
    lines = [f"# {bundle.name}", ""]
    for head in bundle.heads:
        what = "one of" if head.kind == "single" else "any of"
        lines.append(
            f"Hears {bundle.segment_seconds:g}-second segments and answers the {head.task}: {what} "
            f"{len(head.labels)} labels ({', '.join(head.labels)})."
        )
    lines += ["", "## Data", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in bundle.data.items()] or ["- not stated"]
    lines += ["", "## Training", ""]
    lines += [
        f"- {key.replace('_', ' ')}: {value}" for key, value in bundle.training.items() if not isinstance(value, dict)
    ] or ["- not stated"]
    lines.append("- settings and versions: `training` in bundle.json")
    lines += ["", "## Scores", ""]
    for task, scores in bundle.metrics.items():
        lines.append(f"Task {task}, per track, on {scores.get('on', 'the validation split')}:")
        lines += ["", "| measure | value |", "|---|---|"]
        lines += [f"| {name.replace('_', ' ')} | {value:.3f} |" for name, value in scores.items() if name != "on"]
        lines.append("")
    lines += ["## Calibration", ""]
    lines += [
        f"- {head.task}: temperature {head.temperature:.3f}; labels below {head.threshold:.3f} are not written"
        for head in bundle.heads
    ]
    lines += [
        "",
        "## Limits and intended use",
        "",
        "The model knows the labels above and nothing else; other music gets one of them "
        "or, below the threshold, none. A country is said of a sound's tradition, never of a person's nationality "
        "or origin.",
        "",
    ]
    return "\n".join(lines)
