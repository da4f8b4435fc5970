"""`geoclass explain`: why a file is given its country or genre, or which features a model relies on."""

from pathlib import Path
from typing import Annotated

import typer

from geoclass.cli.console import Debug, Device, LanguageModel, Output, Quiet, session
from geoclass.errors import UsageError
from geoclass.vocabulary import TASKS


def explain(
    file: Annotated[Path | None, typer.Argument(help="A sound file.", show_default=False)] = None,
    model: Annotated[str | None, typer.Option(help="Model by name, bundle folder or run folder.")] = None,
    task: Annotated[str | None, typer.Option(help="country or genre, for a model that predicts both.")] = None,
    label: Annotated[str | None, typer.Option(help="Label to explain instead of the most probable one.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG to write (with --dataset: folder); by default in the working directory.")
    ] = None,
    top_segments: Annotated[
        Path | None, typer.Option(help="Also write the most decisive segment, as WAV.", metavar="WAV")
    ] = None,
    evidence: Annotated[
        str | None,
        typer.Option(
            help="Witnesses on the country: sound, language, words, codes, artists; by default all, with --model "
            "the sound alone.",
            metavar="NAMES",
        ),
    ] = None,
    language_model: LanguageModel = None,
    dataset: Annotated[
        Path | None, typer.Option(help="Explain the model as a whole on this data set instead of one file.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the data set: train, valid or test.")] = "test",
    excerpt_seconds: Annotated[
        float, typer.Option(min=3, help="Seconds to analyse, from the middle of the file.")
    ] = 30.0,
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show which witnesses, seconds and frequency bands decided, and the candidates on a map.

    Example: geoclass explain song.mp3 --out song.png --top-segments song-why.wav
    """
    with session(quiet=quiet, debug=debug) as output:
        if (file is None) == (dataset is None):
            raise UsageError("explain takes either a sound file or --dataset", hint="geoclass explain song.mp3")
        from geoclass.bundle.bundle import Bundle
        from geoclass.bundle.catalogue import models_for

        bundle = Bundle.load(model or models_for((task,) if task else TASKS)[0], device=device)
        if dataset is not None:
            if top_segments is not None or label is not None:
                raise UsageError("--top-segments and --label explain one file: they do not go with --dataset")
            _portray(output, bundle, dataset, task=task, split=split, out=out)
            return
        assert file is not None
        from geoclass.cli.tag_setup import chosen_witnesses, open_listener
        from geoclass.evidence.registry import Sources
        from geoclass.explain.explain import explain as run_explanation
        from geoclass.explain.explain import write_segment
        from geoclass.explain.plots import draw_explanation
        from geoclass.explain.witnesses import contributions, hear_witnesses
        from geoclass.inference.heard import HeardCache
        from geoclass.tagging.policy import Policy

        found = run_explanation(bundle, file, task=task, label=label, excerpt_seconds=excerpt_seconds)
        asked = chosen_witnesses(evidence, [model] if model else None, language_model)
        verdict = None
        if asked is not None and found.prediction.task == "country" and Policy(evidence=asked).asks_others:
            with HeardCache() as cache:
                sung = open_listener(language_model, device=device, cache=cache, excerpt_seconds=excerpt_seconds)
                sources = Sources.open(asked, learned=not model, note=output.warn, sung_language=sung)
                verdict = hear_witnesses(file, found.prediction, witnesses=asked, sources=sources)
        candidates = found.prediction.candidates if verdict is None else verdict.candidates()
        output.table(f"{file.name}: {found.prediction.task}", ["candidate", "probability"], candidates[:5])
        if verdict is not None:
            added = contributions(verdict, candidates[0][0])
            rows = [(one.witness, f"{one.log_odds:+.2f}", one.because) for one in added]
            columns = ["witness", f"log-odds of {candidates[0][0]}", "reason"]
            output.table("\ncontribution of each witness", columns, rows)
        best = found.top_segment()
        start_s = found.starts_s[best]
        seconds = f"{start_s:.0f} to {start_s + found.segment_seconds:.0f} s of the excerpt"
        output.say(f"{seconds} contribute most to {_said(found.label)} ({found.support[best]:.2f})")
        if found.columns:
            output.table("contributions", ["feature", "contribution to the score"], found.strongest_columns(10))
        picture = draw_explanation(
            found, bundle.front_end_config, out or Path(f"{file.stem}-explained.png"), verdict=verdict
        )
        output.say(f"picture: {picture}")
        if top_segments is not None:
            output.say(f"segment: {write_segment(found, top_segments)}")


def _said(label: str) -> str:
    from geoclass.inference.prediction import OUTSIDE

    return "the class for other music" if label == OUTSIDE else label


def _portray(output: Output, bundle: object, dataset: Path, *, task: str | None, split: str, out: Path | None) -> None:
    from geoclass.bundle.bundle import Bundle
    from geoclass.dataset.dataset import Dataset
    from geoclass.explain.portrait_plots import draw_portraits
    from geoclass.explain.portraits import portray

    assert isinstance(bundle, Bundle)
    opened = Dataset.open(dataset)
    with output.progress(f"predicting with {bundle.name}", unit="segments") as advance:
        portraits = portray(bundle, opened, task=task, split=split, progress=advance)
    rows = [
        (row.label, row.track_id, f"{row.start_s:.0f} s", row.probability)
        for row in portraits.typical.itertuples()
        if row.rank == 1
    ]
    output.table(f"{portraits.task}: the most typical segments", ["label", "track", "at", "probability"], rows)
    missing = set(bundle.head(portraits.task).labels) - set(portraits.labels)
    if missing:
        output.warn(f"no segment is classified correctly for {', '.join(sorted(missing))}: no portrait")
    for path in draw_portraits(portraits, bundle.front_end_config, out or Path(f"{bundle.name}-explained")):
        output.say(f"written: {path}")
