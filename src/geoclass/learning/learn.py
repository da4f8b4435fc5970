"""Trains a model on a library, from the labels that people gave its files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.catalogue import LEARNED
from geoclass.config.frontends import DescriptorsConfig, FrontEndConfig
from geoclass.errors import DatasetError
from geoclass.learning.ask import Question, questions
from geoclass.learning.bundle import make_bundle, save_learned
from geoclass.learning.labels import ENOUGH, Labels, LeftOut, read_labels
from geoclass.learning.library import Library, read_library
from geoclass.learning.teach import Taught, teach
from geoclass.learning.verdict import FieldVerdict, count_unlabelled, judge
from geoclass.learning.weak import sure_countries
from geoclass.learning.witnesses import Counsel, consult_library
from geoclass.progress import Progress
from geoclass.tagging.corrections import Corrections
from geoclass.vocabulary import TASKS


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A learned model with its cross-validated scores."""

    bundle: Bundle | None  # None: nothing was learned from sound, only the weights of the witnesses
    folder: Path | None  # where it was saved; None: nowhere
    fields: Mapping[str, FieldVerdict]
    would_write: Mapping[str, tuple[int, int]]  # field -> of the files without a label: how many would get one, of all
    left_out: Mapping[str, tuple[LeftOut, ...]]
    not_learned: Mapping[str, str]  # field -> why
    files: int
    heard: int
    failures: Mapping[str, str] = field(default_factory=dict)  # path -> why it could not be read or decoded
    notes: Mapping[str, int] = field(default_factory=dict)  # "silence", "speech", … -> files
    witnesses: Counsel | None = None  # what the witnesses on the country are worth here; None: not asked for


def learn(
    paths: Iterable[Path | str],
    *,
    fields: Sequence[str] = TASKS,
    name: str | None = LEARNED,
    weak_labels: bool = False,
    front_end: FrontEndConfig | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Train a model on a library, from the values that people wrote into its tags, and save it among the user's models.

    Args:
        paths: Sound files, and folders of them.
        fields: "country", "genre" or both; a field with too few labels is left out, with the reason.
        name: Of the model; an older one of this name is replaced when the new one is complete. None: do not save it.
        weak_labels: Also train on countries that titles, words and artists make almost certain; never used for scoring.
        front_end: Of the features: an `EmbeddingConfig` names a pretrained encoder. None: descriptors.
        progress: Called with the number of files done.

    Raises:
        UsageError: There are no sound files.
        ModelError: The encoder cannot be loaded.
        DatasetError: Too few labels for any field.
    """
    roots = [Path(path) for path in paths]
    library = read_library(roots, labelled=() if weak_labels else fields, front_end=front_end, progress=progress)
    return learn_library(library, fields=fields, name=name, weak_labels=weak_labels, roots=roots)


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
    if not library.sounds.heard:
        why = next(iter({*library.failures.values(), *library.notes}), "")
        raise DatasetError(
            f"none of the {len(library.songs):,} files could be analysed" + (f" ({why})" if why else ""),
            hint="name a folder of music: geoclass learn ~/Music",
        )
    corrections = corrections or Corrections.load()
    weak = {"country": sure_countries(library.songs, library.artists)} if weak_labels and "country" in fields else {}
    labels = {
        task: read_labels(task, library.songs, library.artists, corrections=corrections, weak=weak.get(task))
        for task in fields
    }
    lessons = {task: _teach(of_task, library) for task, of_task in labels.items()}
    taught = {task: lesson for task, lesson in lessons.items() if isinstance(lesson, Taught)}
    not_learned = {task: lesson for task, lesson in lessons.items() if isinstance(lesson, str)}
    counsel = None
    if "country" in fields:
        counsel = consult_library(library.songs, library.artists, corrections=corrections, taught=taught.get("country"))
    evidence = counsel.evidence if counsel else None
    if not taught and evidence is None:
        said = "; ".join(f"{task}: {why}" for task, why in not_learned.items())
        raise DatasetError(
            f"this library has too few labels for a model ({said})",
            hint=ENOUGH,
        )
    verdicts = {task: judge(found, library.songs, library.artists) for task, found in taught.items()}
    bundle = None
    if taught:
        bundle = make_bundle(
            name or LEARNED,
            library.whitening,
            taught,
            verdicts,
            library.artists,
            songs=library.songs,
            roots=roots,
            front_end=library.front_end,
        )
    return Learned(
        bundle=bundle,
        folder=None if name is None else save_learned(bundle, name, evidence=evidence),
        fields=verdicts,
        not_learned=not_learned,
        left_out={task: of_task.left_out for task, of_task in labels.items()},
        would_write=count_unlabelled(bundle, taught, library.sounds, rows=library.rows) if bundle else {},
        files=len(library.songs),
        heard=len(library.sounds.heard),
        failures=library.failures,
        notes=library.notes,
        witnesses=counsel,
    )


def _teach(labels: Labels, library: Library) -> Taught | str:
    return teach(
        labels,
        library.sounds,
        library.artists,
        rows=library.rows,
        whitening=library.whitening,
        others_known=isinstance(library.front_end, DescriptorsConfig),
    )


def choose_questions(
    library: Library,
    n: int,
    *,
    fields: Sequence[str] = TASKS,
    corrections: Corrections | None = None,
) -> list[Question]:
    """The n files whose labels would be most informative.

    Args:
        library: As `read_library` gives it.
        n: How many.
        fields: What may be asked.
        corrections: What was answered before.
    """
    if not library.sounds.heard:
        return []
    labels = {task: read_labels(task, library.songs, library.artists, corrections=corrections) for task in fields}
    return questions(n, labels, library.sounds, library.artists, rows=library.rows)
