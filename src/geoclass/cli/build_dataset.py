"""`geoclass build-dataset`: a corpus on disk to a data set."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from geoclass.cli.console import Debug, Output, Quiet, Workers, session
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import with_overrides
from geoclass.errors import UsageError
from geoclass.storage import data_dir

EXAMPLE = "geoclass build-dataset --fma-root ~/fma --top-countries 3"

Root = Annotated[Path | None, typer.Option(show_default=False)]


def build_dataset(
    out: Annotated[Path | None, typer.Argument(help="Folder of the data set; the user data folder by default.")] = None,
    fma_root: Annotated[Path | None, typer.Option(help="FMA: fma_metadata/ and fma_small/ (or larger).")] = None,
    gtzan_root: Annotated[Path | None, typer.Option(help="GTZAN: genres_original/ or genres/.")] = None,
    uci_root: Annotated[Path | None, typer.Option(help="UCI Geographical Origin of Music.")] = None,
    mirage_root: Annotated[Path | None, typer.Option(help="MIRAGE-MetaCorpus.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Your own: one sub-folder a label, or a CSV of path,country,genre,artist.")
    ] = None,
    fma_subset: Annotated[
        Literal["small", "medium", "large", "full"], typer.Option(help="Each contains those before it.")
    ] = "small",
    features: Annotated[
        Path | None, typer.Option(help="A table of published features instead of sound (GTZAN, MIRAGE).")
    ] = None,
    spotify: Annotated[bool, typer.Option("--spotify", help="Look MIRAGE's features up at Spotify.")] = False,
    n_features: Annotated[int | None, typer.Option(help="UCI: 68, or 116 with chroma.", show_default=False)] = None,
    task: Annotated[
        str | None, typer.Option(help="country, genre, or country,genre; what the corpus is known for by default.")
    ] = None,
    multi_label: Annotated[bool, typer.Option("--multi-label", help="All genres of a track instead of one.")] = False,
    top_countries: Annotated[int | None, typer.Option(min=2, help="Keep the N countries with most tracks.")] = None,
    countries: Annotated[str | None, typer.Option(help="Keep these, such as US,GB,FR.")] = None,
    min_tracks: Annotated[int | None, typer.Option(min=1, help="Leave out labels with fewer tracks.")] = None,
    balance: Annotated[
        Literal["none", "downsample", "segments"] | None,
        typer.Option(help="Equal training tracks or segments a label."),
    ] = None,
    group: Annotated[
        Literal["artist", "track", "segment"] | None,
        typer.Option(help="What no two splits share; all but artist leak, and say so."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the split; the corpus' own split by default.")] = None,
    segment_seconds: Annotated[float | None, typer.Option(help="Length of a segment.")] = None,
    pitch_shift: Annotated[float | None, typer.Option(help="Add training copies shifted by +- SEMITONES.")] = None,
    geocoder: Annotated[
        Literal["offline", "nominatim"] | None, typer.Option(help="For place names without coordinates.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting, such as front_end.n_mels=128.")
    ] = None,
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(help="A dask scheduler, such as tcp://host:8786.")] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Turn a corpus into a data set of log-mel segments: labelled, split without leaks, ready to train on.

    Run the same command again after an interruption: it goes on where it stopped.
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.corpora.registry import CORPORA, open_corpus
        from geoclass.dataset.build import build_dataset as build

        roots = {"fma": fma_root, "gtzan": gtzan_root, "uci": uci_root, "mirage": mirage_root, "folder": folder}
        given = {name: root for name, root in roots.items() if root is not None}
        if len(given) != 1:
            raise UsageError(
                "name one corpus" if not given else f"name one corpus, not {' and '.join(given)}", hint=EXAMPLE
            )
        ((name, root),) = given.items()
        chosen: dict[str, Any] = {
            "task": task or CORPORA[name].tasks[0],
            "multi_label": multi_label or None,
            "countries": _codes(countries) if countries else None,
            "top_countries": top_countries,
            "min_tracks": min_tracks,
            "balance": balance,
            "group": group,
            "seed": seed,
            "segment_seconds": segment_seconds,
            "pitch_shift": pitch_shift,
            "geocoder": geocoder,
        }
        config = BuildConfig(**{key: value for key, value in chosen.items() if value is not None})
        config = with_overrides(config, set_ or [])
        options = {
            "subset": fma_subset if name == "fma" else None,
            "task": config.task,
            "split": "random" if name == "gtzan" and (config.group != "artist" or config.seed is not None) else None,
            "features": features,
            "spotify": spotify or None,
            "n_features": n_features,
        }
        corpus = open_corpus(name, root, **{key: value for key, value in options.items() if value is not None})
        target = out or data_dir() / "datasets" / f"{name}-{config.task.replace(',', '-')}"
        with output.progress("extracting", unit="tracks") as advance:
            dataset = build(corpus, out=target, config=config, workers=workers, scheduler=scheduler, progress=advance)
        _report(output, dataset)


def _codes(text: str) -> tuple[str, ...]:
    from geoclass.geo.countries import find_country

    codes = []
    for name in text.split(","):
        code = find_country(name.strip())
        if code is None:
            raise UsageError(f"--countries: {name.strip()!r} is no country", hint="for example --countries US,GB,FR")
        codes.append(code)
    return tuple(codes)


def _report(output: Output, dataset: Any) -> None:
    from geoclass.dataset.dataset import open_summary

    summary = open_summary(dataset.folder)
    split = dataset.document["split"]
    output.say(f"[bold]{dataset.document['corpus']['description']}[/bold]")
    output.say(
        f"{summary['read']} tracks read, {summary['labelled']} labelled, {summary['kept']['tracks']} kept "
        f"({summary['kept']['segments']} segments)"
    )
    if summary["artists_without_place"]:
        output.say(f"{summary['artists_without_place']} artists without a usable place")
    if summary["skipped"]:
        output.table("skipped", ["reason", "tracks"], list(summary["skipped"].items()))
    output.say(f"split: {split['protocol']} ({split['source']})")
    for warning in summary["warnings"]:
        output.warn(warning)
    output.say(f"\ndata set: {dataset.folder}\nnext:     geoclass train {dataset.folder}")
