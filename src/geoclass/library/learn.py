"""A model of one's own library, from the labels that people gave its files."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.catalogue import LEARNED
from geoclass.config.frontends import DescriptorsConfig
from geoclass.errors import AudioError, DatasetError
from geoclass.features.registry import create_front_end
from geoclass.inference.heard import HeardCache
from geoclass.inference.hearing import Hearing, hear
from geoclass.library.ask import Question, questions
from geoclass.library.labels import LeftOut, artists_of, read_labels
from geoclass.library.learned_bundle import make_bundle, save_learned
from geoclass.library.song import Song
from geoclass.library.songs import read_collection
from geoclass.library.teach import Sounds, Taught, make_whitening, teach
from geoclass.library.verdict import FieldVerdict, count_unlabelled, judge, predict_files
from geoclass.library.weak import sure_countries
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import ordered_map
from geoclass.progress import Progress
from geoclass.tagging.corrections import Corrections
from geoclass.vocabulary import TASKS

SEGMENT_SECONDS, EXCERPT_SECONDS = 5.0, 30.0
_TIME_LIMIT_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A model that was learned, and what it can do."""

    bundle: Bundle
    folder: Path | None  # where it was saved; None: nowhere
    fields: Mapping[str, FieldVerdict]
    would_write: Mapping[str, tuple[int, int]]  # field -> of the files without a label: how many would get one, of all
    left_out: Mapping[str, tuple[LeftOut, ...]]
    not_learned: Mapping[str, str]  # field -> why
    files: int
    heard: int
    failures: Mapping[str, str] = field(default_factory=dict)  # path -> why it could not be read or decoded
    notes: Mapping[str, int] = field(default_factory=dict)  # "silence", "speech", … -> files


@dataclass(frozen=True, kw_only=True)
class Library:
    """A library, read and heard: what `teach` works on, again and again."""

    songs: Sequence[Song]
    artists: Sequence[str]
    sounds: Sounds
    failures: Mapping[str, str]
    notes: Mapping[str, int]


def learn(
    paths: Iterable[Path | str],
    *,
    fields: Sequence[str] = TASKS,
    name: str | None = LEARNED,
    weak_labels: bool = False,
    progress: Progress | None = None,
) -> Learned:
    """Make a model of a library from what people wrote into its files' tags, and save it among the user's models.

    Args:
        paths: Sound files, and folders of them.
        fields: "country", "genre" or both; a field with too few labels is left out, with the reason.
        name: Of the model; an older one of this name is replaced when the new one is complete. None: do not save it.
        weak_labels: Teach countries too that titles, words and artists make certain; they are never used to judge.
        progress: Called with the number of files done.

    Raises:
        UsageError: There are no sound files.
        DatasetError: Too few labels for any field.
    """
    roots = [Path(path) for path in paths]
    library = read_library(roots, progress=progress)
    return learn_library(library, fields=fields, name=name, weak_labels=weak_labels, roots=roots)


def read_library(roots: Sequence[Path], *, progress: Progress | None = None) -> Library:
    """Read the tags of a library and hear its files; what was heard before is not decoded again.

    Raises:
        UsageError: There are no sound files.
    """
    songs = read_collection(roots)
    return hear_songs(songs, artists_of(songs, roots), progress=progress)


def hear_songs(songs: Sequence[Song], artists: Sequence[str], *, progress: Progress | None = None) -> Library:
    """Hear songs whose tags were read."""
    if progress:
        progress(0, total=len(songs), note="listening")
    sounds, failures, notes = _hear_all(songs, progress)
    return Library(songs=songs, artists=artists, sounds=sounds, failures=failures, notes=notes)


