"""GTZAN genre collection (Tzanetakis and Cook, IEEE Transactions on Speech and Audio Processing 10(5), 2002).

Ten genres of 100 clips of 30 s. Random splits of it leak: clips repeat, and artists are on both sides. The official
split is therefore the fault-filtered one of Kereliuk, Sturm and Larsen ("Deep learning and music adversaries", IEEE
Transactions on Multimedia 17(11), 2015), 443, 197 and 290 clips, whose lists are in `gtzan_filtered/`.
"""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import ClassVar

from geoclass.corpora.base import (
    Skipped,
    Track,
    check_root,
    check_task,
    file_problem,
    with_official_split,
)
from geoclass.corpora.tables import NumberTable, find_columns, find_table, header_of, number_table, read_rows
from geoclass.errors import CorpusError
from geoclass.vocabulary import SPLITS

CLIP_S = 30.0  # seconds
_CLIP = re.compile(r"(?P<genre>[a-z]+)\.\d{5}")  # "blues.00000"
_NOT_NUMBERS = ("filename", "length", "label")  # of features_30_sec.csv; length is in samples and no feature
_EXPECTED = "genres_original/blues/blues.00000.wav and so on, or genres/blues/blues.00000.au"


class GTZAN:
    """The clips as sound, or as the table of statistics that is passed on with them.

    Args:
        root: The folder that holds `genres_original/` or `genres/`, or either of them.
        features: A CSV such as features_30_sec.csv, itself or its name below `root`: rows of numbers, no sound.
        task: "genre".

    Raises:
        CorpusError: Missing or empty root, no clips, a table without its columns.
        UsageError: Another task.
    """

    name: ClassVar[str] = "gtzan"
    tasks: ClassVar[tuple[str, ...]] = ("genre",)

    def __init__(
        self,
        root: str | Path,
        *,
        features: str | Path | None = None,
        task: str = "genre",
    ) -> None:
        root = Path(root)
        check_task("GTZAN", task, self.tasks)
        check_root("GTZAN", root, expected=_EXPECTED)
        self._split = _filtered_split()
        self.notes: list[str] = []
        self.audio_root: Path | None = None
        self.columns: tuple[str, ...] = ()
        if features is None:
            self._clips = _find_clips(root)
            self.audio_root = self._clips[0].parents[1]
        else:
            self._csv = find_table(features, root)
            self._genres, self._table = _read_features(self._csv)
            self.columns = self._table.columns
        self.description = f"GTZAN, {len(self.columns)} statistics of each clip" if features else "GTZAN, sound"

    def tracks(self) -> Iterator[Track | Skipped]:
        """The clips by path, or the rows of the table in their order."""
        self.notes.clear()
        found = list(self._from_sound() if self.audio_root else self._from_table())
        if absent := len(self._split.keys() - {clip.track_id for clip in found}):
            self.notes.append(f"{absent} of the {len(self._split)} clips of the fault-filtered split are missing")
        yield from with_official_split(found, notes=self.notes)

    def _from_sound(self) -> Iterator[Track | Skipped]:
        assert self.audio_root is not None
        seen: set[str] = set()
        for clip in self._clips:
            path = clip.relative_to(self.audio_root).as_posix()
            match = _CLIP.fullmatch(clip.stem)
            if not match:
                problem = "file is not named as a GTZAN clip (blues.00000.wav)"
            elif clip.stem in seen:
                problem = "clip exists twice (wav and au)"
            else:
                problem = file_problem(clip)
            if problem:
                yield Skipped(track_id=clip.stem, path=path, reason=problem)
            else:
                seen.add(clip.stem)
                yield self._labelled(clip.stem, clip.parent.name, path=path)

    def _from_table(self) -> Iterator[Track | Skipped]:
        self.notes += self._table.notes(self._csv)
        for clip, genre in self._genres.items():
            if clip in self._table.faults:
                yield Skipped(track_id=clip, path="", reason=self._table.faults[clip])
            else:
                yield self._labelled(clip, genre, features=self._table.row(clip))

    def _labelled(
        self, clip: str, genre: str, *, path: str = "", features: dict[str, float] | None = None
    ) -> Track | Skipped:
        return Track(
            track_id=clip,
            path=path,
            title=clip,
            genre=genre,
            genres=(genre,),
            duration_s=CLIP_S,
            split=self._split.get(clip, ""),
            licence="no licence is stated",
            features=features,
        )


def _find_clips(root: Path) -> list[Path]:
    """All wav and au files of the first place that has some, sorted by path: at least one."""
    for base in (root / "genres_original", root / "genres", root):
        clips = sorted(path for path in base.glob("*/*") if path.suffix.lower() in (".wav", ".au"))
        if clips := [path for path in clips if not path.name.startswith(".")]:
            return clips
    raise CorpusError(f"no clips in {root}", hint=f"expected: {_EXPECTED}; a table needs --features CSV")


def _filtered_split() -> dict[str, str]:
    """Clip -> "train", "valid" or "test"."""
    lists = resources.files("geoclass.corpora") / "gtzan_filtered"
    return {
        Path(line).stem: split
        for split in SPLITS
        for line in (lists / f"{split}.txt").read_text(encoding="utf-8").split()
    }


def _read_features(path: Path) -> tuple[dict[str, str], NumberTable]:
    """Clip -> genre in the order of the file, and the numbers by clip."""
    rows = read_rows(path)
    header = header_of(rows, path)
    places = find_columns(header, path, required={"filename": ("filename",), "label": ("label",)})
    numbers = [place for place, column in enumerate(header) if column.strip() not in _NOT_NUMBERS]
    genres: dict[str, str] = {}

    def keyed() -> Iterator[tuple[str, list[str]]]:
        for line, row in rows:
            whole = len(row) == len(header)
            clip = Path(row[places["filename"]]).stem if whole else f"line {line}"
            genres.setdefault(clip, row[places["label"]].strip() if whole else "")
            yield clip, [row[place] for place in numbers] if whole else []

    table = number_table(path, [header[place].strip() for place in numbers], keyed())
    return genres, table
