"""`geoclass predict`: what models say, one row per input; no tags are written."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from geoclass.cli.console import SOME_FAILED, Debug, Device, Output, Quiet, Workers, session
from geoclass.errors import UsageError


def predict(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Sound files, folders of them, or tables of features (.csv, .tsv, .npy).", show_default=False
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(help="Model by name or folder. Repeatable, one per field. Default: the built-in models."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Candidates per field.")] = 5,
    out: Annotated[
        Path | None, typer.Option(help="CSV or .jsonl to write; CSV on stdout by default.", show_default=False)
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON lines instead of CSV on stdout.")] = False,
    embeddings: Annotated[
        Path | None,
        typer.Option(help="Also write the embeddings (n_inputs, n_dimensions) as .npy.", show_default=False),
    ] = None,
    name_column: Annotated[
        str, typer.Option(help="Column of a table that holds the names of its rows.", show_default=False)
    ] = "",
    excerpt_seconds: Annotated[
        float, typer.Option(min=3, help="Seconds to analyse, from the middle of the file.")
    ] = 30.0,
    workers: Workers = None,
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Print the best candidates for each input with calibrated probabilities; write no tags.

    There is one row per input, in input order; for an unreadable input, the row holds the reason.

    Example: geoclass predict field-recordings/ --model country-traditional --top 3 --out predictions.csv
    """
    with session(quiet=quiet or (out is None and sys.stdout.isatty()), debug=debug) as output, ExitStack() as stack:
        from geoclass.bundle.bundle import Bundle
        from geoclass.bundle.catalogue import models_for
        from geoclass.library.predict import predict as run_prediction
        from geoclass.library.prediction_files import EmbeddingWriter, PredictionWriter, open_predictions

        as_json = json_ or (out is not None and out.suffix == ".jsonl")
        if out is not None and json_ and out.suffix != ".jsonl":
            raise UsageError(
                f"--json writes JSON lines, but --out {out} does not end in .jsonl", hint="drop one of them"
            )
        # Also a model that is never sure enough for `tag`: its ranking may be what is wanted.
        bundles = [Bundle.load(name, device=device) for name in model or models_for(("country", "genre"))]
        answers = run_prediction(
            inputs, bundles=bundles, name_column=name_column, embed=embeddings is not None,
            excerpt_seconds=excerpt_seconds, workers=workers,
        )  # fmt: skip
        vectors = None
        if embeddings is not None:
            vectors = stack.enter_context(EmbeddingWriter(embeddings, dim=bundles[0].model.embedding_dim))
        stream = sys.stdout if out is None else stack.enter_context(open_predictions(out, as_json=as_json))
        tasks = [task for bundle in bundles for task in bundle.tasks]
        writer = PredictionWriter(stream, tasks=tasks, top=top, as_json=as_json)
        n, n_failed = _write(output, answers, writer, vectors)
        if out is not None:
            output.say(f"written: {out}, {n:,} rows" + (f", {n_failed:,} of them failed" if n_failed else ""))
        if n == 0:
            raise UsageError(f"no sound files in {', '.join(map(str, inputs))}")
        if n_failed:
            raise typer.Exit(SOME_FAILED)


def _write(output: Output, answers: Any, writer: Any, vectors: Any) -> tuple[int, int]:
    """Write all answers; returns how many there were, and how many of them failed."""
    from geoclass.inference.prediction import Failure

    n = n_failed = 0
    with output.progress("predicting", unit="inputs") as advance:
        for answer in answers:
            writer.write(answer)
            failed = isinstance(answer.prediction, Failure)
            if vectors is not None:
                vectors.write(None if isinstance(answer.prediction, Failure) else answer.prediction.embedding)
            n += 1
            n_failed += failed
            advance()
    return n, n_failed
