"""UCI Geographical Origin of Music (Zhou, Claire, King, "Predicting the geographical origin of music", ICDM 2014).

1,059 tracks as MARSYAS features and the coordinates of their country's capital, which the build step turns into 33
countries. Each feature was scaled to mean 0 and standard deviation 1, and the original scale is lost. f01 to f68 are
four blocks of 17: mean of the running means, mean of the running standard deviations, standard deviation of the running
means and standard deviation of the running standard deviations (memory of 40 frames of 512 samples at 22,050 Hz) of
zero crossings, spectral centroid, rolloff, flux and MFCC 0 to 12. The file with chroma has blocks of 29: those 17 and
twelve chroma, which in the published file are twelve copies of one number.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from geoclass.corpora.base import Skipped, Track, check_root, check_task
from geoclass.corpora.tables import coordinates, number_table, read_rows
from geoclass.errors import CorpusError, UsageError

_FILES = {  # number of features -> file
    68: "default_features_1059_tracks.txt",
    116: "default_plus_chromatic_features_1059_tracks.txt",
}
LICENCE = "CC BY 4.0"


class UCI:
    """The rows of one of the two files.

    Args:
        root: The folder that holds the files; one folder further down is looked into, as the archive has one.
        n_features: 68, or 116 with chroma.
        task: "country".

    Raises:
        CorpusError: Missing or empty root, no such file, no usable row.
        UsageError: Another task or number of features.
    """

    name: ClassVar[str] = "uci"
    tasks: ClassVar[tuple[str, ...]] = ("country",)

    def __init__(self, root: str | Path, *, n_features: int = 68, task: str = "country") -> None:
        root = Path(root)
        check_task("UCI Geographical Origin of Music", task, self.tasks)
        if n_features not in _FILES:
            raise UsageError(f"UCI has no file of {n_features} features", hint=f"one of {', '.join(map(str, _FILES))}")
        file = _FILES[n_features]
        check_root("UCI", root, expected=file)
        path = next((place for place in (root / file, *sorted(root.glob(f"*/{file}"))) if place.is_file()), None)
        if path is None:
            raise CorpusError(
                f"no {file} in {root}",
                hint="download the set from https://archive.ics.uci.edu/dataset/315 and unpack it there",
            )
        digits = len(str(n_features))
        self._capitals: dict[str, tuple[str, str]] = {}  # track id -> latitude, longitude as written
        names = [f"f{number:0{digits}d}" for number in range(1, n_features + 1)]
        self._path = path
        self._table = number_table(path, names, self._rows())
        self.columns: tuple[str, ...] = self._table.columns
        self.audio_root: Path | None = None
        self.notes: list[str] = []
        self.description = f"UCI Geographical Origin of Music, {n_features} features; country of the traditional music"

    def tracks(self) -> Iterator[Track | Skipped]:
        """The rows in their order."""
        self.notes[:] = self._table.notes(self._path)
        for track_id, capital in self._capitals.items():
            latitude, longitude = coordinates(*capital)
            if track_id in self._table.faults:
                yield Skipped(track_id=track_id, path="", reason=self._table.faults[track_id])
            elif latitude is None:
                yield Skipped(track_id=track_id, path="", reason="latitude or longitude out of range")
            else:
                yield Track(
                    track_id=track_id,
                    latitude=latitude,
                    longitude=longitude,
                    licence=LICENCE,
                    features=self._table.row(track_id),
                )

    def _rows(self) -> Iterator[tuple[str, list[str]]]:
        for number, (_, row) in enumerate(read_rows(self._path), start=1):
            track_id = f"uci-{number:04d}"
            self._capitals[track_id] = (row[-2], row[-1]) if len(row) > 1 else ("", "")
            yield track_id, row[:-2]
