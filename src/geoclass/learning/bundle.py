"""A learned model as an ordinary bundle, replaced as a whole: who reads it meanwhile gets the old one or the new."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geoclass import __version__
from geoclass.bundle.bundle import Bundle
from geoclass.bundle.catalogue import LEARNED_FROM
from geoclass.bundle.heads import Head
from geoclass.bundle.training_set import TrainingSet
from geoclass.config.frontends import DescriptorsConfig, EmbeddingConfig, FrontEndConfig
from geoclass.errors import StorageError, UsageError
from geoclass.evidence.library import LibraryEvidence
from geoclass.inference.prediction import OUTSIDE
from geoclass.learning.fit import SURE
from geoclass.learning.teach import N_BINS, Taught
from geoclass.learning.verdict import FieldVerdict
from geoclass.library.scan import sound_files
from geoclass.library.song import Song
from geoclass.models.columns import Whiten
from geoclass.models.gated import GatedLinear
from geoclass.models.registry import create_model
from geoclass.storage import data_dir, fingerprint, locked

_MUCH = 0.2  # of the files


def make_bundle(
    name: str,
    whitening: Whiten,
    taught: Mapping[str, Taught],
    verdicts: Mapping[str, FieldVerdict],
    artists: Sequence[str],
    *,
    songs: Sequence[Song],
    roots: Sequence[Path] = (),
    front_end: FrontEndConfig | None = None,
    segment_seconds: float = 5.0,
) -> Bundle:
    """One model that predicts all fields that were learned."""
    config = front_end or DescriptorsConfig()
    assert isinstance(config, DescriptorsConfig | EmbeddingConfig)
    sizes = [len(found.labels.names) + 1 for found in taught.values()]
    kinds = [found.labels.kind for found in taught.values()]
    model = create_model(
        "gated-linear", n_classes=sum(sizes), front_end=config, sizes=sizes, kinds=kinds, n_bins=N_BINS
    )
    assert isinstance(model, GatedLinear)
    model.whiten.load_state_dict(whitening.state_dict())
    parts = [part for found in taught.values() for part in (found.fitted.labels, found.fitted.gate)]
    with torch.no_grad():
        model.head.weight.copy_(torch.cat([part.weight for part in parts]))
        model.head.bias.copy_(torch.cat([part.bias for part in parts]))
    heads = tuple(
        Head(task=task, kind=found.labels.kind, labels=(*found.labels.names, OUTSIDE), threshold=SURE)
        for task, found in taught.items()
    )
    used = sorted({file for found in taught.values() for file in found.labels.of_file})
    labels = {
        task: {songs[file].path: given for file, given in found.labels.of_file.items()}
        for task, found in taught.items()
    }
    columns = len(config.columns)
    return Bundle(
        name=name,
        dataset_hash=fingerprint(labels)[:8],
        model=model,
        front_end_config=config,
        segment_seconds=segment_seconds,
        mean=np.zeros(columns, np.float32),
        std=np.ones(columns, np.float32),
        heads=heads,
        training={
            "made_by": "geoclass learn",
            LEARNED_FROM: {
                "folders": [str(Path(root).resolve()) for root in roots],
                "files": len(songs),
                "labelled": {task: len(found.labels.of_file) for task, found in taught.items()},
            },
            "temperature": {task: found.fitted.temperature for task, found in taught.items()},
            "versions": {"geoclass": __version__, "torch": torch.__version__},
        },
        metrics={task: _metrics(verdict) for task, verdict in verdicts.items()},
        data={
            "trained_on": f"{len(used)} files of one library, with the labels that people gave them",
            "and, as music to abstain on, on": "statistics of field recordings, popular songs and drum loops",
            "licence": "yours",
        },
        training_set=TrainingSet.from_keys(
            [os.path.abspath(songs[file].path) for file in used], {artists[file] for file in used}
        ),
    )


def _metrics(verdict: FieldVerdict) -> dict[str, Any]:
    found: dict[str, Any] = {
        "on": f"{verdict.files} files, in cross-validation by artist",
        "accuracy": verdict.accuracy,
        "written": verdict.written,
    }
    return found | ({} if verdict.right is None else {"right_of_what_is_written": verdict.right})


def save_learned(bundle: Bundle | None, name: str, *, evidence: LibraryEvidence | None = None) -> Path:
    """Save a model among the user's, in place of an older learned one of the same name.

    Beside it lies what was learned about the witnesses, where anything was.

    The new folder is complete before a link is turned to it in one step: a kill at any moment leaves the old or the
    new model.

    Raises:
        UsageError: The name belongs to a model that was not learned, or is no name.
        StorageError: The disk is full, the folder read-only, or the like.
    """
    check_name(name)
    models = data_dir() / "models"
    store = models / ".learned"
    try:
        store.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=store))
        try:
            os.chmod(folder, 0o755)
            if evidence is not None:
                evidence.save(folder)
            if bundle is not None:
                bundle.save(folder)
            previous = _turn(models / name, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise StorageError(
            f"cannot save the model in {models}: {error.strerror or error}", hint="check the free disk space"
        ) from error
    if previous is not None and previous != folder:
        shutil.rmtree(previous, ignore_errors=True)
    return models / name


def forget(name: str) -> bool:
    """Remove a learned model; False when there is none.

    Raises:
        UsageError: The name belongs to a model that was not learned.
    """
    check_name(name)
    link = data_dir() / "models" / name
    if not os.path.lexists(link):
        return False
    target = _target(link)
    link.unlink()
    if target is not None:
        shutil.rmtree(target, ignore_errors=True)
    return True


def check_name(name: str) -> None:
    """Refuse names that are no file names, or that belong to models that were not learned.

    Raises:
        UsageError: It cannot be taken.
    """
    if not name or name.startswith(".") or Path(name).name != name or name in ("latest",):
        raise UsageError(f"--name {name}: not a valid model name", hint="letters, digits and hyphens, such as `jazz`")
    place = data_dir() / "models" / name
    if os.path.lexists(place) and not place.is_symlink():
        raise UsageError(f"--name {name}: {place} is not a model made by `geoclass learn`", hint="choose another name")


def changed_since(training: Mapping[str, Any]) -> str:
    """How a library differs from what a model learned from; "" when not much, or when the model was not learned.

    Args:
        training: What the bundle says of its training.
    """
    learned = training.get(LEARNED_FROM)
    if not isinstance(learned, Mapping) or not learned.get("folders"):
        return ""
    now = sum(1 for _ in sound_files([Path(folder) for folder in learned["folders"]]))
    then = int(learned["files"])
    if abs(now - then) <= _MUCH * then:
        return ""
    return f"learned from {then:,} files; there are {now:,} now: `geoclass learn {shlex.join(learned['folders'])}`"


def _turn(link: Path, folder: Path) -> Path | None:
    """Point a link at a folder, in one step; returns what it pointed at before."""
    with locked(link.with_name(".learn.lock")):  # each of two runs must see what the other has put there
        previous = _target(link)
        temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
        with suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(Path(".learned") / folder.name, target_is_directory=True)
        os.replace(temporary, link)
    return previous


def _target(link: Path) -> Path | None:
    return (link.parent / os.readlink(link)) if link.is_symlink() else None
