"""The README.md of a bundle: training data, scores, limits and intended use."""

from collections.abc import Mapping
from typing import Any


def model_card(document: Mapping[str, Any]) -> str:
    """A model card (Mitchell et al. 2019) in Markdown, from what bundle.json says."""
    lines = [f"# {document['name']}", ""]
    for task, labels in document["labels"].items():
        what = "one of" if document["kind"][task] == "single" else "any of"
        lines.append(
            f"Predicts the {task} of {document['segment']['seconds']:g}-second segments: {what} "
            f"{len(labels)} labels ({', '.join(labels)})."
        )
    lines += _encoder(document["front_end"])
    lines += ["", "## Data", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in document["data"].items()] or ["- not stated"]
    lines += ["", "## Training", ""]
    lines += [
        f"- {key.replace('_', ' ')}: {value}"
        for key, value in document["training"].items()
        if not isinstance(value, dict)
    ] or ["- not stated"]
    lines.append("- settings and versions: `training` in bundle.json")
    lines += ["", "## Scores", ""]
    for task, scores in document["metrics"].items():
        lines.append(f"Task {task}, per track, on {scores.get('on', 'the validation split')}:")
        lines += ["", "| measure | value |", "|---|---|"]
        lines += [f"| {name.replace('_', ' ')} | {value:.3f} |" for name, value in scores.items() if name != "on"]
        lines.append("")
    lines += ["## Calibration", ""]
    lines += [
        f"- {task}: temperature {found['temperature']:.3f}; labels below {found['threshold']:.3f} are not written"
        for task, found in document["calibration"].items()
    ]
    lines += [
        "",
        "## Limits and intended use",
        "",
        "The model knows only the labels above; other music gets one of them or, below the threshold, none. "
        "Labels describe the tradition of the music, never the nationality or origin of a person.",
        "",
    ]
    return "\n".join(lines)


def _encoder(front_end: Mapping[str, Any]) -> list[str]:
    """The pretrained encoder that the model needs, which is not in its folder."""
    if front_end["kind"] != "embedding":
        return []
    revision = f", revision {front_end['revision']}" if front_end["revision"] else ""
    layers = ", ".join(map(str, front_end["layers"]))
    return [
        "",
        "## Pretrained encoder",
        "",
        f"Needs the frozen encoder `{front_end['backbone']}`{revision}, whose weights have the hash "
        f"{front_end['weights_sha256'][:16]}… and are not in this folder; its licence applies to their use. "
        f"Hidden states {layers}, pooled over time by {front_end['pooling'].replace('+', ' and ')}.",
    ]
