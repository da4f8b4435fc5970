"""`geoclass evaluate`: score models on a data set or on a library of tagged files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geoclass.cli.console import SOME_FAILED, Debug, Device, LanguageModel, Output, Quiet, Workers, session
from geoclass.cli.scores import show_comparison, show_leaks, show_report, show_witnesses
from geoclass.errors import UsageError
from geoclass.text import counted
from geoclass.vocabulary import TASKS

if TYPE_CHECKING:
    from geoclass.bundle.bundle import Bundle
    from geoclass.evaluation.report import Report
    from geoclass.evidence.registry import SungLanguageOf


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Models by name, bundle folder or run folder; several are compared.", metavar="[MODEL]…"),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="Folder of the data set; by default the newest in the user data folder.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    report: Annotated[Path | None, typer.Option(help="Write metrics, predictions, figures and a page here.")] = None,
    library: Annotated[
        list[Path] | None,
        typer.Option(help="Score on these files or folders instead; their tags are the ground truth."),
    ] = None,
    language_model: LanguageModel = None,
    leak_report: Annotated[
        bool, typer.Option("--leak-report", help="Show the honest score beside the leaky one.")
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=0, help="Bootstrap resamples; 0: no intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the resampling.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Segments per batch.")] = 256,
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
                "--library uses the files' tags as ground truth: it cannot be combined with --dataset or --leak-report"
            )
        if language_model is not None and not library:
            raise UsageError("--language-model goes with --library: witnesses are asked about files, not data sets")
        from geoclass.bundle.bundle import Bundle
        from geoclass.bundle.catalogue import models_for

        if library:
            from geoclass.cli.tag_setup import open_listener
            from geoclass.inference.heard import HeardCache

            names = models or [str(folder) for folder in models_for(TASKS)]
            bundles = [Bundle.load(name, device=device) for name in names]
            with HeardCache() as cache:
                sung = open_listener(language_model, device=device, cache=cache)
                _score_library(
                    output, bundles, library, report, sung=sung, bootstrap=bootstrap, seed=seed, workers=workers
                )
            return
        from geoclass.dataset.dataset import Dataset
        from geoclass.evaluation.report import evaluate as run_evaluation
        from geoclass.storage import newest_dataset

        opened = Dataset.open(dataset or newest_dataset())
        if opened.leaky:
            output.warn(f"LEAKY: {opened.claim.leak}: its scores are too high for every model")
        names = models or [str(folder) for folder in models_for(opened.tasks)[:1]]
        reports = []
        for name in names:
            bundle = Bundle.load(name, device=device)
            with output.progress(f"predicting with {bundle.name}", unit="segments") as advance:
                done = run_evaluation(
                    bundle, dataset=opened, split=split, batch_size=batch_size, bootstrap=bootstrap, seed=seed,
                    progress=advance,
                )  # fmt: skip
            reports.append(done)
        if len(reports) == 1:
            show_report(output, reports[0])
            if leak_report:
                show_leaks(output, opened, reports[0], split=split)
            if report is not None:
                output.say(f"\nreport: {reports[0].write(report) / 'index.html'}")
        else:
            _compare(output, reports, names, report, bootstrap=bootstrap, seed=seed)


def _compare(
    output: Output, reports: "Sequence[Report]", names: Sequence[str], folder: Path | None, *, bootstrap: int, seed: int
) -> None:
    from geoclass.errors import EvaluationError
    from geoclass.evaluation.compare import compare

    shared = [task for task in reports[0].tasks if all(task in other.tasks for other in reports)]
    if not shared:
        raise EvaluationError("the models share no task: they cannot be compared")
    short = [Path(name).resolve().name if Path(name).exists() else name for name in names]
    for task in shared:
        comparison = compare([report.tasks[task] for report in reports], short, bootstrap=bootstrap, seed=seed)
        show_comparison(output, comparison)
        if folder is not None:
            where = comparison.write(folder / task if len(shared) > 1 else folder)
            output.say(f"\nreport: {where / 'index.html'}")


def _score_library(
    output: Output,
    bundles: "Sequence[Bundle]",
    paths: Sequence[Path],
    folder: Path | None,
    *,
    sung: "SungLanguageOf | None",
    bootstrap: int,
    seed: int,
    workers: int | None,
) -> None:
    from geoclass.evaluation.advice import TARGET_PRECISION
    from geoclass.evaluation.library import evaluate_library
    from geoclass.evidence.registry import WITNESSES, Sources
    from geoclass.inference.classifier import Classifier
    from geoclass.library.scan import sound_files

    files = list(sound_files(paths))
    if not files:
        raise UsageError(f"no sound files in {', '.join(map(str, paths))}")
    sources = Sources.open(tuple(WITNESSES), learned=False, note=output.warn, sung_language=sung)
    with output.progress("listening", total=len(files)) as advance:
        classifier = Classifier(bundles, workers=workers)
        found = evaluate_library(
            classifier, files, sources=sources, bootstrap=bootstrap, seed=seed, progress=advance
        )  # fmt: skip
    show_report(output, found.report)
    for task, reasons in found.left_out.items():
        if task not in found.report.tasks:
            said = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
            output.warn(f"{task}: no file to score the model on ({said or 'none was read'})")
    show_witnesses(output, found.witnesses)
    for task, advice in found.advice.items():
        share = f", {advice.agreeing / advice.written:.0%} of them in agreement with the tags" if advice.written else ""
        output.say(
            f"\n{task}: {counted(advice.files, 'file')} to compare; {advice.written} would have been written{share}"
        )
        if advice.min_confidence is None:
            output.say(f"no --min-confidence reaches {TARGET_PRECISION:.0%} precision on this library")
        else:
            output.say(
                f"--min-confidence {advice.min_confidence:.2f} reaches {TARGET_PRECISION:.0%} precision on this "
                f"library and writes {advice.would_write} of {advice.files}"
            )
    for failure in found.failures:
        output.warn(f"{failure.path}: {failure.reason}")
    if folder is not None and found.report.tasks:
        output.say(f"\nreport: {found.report.write(folder) / 'index.html'}")
    if found.failures:
        raise typer.Exit(SOME_FAILED)
