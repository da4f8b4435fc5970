"""`geoclass tag`: write country and genre into the tags of sound files."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from geoclass.cli.console import SOME_FAILED, Debug, Device, LanguageModel, Quiet, SoundPaths, Workers, session
from geoclass.errors import UsageError
from geoclass.vocabulary import TASKS, parse_tasks

if TYPE_CHECKING:
    from geoclass.tagging.file_plan import FilePlan


class TagCommand(TyperCommand):
    """Lets `--overwrite` stand alone for all fields, as well as name some: `--overwrite country`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a bare `--overwrite` its value."""
        completed: list[str] = []
        for index, argument in enumerate(args):
            completed.append(argument)
            following = args[index + 1] if index + 1 < len(args) else ""
            if argument == "--overwrite" and not set(following.split(",")) <= set(TASKS):
                completed.append(",".join(TASKS))
        return super().parse_args(ctx, completed)


def tag(
    paths: SoundPaths,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Model by name or folder, used without other witnesses. Repeatable, one per field."),
    ] = None,
    evidence: Annotated[
        str | None,
        typer.Option(
            help="Witnesses to use: artists, language, words, codes, sound. Default: all, unless --model is given.",
            metavar="NAME,…",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")] = False,
    review: Annotated[
        bool, typer.Option("--review", help="Accept, skip or correct each file in the terminal.")
    ] = False,
    fields: Annotated[str, typer.Option(help="Fields to write.")] = ",".join(TASKS),
    overwrite: Annotated[
        str | None,
        typer.Option(help="Replace existing values: of all fields, or of the named ones.", metavar="[FIELDS]"),
    ] = None,
    language_model: LanguageModel = None,
    lookup: Annotated[
        Literal["musicbrainz"] | None, typer.Option(help="Look up artists that the local table lacks.")
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Minimum probability of a value to be written. Default: 0.9; with --model, its own threshold.",
        ),
    ] = None,
    excerpt_seconds: Annotated[
        float, typer.Option(min=3, help="Seconds to analyse, from the middle of the file.")
    ] = 30.0,
    vote: Annotated[
        Literal["none", "artist", "album"] | None,
        typer.Option(help="One country for all files of an artist or album. Default: artist; with --model: none."),
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive/--no-recursive", help="Also search subfolders.")] = True,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Write the candidates into the file where none is probable enough.")
    ] = False,
    region_fallback: Annotated[
        bool, typer.Option("--region-fallback", help="Write the UN subregion where only that is probable enough.")
    ] = False,
    release_country: Annotated[
        bool, typer.Option("--release-country", help="Also fill the release country where it is empty.")
    ] = False,
    id3_version: Annotated[
        Literal["keep", "2.3", "2.4"], typer.Option(help="Version of written ID3 tags; new tags are 2.4.")
    ] = "keep",
    touch: Annotated[bool, typer.Option("--touch", help="Give changed files a new modification time.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Reconsider files that the same models have decided before.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
    journal: Annotated[
        Path | None, typer.Option(help="File that records the changes, for `geoclass undo`.", show_default=False)
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Files per batch on a GPU.")] = 32,
    workers: Workers = None,
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the country and the genre of recordings into their tags.

    Existing values are kept, uncertain values are not written, the audio is never touched, and `geoclass undo`
    reverts everything.

    Example: geoclass tag ~/Music --dry-run
    """
    with session(quiet=quiet or json_, debug=debug) as output:
        from geoclass.cli.tag_output import follow
        from geoclass.cli.tag_setup import chosen_witnesses, models_by_field, open_listener, open_sources
        from geoclass.evidence.identify import load_ahead
        from geoclass.inference.heard import HeardCache
        from geoclass.learning.bundle import changed_since
        from geoclass.library.scan import sound_files
        from geoclass.parallel.threads import closing_source
        from geoclass.tagging.apply import iter_apply
        from geoclass.tagging.corrections import Corrections
        from geoclass.tagging.journal import default_path
        from geoclass.tagging.lock import only_run
        from geoclass.tagging.models import load_classifier
        from geoclass.tagging.plan import in_order, iter_plan
        from geoclass.tagging.policy import Policy

        witnesses = chosen_witnesses(evidence, model, language_model)
        if lookup and "artists" not in (witnesses or ()):
            raise UsageError("--lookup needs the witness artists", hint="add --evidence artists,…")
        policy = Policy(
            fields=parse_tasks(fields, source="--fields"),
            evidence=witnesses,
            overwrite=frozenset(parse_tasks(overwrite, source="--overwrite")) if overwrite else frozenset(),
            min_confidence=min_confidence,
            vote=vote or ("none" if witnesses is None else "artist"),
            release_country=release_country,
            candidates=candidates,
            region_fallback=region_fallback,
            again=again,
        )
        if review and (json_ or dry_run):
            raise UsageError("--review is interactive: it cannot be combined with --json or --dry-run")
        if journal is not None and journal.exists():
            raise UsageError(f"--journal {journal} exists already", hint=f"undo that run with: geoclass undo {journal}")
        files = list(sound_files(paths, recursive=recursive))
        if not files:
            raise UsageError(f"no sound files in {', '.join(map(str, paths))}")
        if "language" in (witnesses or ()):
            load_ahead()
        remembered = Corrections.load()
        options = {"excerpt_seconds": excerpt_seconds, "workers": workers, "batch_size": batch_size}
        with HeardCache() as cache, nullcontext() if dry_run else only_run():
            classifier = load_classifier(model or [], policy, device=device, cache=cache, **options)
            for bundle in getattr(classifier, "bundles", ()):
                if changes := changed_since(bundle.training):
                    output.warn(f"the model {bundle.name} was {changes}")
            sung = open_listener(language_model, device=device, cache=cache, excerpt_seconds=excerpt_seconds)
            sources = open_sources(witnesses or (), output, lookup=lookup, models=model or (), sung_language=sung)
            plan: Iterator[FilePlan] = iter_plan(
                classifier, paths=files, policy=policy, remembered=remembered, sources=sources
            )
            if review:
                from geoclass.cli.review import review_plan

                plan = review_plan(plan, remembered=remembered, output=output)
            if not dry_run:
                version = None if id3_version == "keep" else int(id3_version[-1])
                place = journal or default_path()
                plan = iter_apply(plan, journal=place, id3_version=version, touch=touch)
            if json_:
                plan = in_order(plan)
            with closing_source(plan) as done:
                counts = follow(done, output, n_files=len(files), as_json=json_, models=models_by_field(classifier))
        if not dry_run and counts["written"]:
            output.say(f"\nto undo: geoclass undo {place}")
        if counts["failed"]:
            raise typer.Exit(SOME_FAILED)
