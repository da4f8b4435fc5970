"""`geoclass learn`: train a model on a tagged library."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geoclass.cli.console import SOME_FAILED, Debug, Output, Quiet, session
from geoclass.config.frontends import DescriptorsConfig, EmbeddingConfig
from geoclass.config.toml import with_overrides
from geoclass.errors import UsageError

if TYPE_CHECKING:
    from geoclass.learning.learn import Learned
    from geoclass.learning.verdict import FieldVerdict


def learn(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Sound files, and folders of them.", show_default=False)
    ] = None,
    fields: Annotated[str, typer.Option(help="Fields to train, where there are enough labels.")] = "country,genre",
    name: Annotated[
        str, typer.Option(help="Name of the model; `tag` uses `mine` unless --model names another.")
    ] = "mine",
    ask: Annotated[
        int, typer.Option(min=0, help="Ask for the labels of the N most informative files, then train again.")
    ] = 0,
    weak_labels: Annotated[
        bool,
        typer.Option("--weak-labels", help="Also train on countries that the other witnesses make almost certain."),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the results to a folder, as a page and as JSON.", show_default=False)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Hear through a pretrained encoder: front_end.kind=embedding, front_end.backbone=FOLDER. Repeatable.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove the model instead.")] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a model on your library, from the countries and genres that people wrote into its tags.

    Values written by geoclass are not used. The table shows results of cross-validation by artist: no file is scored
    by a model trained on its artist. From then on, `geoclass tag` uses the model.

    Example: geoclass learn ~/Music
    """
    with session(quiet=quiet, debug=debug) as output:
        from geoclass.cli.ask import ask_owner, say_gain
        from geoclass.learning import bundle
        from geoclass.learning.learn import learn_library
        from geoclass.learning.library import read_library
        from geoclass.vocabulary import parse_tasks

        if forget:
            known = bundle.forget(name)
            output.say(f"model {name} removed" if known else f"there is no model {name}")
            return
        if not paths:
            raise UsageError("no folder was named", hint="for example: geoclass learn ~/Music")
        tasks = parse_tasks(fields, source="--fields")
        bundle.check_name(name)
        front_end = with_overrides(_Hearing(), set_ or []).front_end
        with output.progress("listening") as advance:
            labelled = () if ask or weak_labels else tasks
            library = read_library(paths, labelled=labelled, front_end=front_end, progress=advance)
        for path, why in sorted(library.failures.items()):
            output.warn(f"{path}: {why}")
        before = ask_owner(library, ask, fields=tasks, output=output) if ask else None
        found = learn_library(library, fields=tasks, name=name, weak_labels=weak_labels, roots=paths)
        _print(found, output, name)
        if ask:
            say_gain(before, found, output)
        if report is not None:
            from geoclass.learning.page import write_page

            output.say(f"report: {write_page(found, report)}")
        if found.failures:
            raise typer.Exit(SOME_FAILED)


@dataclass(frozen=True, kw_only=True)
class _Hearing:
    """What `--set` may name."""

    front_end: DescriptorsConfig | EmbeddingConfig = field(default_factory=DescriptorsConfig)


def _print(found: "Learned", output: Output, name: str) -> None:
    output.say(f"{found.heard:,} of {found.files:,} files analysed")
    for note, count in sorted(found.notes.items()):
        output.say(f"  left out: {count:,} ({note})")
    for verdict in found.fields.values():
        _print_field(verdict, output)
        written, unlabelled = found.would_write[verdict.task]
        if unlabelled:
            output.say(f"of {unlabelled:,} files without a {verdict.task}, {written:,} would get one from sound alone")
        for left in found.left_out[verdict.task][:10]:
            output.say(f"  too few to learn: {left.label} ({left.reason})")
    for task, why in found.not_learned.items():
        output.say(f"\n{task}: not learned. {why[:1].upper()}{why[1:]}.")
    if found.witnesses is not None:
        from geoclass.learning.page import witnesses

        output.say("\nwitnesses on the country:")
        for sentence in witnesses(found.witnesses):
            output.say(f"  {sentence}")
    if found.folder is not None and found.bundle is None:
        output.say(f"\nno model was made from sound; the weights of the witnesses are saved in {found.folder}")
    elif found.folder is not None:
        output.say(
            f"\nmodel {name} saved in {found.folder}; `geoclass tag` uses it"
            + ("" if name == "mine" else f" with --model {name}")
        )


def _print_field(verdict: "FieldVerdict", output: Output) -> None:
    from geoclass.learning.page import summary

    rows = [
        (
            label.label,
            label.files,
            label.artists,
            f"{label.recall:.0%}",
            "-" if label.precision is None else f"{label.precision:.0%}",
        )
        for label in verdict.labels
    ]
    title = f"\n{verdict.task}: cross-validated by artist"
    output.table(title, ["label", "files", "artists", "recall", "precision"], rows)
    output.say(summary(verdict))
    if verdict.weak:
        output.say(f"{verdict.weak:,} more training files, with the country established by title, words and artist")
    if verdict.stopped:
        output.say(f"{verdict.stopped:,} popular songs were left out: their sound does not determine their country")
    if verdict.suspicions:
        shown = [
            (one.path, ", ".join(one.label), f"{one.heard} {one.probability:.2f}") for one in verdict.suspicions[:20]
        ]
        output.table("\nlabels to check; nothing was changed", ["file", "label", "sounds like"], shown)
