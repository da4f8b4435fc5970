"""What two splits share: artists, albums, titles, recordings, and sound that is nearly identical."""

from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from geoclass.dataset.copies import NEIGHBOURS, Copies, Copy, find_copies
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.fingerprints import SAME
from geoclass.dataset.shared_names import Shared, shared_names, tracks_sharing
from geoclass.progress import Progress
from geoclass.vocabulary import SPLITS


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """What an audit found."""

    group: str  # what the splits were made disjoint by
    shared: tuple[Shared, ...]
    copies: tuple[Copy, ...]  # most alike first
    compared: int  # pairs of segments correlated; 0: sound was not compared
    note: str = ""  # why sound was not compared

    @property
    def clean(self) -> bool:
        """Whether no leak was found; a shared title alone does not count as one."""
        return not any(entry.shared for entry in self.shared if entry.kind != "title")


def audit(
    dataset: Dataset, *, same: float = SAME, neighbours: int = NEIGHBOURS, progress: Progress | None = None
) -> AuditResult:
    """Look for overlap between splits.

    Artists are compared by id and by name, albums by artist and name, names without case, accents and punctuation.
    Sound is compared segment by segment: the nearest `neighbours` of the other side by a short description, then
    those in full. Shifted training copies are left out.

    Args:
        dataset: Any; tables are compared row by row instead of by sound.
        same: Correlation from which two segments are one recording.
        neighbours: Segments of the other side that are compared in full.
        progress: Called with the number of segments done, and once with total=.
    """
    sides = {name: part for name in SPLITS if (part := _tracks(dataset, name)) is not None}
    found: list[Shared] = []
    for first, second in combinations(sides, 2):
        found += shared_names(first, second, sides)
    copies = find_copies(dataset, splits=tuple(sides), same=same, neighbours=neighbours, progress=progress)
    for first, second in combinations(sides, 2):
        found.append(_shared_sound(copies.between(first, second), first, second, n_tracks=len(sides[second])))
    return AuditResult(
        group=dataset.group, shared=tuple(found), copies=copies.found, compared=copies.compared, note=copies.note
    )


def leaking_tracks(dataset: Dataset, result: AuditResult, *, split: str) -> dict[str, set[str]]:
    """Ids of the tracks of a split that overlap with the training split, by kind: artist, album, recording, sound."""
    train, scored = _tracks(dataset, "train"), _tracks(dataset, split)
    if train is None or scored is None:
        return {}
    copies = Copies(found=result.copies).between("train", split)
    return tracks_sharing(train, scored) | {"sound": {copy.second_track for copy in copies}}


def _shared_sound(copies: list[Copy], first: str, second: str, *, n_tracks: int) -> Shared:
    return Shared(
        kind="sound",
        first=first,
        second=second,
        shared=len(copies),
        tracks=len({copy.second_track for copy in copies}),
        of=n_tracks,
        examples=tuple(f"{copy.second_track} = {copy.first_track} ({copy.similarity:.2f})" for copy in copies[:5]),
    )


def _tracks(dataset: Dataset, name: str) -> pd.DataFrame | None:
    ids = set(dataset.segments["track_id"][dataset.segments["split"] == name])
    part = dataset.tracks[dataset.tracks["track_id"].isin(ids)].reset_index(drop=True)
    return part if len(part) else None
