"""`geoclass inspect`: what is in a data set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geoclass.cli.console import Debug, Output, Quiet, session


def inspect(
    dataset: Annotated[
        Path | None, typer.Argument(help="Folder of the data set; the newest of the user data folder by default.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for plots of counts, durations and example log-mels.")
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Look for artists, albums, titles and audio that two splits share.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what a data set holds: tracks and segments by label and split, durations, what was skipped.

    Example: geoclass inspect ~/fma-country --plots plots/
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.dataset.dataset import Dataset
        from geoclass.storage import newest_dataset

        opened = Dataset.open(dataset or newest_dataset())
        opened.verify()
        _overview(output, opened)
        for task in opened.tasks:
            _labels(output, opened, task)
        _durations(output, opened)
        if audit:
            _audit(output, opened)
        if plots is not None:
            from geoclass.dataset.plots import plot_dataset

            for path in plot_dataset(opened, plots):
                output.say(f"drawn: {path}")


def _overview(output: Output, dataset: Any) -> None:
    from geoclass.dataset.dataset import open_summary

    document, summary = dataset.document, open_summary(dataset.folder)
    shape = " x ".join(map(str, dataset.features.shape[1:]))
    rows = [
        ("corpus", document["corpus"]["description"]),
        ("split", f"{dataset.protocol} ({document['split']['source']})"),
        ("tracks", document["counts"]["tracks"]),
        ("artists", dataset.tracks["artist_id"].replace("", None).nunique()),
        ("segments", document["counts"]["segments"]),
        ("features", f"{dataset.front_end.kind}, {shape} {dataset.features.dtype}"),
        ("read / labelled", f"{summary['read']} / {summary['labelled']}"),
        ("fingerprint", dataset.fingerprint[:16]),
    ]
    output.table(str(dataset.folder), ["", ""], [(name, str(value)) for name, value in rows])
    if summary["skipped"]:
        output.table("\nskipped", ["reason", "tracks"], list(summary["skipped"].items()))
    for warning in summary["warnings"]:
        output.warn(warning)


def _labels(output: Output, dataset: Any, task: str) -> None:
    counts = dataset.document["counts"][task]
    from geoclass.vocabulary import SPLITS

    rows = [[_named(task, label), *(_cell([of[split]]) for split in SPLITS)] for label, of in counts.items()]
    rows.append(["all", *(_cell([of[split] for of in counts.values()]) for split in SPLITS)])
    output.table(f"\n{task}: tracks (segments)", [task, *SPLITS], rows)


def _cell(counts: list[dict[str, int]]) -> str:
    return f"{sum(of['tracks'] for of in counts)} ({sum(of['segments'] for of in counts)})"


def _named(task: str, label: str) -> str:
    if task != "country":
        return label
    from geoclass.geo.countries import country_name

    return f"{label} {country_name(label)}"


def _audit(output: Output, dataset: Any) -> None:
    from geoclass.dataset.audit import audit

    with output.progress("comparing sound", unit="segments") as advance:
        found = audit(dataset, progress=advance)
    rows = [
        (one.kind, f"{one.first} / {one.second}", one.shared, f"{one.tracks} of {one.of}", "; ".join(one.examples[:2]))
        for one in found.shared
    ]
    output.table("\nleaks: shared between splits", ["what", "splits", "shared", "tracks affected", "examples"], rows)
    if found.copies:
        copies = [
            (f"{c.first} {c.first_track}", f"{c.second} {c.second_track}", c.similarity) for c in found.copies[:10]
        ]
        output.table("\nnear-identical sound", ["track", "near-identical track", "correlation"], copies)
    if found.note:
        output.say(found.note)


def _durations(output: Output, dataset: Any) -> None:
    seconds = dataset.tracks["duration_s"].dropna()
    if len(seconds):
        parts = seconds.quantile([0.0, 0.25, 0.5, 0.75, 1.0]).tolist()
        names = ["shortest", "25th percentile", "median", "75th percentile", "longest"]
        output.table("\ndurations in seconds, according to the corpus", names, [parts])
