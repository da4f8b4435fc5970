"""Predictions for sound files, folders and tables: one per input, in input order, as a stream."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from geoclass.errors import ModelError, UsageError
from geoclass.inference.classifier import Classifier
from geoclass.inference.prediction import Failure, Prediction
from geoclass.inference.table import TABLE_SUFFIXES, predict_table
from geoclass.library.scan import sound_files

if TYPE_CHECKING:
    from geoclass.bundle.bundle import Bundle


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The prediction for one input."""

    path: Path  # a sound file, or a table
    row: int | None = None  # of a table, from 1
    name: str = ""  # what the table's name column says
    prediction: Prediction | Failure


def predict(
    inputs: Iterable[str | Path],
    *,
    bundles: "Bundle | Sequence[Bundle]",
    name_column: str = "",
    embed: bool = False,
    excerpt_seconds: float = 30.0,
    workers: int | None = None,
) -> Iterator[Answer]:
    """Apply models to inputs; failures are yielded, not raised.

    Args:
        inputs: Sound files, folders of them, and tables (.csv, .tsv, .npy) with the columns of the model.
        bundles: The models; a single one for tables and embeddings.
        name_column: Of tables: returned with each row.
        embed: Give predictions the embedding of the model.
        excerpt_seconds: Length of the excerpt from the middle of a sound file.
        workers: Decoding threads; None: one per core.

    Raises:
        UsageError: The models do not fit the inputs.
    """
    models = list(bundles) if isinstance(bundles, Sequence) else [bundles]
    listed = [Path(path) for path in inputs]
    has_tables = any(_is_table(path) for path in listed)
    if len(models) != 1 and (has_tables or embed):
        if missing := [path for path in listed if not path.exists()]:
            raise UsageError(f"{missing[0]} does not exist")
        raise UsageError(
            f"{'tables' if has_tables else 'embeddings'} need one model, found {len(models)}",
            hint="name it with --model",
        )
    readers = [model.name for model in models if model.front_end_config.kind == "table"]
    if readers and not all(_is_table(path) for path in listed):
        raise UsageError(
            f"model {readers[0]} reads tables, not sound", hint="name a table (.csv, .npy), or another model"
        )
    return _answers(listed, models, name_column=name_column, embed=embed, excerpt=excerpt_seconds, workers=workers)


def _answers(
    inputs: list[Path], models: "list[Bundle]", *, name_column: str, embed: bool, excerpt: float, workers: int | None
) -> Iterator[Answer]:
    for is_table, group in groupby(inputs, key=_is_table):
        if is_table:
            for path in group:
                yield from _of_table(path, models[0], name_column=name_column, embed=embed)
        else:
            classifier = Classifier(models, excerpt_seconds=excerpt, workers=workers, embed=embed)
            for prediction in classifier.predict_many(sound_files(group)):
                yield Answer(path=prediction.path, prediction=prediction)


def _of_table(path: Path, model: "Bundle", *, name_column: str, embed: bool) -> Iterator[Answer]:
    try:
        for row in predict_table(model, path, name_column=name_column, embed=embed):
            yield Answer(path=path, row=row.number, name=row.name, prediction=row.answer)
    except ModelError as error:
        reason = error.message.removeprefix(f"{path}: ")
        yield Answer(path=path, prediction=Failure(path=path, reason=reason))


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in TABLE_SUFFIXES and not path.is_dir()
