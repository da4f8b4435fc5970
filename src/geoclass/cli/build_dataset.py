"""`geoclass build-dataset`: from a corpus on disk to a data set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from geoclass.cli.console import Debug, Output, Quiet, Workers, session
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import with_overrides
from geoclass.errors import UsageError
from geoclass.storage import data_dir

EXAMPLE = "geoclass build-dataset --fma-root ~/fma --top-countries 3"

FLAGS = {"subset": "--fma-subset", "features": "--features", "spotify": "--spotify", "n_features": "--n-features"}


def build_dataset(
    out: Annotated[Path | None, typer.Argument(help="Folder of the data set; the user data folder by default.")] = None,
    fma_root: Annotated[Path | None, typer.Option(help="FMA: fma_metadata/ and fma_small/ (or larger).")] = None,
    gtzan_root: Annotated[Path | None, typer.Option(help="GTZAN: genres_original/ or genres/.")] = None,
    uci_root: Annotated[Path | None, typer.Option(help="UCI Geographical Origin of Music.")] = None,
    mirage_root: Annotated[Path | None, typer.Option(help="MIRAGE-MetaCorpus.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Your own music: one sub-folder per label, or a CSV with path, country, genre, artist."),
    ] = None,
    fma_subset: Annotated[
        Literal["small", "medium", "large", "full"] | None,
        typer.Option(help="Subset of FMA; each contains the smaller ones. small by default."),
    ] = None,
    features: Annotated[
        Path | None, typer.Option(help="Table of published features to read instead of audio (GTZAN, MIRAGE).")
    ] = None,
    spotify: Annotated[bool, typer.Option("--spotify", help="Get the features of MIRAGE tracks from Spotify.")] = False,
    n_features: Annotated[int | None, typer.Option(help="UCI: 68 features, or 116 with chroma. 68 by default.")] = None,
    task: Annotated[
        str | None, typer.Option(help="country, genre, or country,genre. Default: the first that the corpus has.")
    ] = None,
    multi_label: Annotated[
        bool, typer.Option("--multi-label", help="Use all genres of a track instead of the main one.")
    ] = False,
    top_countries: Annotated[
        int | None, typer.Option(min=2, help="Keep the N countries with the most tracks.", metavar="N")
    ] = None,
    countries: Annotated[str | None, typer.Option(help="Keep these countries, for example US,GB,FR.")] = None,
    min_tracks: Annotated[
        int | None, typer.Option(min=1, help="Leave out labels with fewer tracks. 2 by default.", metavar="N")
    ] = None,
    balance: Annotated[
        Literal["none", "downsample", "segments"] | None,
        typer.Option(help="Equalize training tracks (downsample) or training segments (segments) across labels."),
    ] = None,
    group: Annotated[
        Literal["artist", "track", "segment"] | None,
        typer.Option(
            help="What no two splits share. Only `artist` is leak-free; the others are marked in every report."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the split. Default: the official split of the corpus, else seed 0.")
    ] = None,
    segment_seconds: Annotated[float | None, typer.Option(help="Length of a segment. 5 by default.")] = None,
    pitch_shift: Annotated[
        float | None, typer.Option(help="Add training copies shifted up and down by this much.", metavar="SEMITONES")
    ] = None,
    geocoder: Annotated[
        Literal["offline", "nominatim"] | None,
        typer.Option(help="Service that looks up place names without coordinates. offline by default."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Any other setting, for example front_end.n_mels=128. Repeatable.", metavar="KEY=VALUE"
        ),
    ] = None,
    workers: Workers = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a dask scheduler to extract on, for example tcp://host:8786.")
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Turn a corpus into a data set of segments: labelled, split without leaks, ready to train on.

    If it is interrupted, run the same command again: it continues where it stopped.

    Example: geoclass build-dataset --fma-root ~/fma --top-countries 3
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.corpora.registry import CORPORA, open_corpus
        from geoclass.dataset.build import build_dataset as build

        roots = {"fma": fma_root, "gtzan": gtzan_root, "uci": uci_root, "mirage": mirage_root, "folder": folder}
        name, root = _one_corpus(roots)
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
        config = with_overrides(BuildConfig(**_given(chosen)), set_ or [])
        options = _given(
            {"subset": fma_subset, "features": features, "spotify": spotify or None, "n_features": n_features}
        )
        _check_options(name, options)
        corpus = open_corpus(name, root, task=config.task, **options)
        target = out or data_dir() / "datasets" / f"{name}-{config.task.replace(',', '-')}"
        with output.progress("extracting", unit="tracks") as advance:
            dataset = build(corpus, out=target, config=config, workers=workers, scheduler=scheduler, progress=advance)
        _report(output, dataset)


def _one_corpus(roots: Mapping[str, Path | None]) -> tuple[str, Path]:
    given = {name: root for name, root in roots.items() if root is not None}
    if len(given) != 1:
        raise UsageError(
            f"name one corpus, not {' and '.join(given)}" if given else "name one corpus", hint=f"for example {EXAMPLE}"
        )
    return next(iter(given.items()))


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    from geoclass.corpora.registry import CORPORA, corpus_options

    for option in options:
        if option not in corpus_options(name):
            fitting = " or ".join(f"--{other}-root" for other in CORPORA if option in corpus_options(other))
            raise UsageError(f"{FLAGS[option]} does not apply to {name}", hint=f"it goes with {fitting}")


def _codes(text: str) -> tuple[str, ...]:
    from geoclass.geo.countries import find_country

    codes = []
    for name in text.split(","):
        code = find_country(name.strip())
        if code is None:
            raise UsageError(
                f"--countries: {name.strip()!r} is not a known country", hint="for example --countries US,GB,FR"
            )
        codes.append(code)
    return tuple(codes)


def _report(output: Output, dataset: Any) -> None:
    from geoclass.dataset.dataset import open_summary
    from geoclass.text import counted

    summary = open_summary(dataset.folder)
    output.say(dataset.document["corpus"]["description"], bold=True)
    output.say(
        f"{counted(summary['read'], 'track')} read, {summary['labelled']:,} labelled, "
        f"{summary['kept']['tracks']:,} kept ({counted(summary['kept']['segments'], 'segment')})"
    )
    if summary["artists_without_place"]:
        output.say(f"{counted(summary['artists_without_place'], 'artist')} without a usable place")
    if summary["skipped"]:
        output.table("skipped", ["reason", "tracks"], list(summary["skipped"].items()))
    split = dataset.document["split"]  # as just counted: from the data set's own tables it would take half a second
    output.say(f"split: {split['protocol']} ({split['source']})")
    for warning in summary["warnings"]:
        output.warn(warning)
    output.say(f"\ndata set: {dataset.folder}\nnext:     geoclass train {dataset.folder}")
