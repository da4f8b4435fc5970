"""A library, read and analysed: the tags of its files and the features that a learned model reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.config.frontends import DescriptorsConfig, EmbeddingConfig, FrontEndConfig
from geoclass.errors import DatasetError, UsageError
from geoclass.features.registry import open_encoder, resolve_front_end
from geoclass.inference.heard import Heard, HeardCache
from geoclass.inference.hearing import Hearing
from geoclass.learning.labels import ENOUGH, artists_of, given_labels
from geoclass.learning.listening import hear_files
from geoclass.learning.teach import Sounds, make_whitening, whitened
from geoclass.library.song import Song
from geoclass.library.songs import read_collection
from geoclass.models.columns import Whiten
from geoclass.progress import Progress
from geoclass.tagging.corrections import Corrections
from geoclass.text import counted

SEGMENT_SECONDS, EXCERPT_SECONDS = 5.0, 30.0
_NOTES = frozenset(("silence", "noise", "speech"))


@dataclass(frozen=True, kw_only=True)
class Library:
    """A library, read and analysed: the input of training."""

    songs: Sequence[Song]
    artists: Sequence[str]
    sounds: Sounds
    failures: Mapping[str, str]
    notes: Mapping[str, int]
    front_end: FrontEndConfig = field(default_factory=DescriptorsConfig)  # of the features

    @cached_property
    def whitening(self) -> Whiten:
        """The transformation of the columns that precedes all learning."""
        return make_whitening(self.front_end, self.sounds.rows)

    @cached_property
    def rows(self) -> Tensor:
        """(n_segments, n_columns) of `sounds`, whitened once: it takes longer than most of what follows."""
        return whitened(self.sounds.rows, self.whitening)


def read_library(
    roots: Sequence[Path],
    *,
    labelled: Sequence[str] = (),
    front_end: FrontEndConfig | None = None,
    progress: Progress | None = None,
) -> Library:
    """Read the tags of a library and compute the features of its files; cached ones are not decoded again.

    Args:
        roots: Sound files, and folders of them.
        labelled: Fields of which one must have a label in some file; without any label nothing is decoded.
        front_end: Of the features, one row per segment. None: descriptors.
        progress: Called with the number of files done.

    Raises:
        UsageError: There are no sound files, or the front end does not give rows.
        DatasetError: No file has a label.
        ModelError: The front end cannot be loaded.
    """
    songs = read_collection(roots)
    if labelled and any(not song.error for song in songs) and not _has_labels(songs, labelled):
        raise DatasetError(
            f"of {counted(len(songs), 'file')}, none has a {' or a '.join(labelled)} written by a person", hint=ENOUGH
        )
    return hear_songs(songs, artists_of(songs, roots), front_end=front_end, progress=progress)


def _has_labels(songs: Sequence[Song], fields: Sequence[str]) -> bool:
    corrections = Corrections.load()
    return any(given_labels(field, songs, corrections=corrections) for field in fields)


def hear_songs(
    songs: Sequence[Song],
    artists: Sequence[str],
    *,
    front_end: FrontEndConfig | None = None,
    progress: Progress | None = None,
) -> Library:
    """Compute the features of songs whose tags were read."""
    chosen = resolve_front_end(front_end or DescriptorsConfig())
    if not isinstance(chosen, DescriptorsConfig | EmbeddingConfig):
        raise UsageError(
            f"front_end.kind={chosen.kind}: `learn` uses descriptors or an embedding",
            hint="for example --set front_end.kind=embedding --set front_end.backbone=FOLDER",
        )
    if progress:
        progress(0, total=len(songs), note="listening")
    sounds, failures, notes = _hear_all(songs, chosen, progress)
    return Library(songs=songs, artists=artists, sounds=sounds, failures=failures, notes=notes, front_end=chosen)


def _hear_all(
    songs: Sequence[Song], config: DescriptorsConfig | EmbeddingConfig, progress: Progress | None
) -> tuple[Sounds, dict[str, str], dict[str, int]]:
    hearing = Hearing(front_end=config, segment_seconds=SEGMENT_SECONDS, excerpt_seconds=EXCERPT_SECONDS)
    front_end = open_encoder(config)
    failures: dict[str, str] = {song.path: song.error for song in songs if song.error}
    notes: Counter[str] = Counter()
    parts: list[NDArray[np.float32]] = []
    files: list[int] = []
    readable = [index for index, song in enumerate(songs) if not song.error]
    paths = [Path(songs[index].path) for index in readable]
    with HeardCache() as cache:
        for index, heard in zip(readable, hear_files(paths, hearing, front_end, cache=cache), strict=True):
            why = heard if isinstance(heard, str) else heard.note
            if isinstance(heard, Heard) and not why and np.isfinite(heard.features).all():
                parts.append(heard.features)
                files += [index] * len(heard.features)
            elif why in _NOTES or why.startswith("shorter"):
                notes[why] += 1
            else:
                failures[songs[index].path] = why or "its features are not finite numbers"
            if progress:
                progress(1)
    rows = np.concatenate(parts) if parts else np.zeros((0, len(config.columns)), np.float32)
    return Sounds(rows=torch.from_numpy(rows), files=np.array(files, np.int64)), failures, dict(notes)