def learn_library(
    library: Library,
    *,
    fields: Sequence[str] = TASKS,
    name: str | None = LEARNED,
    weak_labels: bool = False,
    roots: Sequence[Path] = (),
    corrections: Corrections | None = None,
) -> Learned:
    """As `learn`, of a library that was read already.

    Raises:
        DatasetError: Too few labels for any field.
    """
    corrections = corrections or Corrections.load()
    whitening = make_whitening()
    taught: dict[str, Taught] = {}
    not_learned: dict[str, str] = {}
    left_out: dict[str, tuple[LeftOut, ...]] = {}
    for task in fields:
        weak = sure_countries(library.songs) if weak_labels and task == "country" else None
        labels = read_labels(task, library.songs, library.artists, corrections=corrections, weak=weak)
        left_out[task] = labels.left_out
        found: Taught | str = "nothing was heard"
        if library.sounds.heard:
            found = teach(labels, library.sounds, library.artists, whitening=whitening)
        if isinstance(found, Taught):
            taught[task] = found
        else:
            not_learned[task] = found
    if not taught:
        said = "; ".join(f"{task}: {why}" for task, why in not_learned.items())
        raise DatasetError(
            f"this library cannot teach a model yet ({said})",
            hint="give two labels or more to 5 files by 3 artists each: by hand, or with `geoclass learn --ask 20`",
        )
    verdicts = {task: judge(found, library.songs, library.artists) for task, found in taught.items()}
    bundle = make_bundle(
        name or LEARNED, whitening, taught, verdicts, library.artists, songs=library.songs, roots=roots
    )
    return Learned(
        bundle=bundle,
        folder=None if name is None else save_learned(bundle, name),
        fields=verdicts,
        not_learned=not_learned,
        left_out=left_out,
        would_write=count_unlabelled(bundle, taught, library.sounds),
        files=len(library.songs),
        heard=len(library.sounds.heard),
        failures=library.failures,
        notes=library.notes,
    )


def choose_questions(
    library: Library,
    n: int,
    *,
    fields: Sequence[str] = TASKS,
    learned: Learned | None = None,
    corrections: Corrections | None = None,
) -> list[Question]:
    """The n files whose labels would teach most.

    Args:
        library: As `read_library` gives it.
        n: How many.
        fields: What may be asked.
        learned: A model of the library as it is; None: there is none yet.
        corrections: What was answered before.
    """
    if not library.sounds.heard:
        return []
    labels = {task: read_labels(task, library.songs, library.artists, corrections=corrections) for task in fields}
    answers = predict_files(learned.bundle, library.sounds) if learned else None
    whitening = make_whitening()
    return questions(n, labels, library.sounds, library.artists, whitening=whitening, answers=answers)


def _hear_all(songs: Sequence[Song], progress: Progress | None) -> tuple[Sounds, dict[str, str], dict[str, int]]:
    hearing = hearing_of_learned()
    front_end = create_front_end(hearing.front_end)
    failures: dict[str, str] = {song.path: song.error for song in songs if song.error}
    notes: Counter[str] = Counter()
    parts: list[NDArray[np.float32]] = []
    files: list[int] = []
    with HeardCache() as cache:

        def listen(index: int) -> tuple[NDArray[np.float32] | None, str]:
            path = Path(songs[index].path)
            try:
                (heard,) = hear(path, [hearing], [front_end], cache=cache)
            except AudioError as error:
                return None, error.message.removeprefix(f"{path}: ")
            except Exception as error:  # a file that no decoder foresaw must not end the run of the others
                return None, f"{type(error).__name__}: {error}"
            return (None if heard.note else heard.features), heard.note

        readable = [index for index, song in enumerate(songs) if not song.error]
        answers = ordered_map(
            on_one_thread(listen),
            readable,
            time_limit_s=_TIME_LIMIT_S,
            overdue=lambda _: (None, f"given up after {_TIME_LIMIT_S:g} s"),
        )
        for index, (rows, why) in zip(readable, answers, strict=True):
            if rows is not None and np.isfinite(rows).all():
                parts.append(rows)
                files += [index] * len(rows)
            elif why in _NOTES or why.startswith("shorter"):
                notes[why] += 1
            else:
                failures[songs[index].path] = why or "its descriptors are not finite numbers"
            if progress:
                progress(1)
    n_columns = len(DescriptorsConfig().columns)
    rows = np.concatenate(parts) if parts else np.zeros((0, n_columns), np.float32)
    return Sounds(rows=torch.from_numpy(rows), files=np.array(files, np.int64)), failures, dict(notes)


_NOTES = frozenset(("silence", "noise", "speech"))


def hearing_of_learned() -> Hearing:
    """How a learned model listens."""
    return Hearing(front_end=DescriptorsConfig(), segment_seconds=SEGMENT_SECONDS, excerpt_seconds=EXCERPT_SECONDS)
