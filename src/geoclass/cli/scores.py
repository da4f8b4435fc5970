"""How `geoclass evaluate` prints reports, comparisons and leaks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from geoclass.cli.console import Output
from geoclass.text import counted

if TYPE_CHECKING:
    from geoclass.dataset.dataset import Dataset
    from geoclass.evaluation.compare import Comparison
    from geoclass.evaluation.report import Report
    from geoclass.evaluation.witnesses import WitnessScore


def show_report(output: Output, report: "Report") -> None:
    """Print a table of metrics for each task, with the necessary caveats."""
    for task_report in report.tasks.values():
        _show_task(output, task_report.metrics)


def _show_task(output: Output, metrics: Mapping[str, Any]) -> None:
    overlap = metrics.get("training_overlap")
    honest = overlap and overlap["honest"]
    where = "tags of the library" if metrics["split"] == "library" else f"{metrics['split']} split"
    protocol = "" if metrics["split"] == "library" else f", {_loud(metrics['protocol'])}"
    title = (
        f"\n{metrics['task']}, {where}{protocol}: {counted(metrics['n_tracks'], 'track')} by "
        f"{counted(metrics['n_artists'], 'artist')}, {counted(metrics['n_classes'], 'class')}"
    )
    columns = ["per track", "", "95 % CI"]
    if honest:
        columns = ["per track", f"all {metrics['n_tracks']:,}", "95 % CI"]
        columns += [f"{honest['n_tracks']:,} new (honest)", "95 % CI"]
    if "training_overlap" in metrics:
        _say_overlap(output, overlap)
    output.table(title, columns, list(_metric_rows(metrics, honest)))
    if metrics["bootstrap"]["note"]:
        output.say(metrics["bootstrap"]["note"])
    _say_threshold(output, metrics["abstention"])
    _say_omitted(output, metrics["omitted"])


def _metric_rows(*reports: Mapping[str, Any] | None) -> Iterator[list[str]]:
    """A row for each metric of the first: its name, then value and interval of each report."""
    from geoclass.metrics.names import METRIC_NAMES, digits_of

    for name, text in METRIC_NAMES.items():
        if reports[0] is None or reports[0].get(name) is None:
            continue
        row = [text]
        for metrics in reports:
            if metrics is not None:
                digits, value = digits_of(name), metrics.get(name)
                bounds = metrics["intervals"].get(name)
                row.append("" if value is None else f"{value:,.{digits}f}")
                row.append("" if bounds is None else f"{bounds[0]:,.{digits}f}–{bounds[1]:,.{digits}f}")
        yield row


def _say_overlap(output: Output, overlap: Mapping[str, Any] | None) -> None:
    if overlap is None:
        output.warn(
            "it is not known whether the model was trained on these tracks: its bundle carries no fingerprints "
            "(train it again to get them)"
        )
    elif overlap["tracks"]:
        artists = f", and on tracks by the artists of {overlap['same_artist']:,}" if overlap["same_artist"] else ""
        known = f"{overlap['same_track']:,} of these {overlap['of']:,} tracks"
        output.warn(
            f"LEAKY: the model was trained or tuned on {known}{artists}"
            + ("" if overlap["honest"] else "; none is new to it, so there is no honest score on this split")
        )


def _say_threshold(output: Output, given: Mapping[str, Any]) -> None:
    if given["precision"] is not None:
        output.say(
            f"at the model's own threshold of {given['threshold']:.2f} it writes {given['coverage']:.0%} of the "
            f"tracks, {given['precision']:.0%} of them correctly"
        )
    elif given["threshold"] is not None:
        output.say(f"at the model's own threshold of {given['threshold']:.2f} it writes nothing")


def _say_omitted(output: Output, omitted: Mapping[str, Any]) -> None:
    if omitted["tracks"]:
        reasons = omitted.get("reasons") or {"labels that the model does not know": omitted["tracks"]}
        said = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
        unknown = ", ".join(omitted["labels_unknown_to_the_model"][:10])
        output.warn(f"{counted(omitted['tracks'], 'track')} left out ({said}{'; ' + unknown if unknown else ''})")
    if never := omitted["labels_never_in_the_data"]:
        output.say(f"labels of the model that do not occur in the data set: {len(never)} ({', '.join(never[:10])})")


def _loud(protocol: str) -> str:
    return "LEAKY (leaky)" if protocol == "leaky" else protocol


def show_leaks(output: Output, dataset: "Dataset", report: "Report", *, split: str) -> None:
    """Print separate scores for tracks whose recording, artist, album or sound is in the training data."""
    from geoclass.evaluation.leaks import leak_report

    for task_report in report.tasks.values():
        found = leak_report(dataset, task_report, split=split)
        rows = [(row.tracks, row.n_tracks, "" if row.accuracy is None else f"{row.accuracy:.3f}") for row in found.rows]
        output.table(
            f"\n{found.task}: accuracy by overlap with the training data", ["overlap", "tracks", "accuracy"], rows
        )
        if found.advice:
            output.say(found.advice)


def show_witnesses(output: Output, scores: "Sequence[WitnessScore]") -> None:
    """Print how well each witness predicts the country."""
    if not scores:
        return
    rows = [
        (
            score.witnesses,
            score.spoke,
            f"{score.right / score.spoke:.0%}" if score.spoke else "",
            score.written,
            f"{score.written_right / score.written:.0%}" if score.written else "",
        )
        for score in scores
    ]
    title = f"\nwitnesses on the country, {counted(scores[0].files, 'file')}"
    output.table(title, ["witnesses", "with an opinion", "top-1 accuracy", "written at 0.9", "precision"], rows)


def show_comparison(output: Output, comparison: "Comparison") -> None:
    """Print the models of a comparison and their differences."""
    from geoclass.metrics.names import COMPARED_METRICS, METRIC_NAMES

    models = dict(zip(comparison.names, (report.metrics for report in comparison.reports), strict=True))
    shown = [name for name in COMPARED_METRICS if any(name in metrics for metrics in models.values())]
    rows = [
        [name, _loud(metrics["protocol"]), metrics["n_tracks"], *(metrics.get(metric, "") for metric in shown)]
        for name, metrics in models.items()
    ]
    columns = ["model", "protocol", "tracks", *(METRIC_NAMES[name] for name in shown)]
    output.table(f"\n{comparison.task}", columns, rows)
    for name, metrics in models.items():
        if (overlap := metrics.get("training_overlap")) and overlap["tracks"]:
            known = f"{overlap['tracks']:,} of these {overlap['of']:,} tracks"
            output.warn(f"LEAKY: {name} was trained or tuned on {known} or on their artists")
    differences = [
        (f"{item.second} - {item.first}", METRIC_NAMES[item.score], f"{item.difference:+.3f}",
         "" if item.low is None else f"{item.low:+.3f} to {item.high:+.3f}", "" if item.p is None else f"{item.p:.3f}")
        for item in comparison.differences
        if item.score in ("accuracy", "balanced_accuracy", "mAP")
    ]  # fmt: skip
    which = "common tracks that are new to all models" if comparison.n_known else "common tracks"
    title = f"\ndifferences on {comparison.n_tracks:,} {which}"
    output.table(title, ["", "metric", "difference", "95 % interval", "p"], differences)
    if comparison.note:
        output.say(comparison.note)
