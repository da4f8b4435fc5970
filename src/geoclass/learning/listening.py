"""What is heard of each file of a library: cached, computed file by file, or in batches on a GPU."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from torch import Tensor

from geoclass.errors import AudioError
from geoclass.features.base import FILES_AT_ONCE, FrontEnd, in_batches
from geoclass.features.registry import wants_batches
from geoclass.inference.classifier import TIME_LIMIT_S
from geoclass.inference.heard import Heard, HeardCache
from geoclass.inference.hearing import Hearing, cut_file, hear, remember, remembered
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import closing_source, ordered_map

Result = TypeVar("Result")


def hear_files(
    paths: Sequence[Path], hearing: Hearing, front_end: FrontEnd, *, cache: HeardCache
) -> Iterator[Heard | str]:
    """The features of each file in its turn, or why there are none. Cached files are not decoded."""
    if not wants_batches(front_end):
        yield from _on_threads(partial(_hear, hearing=hearing, front_end=front_end, cache=cache), paths, ahead=None)
        return
    cut = _on_threads(partial(_cut, hearing=hearing, cache=cache), paths, ahead=2 * FILES_AT_ONCE)
    answers = in_batches(front_end, cut, lambda answer: answer if isinstance(answer, Tensor) else None)
    with closing_source(answers) as ready:
        for path, (answer, rows) in zip(paths, ready, strict=True):
            if isinstance(answer, Tensor):
                assert rows is not None
                answer = Heard(features=rows.numpy())
                remember(path, hearing, answer, cache)
            yield answer


def _hear(path: Path, *, hearing: Hearing, front_end: FrontEnd, cache: HeardCache) -> Heard:
    (heard,) = hear(path, [hearing], [front_end], cache=cache)
    return heard


def _cut(path: Path, *, hearing: Hearing, cache: HeardCache) -> Heard | Tensor:
    (heard,) = remembered(path, [hearing], cache)
    if heard is not None:
        return heard
    (segments,) = cut_file(path, [hearing])
    if isinstance(segments, Tensor):
        return segments
    remember(path, hearing, silent := Heard(features=np.zeros(0, np.float32), note=segments), cache)
    return silent


def _on_threads(
    listen: Callable[[Path], Result], paths: Sequence[Path], *, ahead: int | None
) -> Iterator[Result | str]:
    def listen_or_say_why(path: Path) -> Result | str:
        try:
            return listen(path)
        except AudioError as error:
            return error.message.removeprefix(f"{path}: ")
        except Exception as error:  # one unexpected failure must not end the run
            return f"{type(error).__name__}: {error}"

    return ordered_map(
        on_one_thread(listen_or_say_why),
        paths,
        ahead=ahead,
        time_limit_s=TIME_LIMIT_S,
        overdue=lambda _: f"given up after {TIME_LIMIT_S:g} s",
    )
