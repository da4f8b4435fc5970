"""`geoclass evaluate`: how good models are, on a data set or on a library of tagged files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geoclass.cli.console import SOME_FAILED, Debug, Device, Output, Quiet, Workers, session
from geoclass.errors import UsageError

if TYPE_CHECKING:
    from geoclass.bundle.bundle import Bundle
    from geoclass.dataset.dataset import Dataset
    from geoclass.evaluation.report import Report, TaskReport


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Models by name, bundle or run folder; several are compared.", metavar="[MODEL]…"),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="Folder of the data set; the newest of the user data folder by default.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    report: Annotated[Path | None, typer.Option(help="Write numbers, predictions, pictures and a page here.")] = None,
    library: Annotated[
        list[Path] | None, typer.Option(help="Score on these files or folders instead; truth is their own tags.")
    ] = None,
    leak_report: Annotated[
        bool, typer.Option("--leak-report", help="Show the honest score beside the leaky one.")
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the resampling.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Segments that go through a model together.")] = 256,
    workers: Workers = None,
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Score models: accuracy with intervals, baselines, distances, calibration; per track and per segment.

    Example: geoclass evaluate runs/fma-attention-cnn --dataset ~/fma-country --report report/
    """
    with session(quiet=quiet, debug=debug) as output:
        if library and (dataset is not None or leak_report):
            raise UsageError(
                "--library takes the files' tags for truth: it goes with neither --dataset nor --leak-report"
            )
        from geoclass.bundle.bundle import Bundle

        if library:
            names = list(models or built_in(("country", "genre")))
            bundles = [Bundle.load(name, device=device) for name in names]
            _score_library(output, bundles, library, report, bootstrap=bootstrap, seed=seed, workers=workers)
            return
        from geoclass.dataset.dataset import Dataset
        from geoclass.evaluation.report import evaluate as run_evaluation
        from geoclass.storage import newest_dataset

        opened = Dataset.open(dataset or newest_dataset())
        if opened.leaky:
            output.warn(f"LEAKY: this data set is split by {opened.group}; its scores flatter every model")
        names = list(models or built_in(opened.tasks)[:1])
        reports = []
        for name in names:
            bundle = Bundle.load(name, device=device)
            with output.progress(f"asking {bundle.name}", unit="segments") as advance:
                done = run_evaluation(
                    bundle, dataset=opened, split=split, batch_size=batch_size, bootstrap=bootstrap, seed=seed,
                    progress=advance,
                )  # fmt: skip
            reports.append(done)
        if len(reports) == 1:
            _show(output, reports[0])
            if leak_report:
                _show_leaks(output, opened, reports[0], split=split)
            if report is not None:
                output.say(f"\nreport: {reports[0].write(report) / 'index.html'}")
        else:
            _compare(output, reports, names, report, bootstrap=bootstrap, seed=seed)


def built_in(tasks: Sequence[str]) -> list[str]:
    """The first built-in model for each of the tasks, as `tag` chooses them.

    Raises:
        UsageError: There is none.
    """
    from geoclass.bundle.catalogue import BUILTIN, installed_bundles, read_description

    chosen: list[str] = []
    answered: set[str] = set()
    for folder in installed_bundles().values():
        answers = set(read_description(folder)["labels"])
        if folder.parent == BUILTIN and answers & set(tasks) and not answers & answered:
            chosen.append(str(folder))
            answered |= answers
    if not chosen:
        raise UsageError(
            f"no model is built in for {' and '.join(tasks)}", hint="name one; `geoclass models list` shows them"
        )
    return chosen


def _show(output: Output, report: "Report") -> None:
    for task_report in report.tasks.values():
        _show_task(output, task_report)


def _show_task(output: Output, report: "TaskReport") -> None:
    from geoclass.metrics.formulas import SCORE_NAMES

    metrics = report.metrics
    rows = []
    for name, text in SCORE_NAMES.items():
        value = metrics.get(name)
        if value is None:
            continue
        low, high = metrics["intervals"].get(name, (None, None))
        digits = 0 if name.endswith("_km") else 3
        interval = "" if low is None else f"{low:,.{digits}f} to {high:,.{digits}f}"
        rows.append((text, f"{value:,.{digits}f}", interval))
    title = (
        f"\n{metrics['task']}, {metrics['split']} split, {_loud(metrics['protocol'])}: {metrics['n_tracks']:,} tracks "
        f"by {metrics['n_artists']:,} artists, {metrics['n_classes']} labels"
    )
    output.table(title, ["per track", "", "95 % interval"], rows)
    given = metrics["abstention"]
    if given["precision"] is not None:
        output.say(
            f"at the model's own threshold of {given['threshold']:.2f} it writes {given['coverage']:.0%} of the "
            f"tracks, {given['precision']:.0%} of that right"
        )
    elif given["threshold"] is not None:
        output.say(f"at the model's own threshold of {given['threshold']:.2f} it writes nothing")
    omitted = metrics["omitted"]
    if omitted["tracks"]:
        reasons = omitted.get("reasons") or {"labels that the model does not know": omitted["tracks"]}
        said = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
        unknown = ", ".join(omitted["labels_unknown_to_the_model"][:10])
        output.warn(f"{omitted['tracks']} tracks are left out ({said}{'; ' + unknown if unknown else ''})")
    if never := omitted["labels_never_in_the_data"]:
        output.say(f"labels that the model knows and the data set never has: {len(never)} ({', '.join(never[:10])})")


