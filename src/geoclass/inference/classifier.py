"""From files to predictions, in input order; failures are yielded, not raised.

On the CPU each file is processed on one thread, one core per file: nothing waits, little is kept, and the prediction
for a file does not depend on its neighbours. For a GPU, threads decode, and files go through the models in batches.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.errors import AudioError, ModelError
from geoclass.features.base import together
from geoclass.inference.answers import field_predictions, logits_and_embeddings
from geoclass.inference.heard import Heard, HeardCache
from geoclass.inference.hearing import Hearing, cut_file, hear, remember, remembered
from geoclass.inference.prediction import Failure, FieldPrediction, Prediction
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import PATIENCE_S, closing_source, default_workers, ordered_map

if TYPE_CHECKING:
    from geoclass.bundle.bundle import Bundle

TIME_LIMIT_S = 300.0  # a file takes a fraction of a second; a decoder stuck in a damaged file takes forever


@dataclass(frozen=True)
class _Decoded:
    """A file on its way to the models: their inputs, or why there are none."""

    path: Path
    inputs: list[Heard | Tensor]  # for each bundle: features, or on a GPU the segments (n_segments, n_samples)
    error: str = ""
    note: str = ""  # why no model is applied


class Classifier:
    """Applies one or several models to sound files.

    Args:
        bundles: The models; no two may predict the same task.
        batch_size: Files that go through the models together on a GPU.
        excerpt_seconds: Length of the excerpt from the middle of a file.
        workers: Threads; None: one per core.
        time_limit_s: A file that takes longer is given up.
        cache: The cache of features; closed by its owner.
        embed: Give predictions the embedding that the last of the models makes.
    """

    def __init__(
        self,
        bundles: "Bundle | Sequence[Bundle]",
        *,
        batch_size: int = 32,
        excerpt_seconds: float = 30.0,
        workers: int | None = None,
        time_limit_s: float = TIME_LIMIT_S,
        cache: HeardCache | None = None,
        embed: bool = False,
    ) -> None:
        self.bundles = list(bundles) if isinstance(bundles, Sequence) else [bundles]
        tasks = [task for bundle in self.bundles for task in bundle.tasks]
        if doubled := sorted({task for task in tasks if tasks.count(task) > 1}):
            raise ModelError(f"two models predict {', '.join(doubled)}", hint="name one --model per field")
        self._front_ends = [bundle.front_end for bundle in self.bundles]  # fails here when a model reads a table
        self._hearings = [Hearing.of(bundle, excerpt_seconds=excerpt_seconds) for bundle in self.bundles]
        self.cache = cache
        self.embed = embed
        self.batch_size = batch_size
        self.excerpt_seconds = excerpt_seconds
        self.workers = workers or default_workers()
        self.time_limit_s = time_limit_s
        self._file_by_file = all(bundle.device.type == "cpu" for bundle in self.bundles)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks predicted, in the order of the models."""
        return tuple(task for bundle in self.bundles for task in bundle.tasks)

    @property
    def never_sure(self) -> tuple[str, ...]:
        """The tasks whose model is never sure enough to write."""
        return tuple(head.task for bundle in self.bundles for head in bundle.heads if head.never_sure)

    @property
    def model_id(self) -> str:
        """The identity of every model, as `Bundle.identity` gives it: the provenance in tags."""
        return "; ".join(bundle.identity for bundle in self.bundles)

    def predict(self, path: str | Path) -> Prediction:
        """Predict one file.

        Raises:
            AudioError: It cannot be decoded, or is too short.
        """
        (answer,) = self.predict_many([Path(path)])
        if isinstance(answer, Failure):
            raise AudioError(f"{path}: {answer.reason}")
        return answer

    def predict_many(self, paths: Iterable[str | Path]) -> Iterator[Prediction | Failure]:
        """Predict files, in their order. Decoding runs ahead by a bounded number of files."""
        with closing_source(paths) as source:
            answer = self._predict_each if self._file_by_file else self._predict_in_batches
            yield from answer(map(Path, source))

    def _predict_each(self, files: Iterable[Path]) -> Iterator[Prediction | Failure]:
        return ordered_map(
            on_one_thread(self._predict_file),
            files,
            workers=self.workers,
            time_limit_s=self.time_limit_s,
            overdue=lambda path: Failure(path=path, reason=self._given_up),
            patience_s=PATIENCE_S,
        )

    def _predict_in_batches(self, files: Iterable[Path]) -> Iterator[Prediction | Failure]:
        decoded = ordered_map(
            self._decode,
            files,
            workers=self.workers,
            ahead=2 * self.batch_size,
            time_limit_s=self.time_limit_s,
            overdue=lambda path: _Decoded(path, [], error=self._given_up),
            patience_s=PATIENCE_S,
        )
        with closing_source(decoded) as ready:
            while batch := list(islice(ready, self.batch_size)):
                yield from self._predict_batch(batch)

    @property
    def _given_up(self) -> str:
        return f"given up after {self.time_limit_s:g} s: damaged, or on a drive that does not respond"

    def _predict_file(self, path: Path) -> Prediction | Failure:
        (answer,) = self._predict_batch([self._decode(path)])
        return answer

    def _decode(self, path: Path) -> _Decoded:
        try:
            inputs: list[Heard | Tensor | str]
            if self._file_by_file:
                inputs = [*hear(path, self._hearings, self._front_ends, cache=self.cache)]
            else:
                known = remembered(path, self._hearings, self.cache)
                cut = cut_file(path, self._hearings) if any(heard is None for heard in known) else []
                inputs = [cut[index] if heard is None else heard for index, heard in enumerate(known)]
        except AudioError as error:
            return _Decoded(path, [], error.message.removeprefix(f"{path}: "))
        except Exception as error:  # one unexpected failure must not end the run
            return _Decoded(path, [], f"{type(error).__name__}: {error}")
        for given in inputs:
            if note := given if isinstance(given, str) else given.note if isinstance(given, Heard) else "":
                return _Decoded(path, [], note=note)
        return _Decoded(path, [given for given in inputs if not isinstance(given, str)])

    def _predict_batch(self, batch: Sequence[_Decoded]) -> list[Prediction | Failure]:
        good = [item for item in batch if item.inputs]
        answers: list[dict[str, FieldPrediction]] = [{} for _ in good]
        embeddings: list[NDArray[np.float32]] = []
        for index, bundle in enumerate(self.bundles):
            asked = list(_ask(bundle, self._features(index, good)))
            for answer, (more, _) in zip(answers, asked, strict=True):
                answer.update(more)
            embeddings = [embedding for _, embedding in asked]
        following = zip(answers, embeddings, strict=True)
        return [self._answer(item, following) for item in batch]

    def _answer(
        self, item: _Decoded, following: Iterator[tuple[dict[str, FieldPrediction], NDArray[np.float32]]]
    ) -> Prediction | Failure:
        if item.error:
            return Failure(path=item.path, reason=item.error)
        if not item.inputs:
            return Prediction(path=item.path, fields={}, note=item.note)
        fields, embedding = next(following)
        return Prediction(path=item.path, fields=fields, embedding=embedding if self.embed else None)

    def _features(self, index: int, files: Sequence[_Decoded]) -> list[Tensor]:
        """What one model reads of several files: (n_segments, *feature_shape) each; segments go through together."""
        bundle, hearing = self.bundles[index], self._hearings[index]
        given = [item.inputs[index] for item in files]
        new = [segments.to(bundle.device) for segments in given if isinstance(segments, Tensor)]
        following = iter(together(bundle.front_end, new))
        features = []
        for item, heard in zip(files, given, strict=True):
            if isinstance(heard, Heard):
                features.append(torch.tensor(heard.features))
            else:
                features.append(next(following))
                remember(item.path, hearing, Heard(features=features[-1].float().cpu().numpy()), self.cache)
        return features


def _ask(bundle: "Bundle", files: Sequence[Tensor]) -> Iterator[tuple[dict[str, FieldPrediction], NDArray[np.float32]]]:
    """(n_segments, *feature_shape) of several files to the answer and the embedding of each."""
    if not files:
        return
    logits, embeddings = logits_and_embeddings(bundle, torch.cat([part.to(bundle.device) for part in files]))
    ends = np.cumsum([len(segments) for segments in files])
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        means = {task: values[start:end].mean(axis=0, keepdims=True) for task, values in logits.items()}
        (fields,) = field_predictions(bundle, means)
        yield fields, embeddings[start:end].mean(axis=0)