def _loud(protocol: str) -> str:
    return "LEAKY (leaky)" if protocol == "leaky" else protocol


def _show_leaks(output: Output, dataset: "Dataset", report: "Report", *, split: str) -> None:
    from geoclass.evaluation.leaks import leak_report

    for task_report in report.tasks.values():
        found = leak_report(dataset, task_report, split=split)
        rows = [(row.tracks, row.n_tracks, "" if row.accuracy is None else f"{row.accuracy:.3f}") for row in found.rows]
        output.table(f"\n{found.task}: what leaks from training", ["tracks", "number", "accuracy"], rows)
        if found.advice:
            output.say(found.advice)


def _compare(
    output: Output, reports: "Sequence[Report]", names: Sequence[str], folder: Path | None, *, bootstrap: int, seed: int
) -> None:
    from geoclass.errors import EvaluationError
    from geoclass.evaluation.compare import columns_of, compare, rows_of
    from geoclass.metrics.formulas import SCORE_NAMES

    shared = [task for task in reports[0].tasks if all(task in other.tasks for other in reports)]
    if not shared:
        raise EvaluationError("the models share no task: they cannot be compared")
    short = [Path(name).resolve().name if Path(name).exists() else name for name in names]
    for task in shared:
        comparison = compare([report.tasks[task] for report in reports], short, bootstrap=bootstrap, seed=seed)
        protocol = comparison.reports[0].metrics["protocol"]
        columns = [SCORE_NAMES[name] for name in columns_of(comparison)]
        rows = [["" if cell is None else cell for cell in row] for row in rows_of(comparison)]
        output.table(f"\n{task}, {_loud(protocol)}", ["model", "tracks", *columns], rows)
        differences = [
            (f"{item.second} - {item.first}", SCORE_NAMES[item.score], f"{item.difference:+.3f}",
             f"{item.low:+.3f} to {item.high:+.3f}", f"{item.p:.3f}")
            for item in comparison.differences
            if item.score in ("accuracy", "balanced_accuracy", "mAP")
        ]  # fmt: skip
        title = f"\ndifferences on {comparison.n_tracks:,} common tracks"
        output.table(title, ["", "score", "difference", "95 % interval", "p"], differences)
        if folder is not None:
            where = comparison.write(folder / task if len(shared) > 1 else folder)
            output.say(f"\nreport: {where / 'index.html'}")


def _score_library(
    output: Output,
    bundles: "Sequence[Bundle]",
    paths: Sequence[Path],
    folder: Path | None,
    *,
    bootstrap: int,
    seed: int,
    workers: int | None,
) -> None:
    from geoclass.evaluation.library import TARGET_PRECISION, evaluate_library
    from geoclass.inference.classifier import Classifier
    from geoclass.library.scan import sound_files

    files = list(sound_files(paths))
    if not files:
        raise UsageError(f"no sound files in {', '.join(map(str, paths))}")
    with output.progress("listening", total=len(files)) as advance:
        classifier = Classifier(bundles, workers=workers)
        found = evaluate_library(classifier, files, bootstrap=bootstrap, seed=seed, progress=advance)
    _show(output, found.report)
    for task, advice in found.advice.items():
        share = f", {advice.agreeing / advice.written:.0%} of them as the tags say" if advice.written else ""
        output.say(f"\n{task}: {advice.files} files to compare; {advice.written} would have been written{share}")
        if advice.min_confidence is None:
            output.say(f"no --min-confidence gives {TARGET_PRECISION:.0%} precision on this library")
        else:
            output.say(
                f"--min-confidence {advice.min_confidence:.2f} gives {TARGET_PRECISION:.0%} precision on this library "
                f"and writes {advice.would_write} of {advice.files}"
            )
    for failure in found.failures:
        output.warn(f"{failure.path}: {failure.reason}")
    if folder is not None:
        output.say(f"\nreport: {found.report.write(folder) / 'index.html'}")
    if found.failures:
        raise typer.Exit(SOME_FAILED)
