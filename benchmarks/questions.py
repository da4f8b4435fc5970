"""What 20 well chosen questions gain over 20 random ones: `geoclass learn --ask 20`.

    python benchmarks/questions.py ../shared/data [--repeats 20] [--only world]

Each time another part of the artists is the library, of which a few have a label; the others are tagged. The questions
are answered with the truth, and so are as many artists drawn at random (twice). Counted are the files tagged that get
the right label, among all and among the surest of which nine of ten are right. One fit, without the cross-validation
that `learn` calibrates by: its noise is larger than the effect.

world: recordings, 4 of 10 artists of the library labelled. gtzan: the table of 1,000 clips, and uci: the table of 1,059
recordings; 300 artists (one file each), 60 of them labelled, 300 others tagged.
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from learn import heard, table

from geoclass.config.frontends import DescriptorsConfig
from geoclass.learning.ask import questions
from geoclass.learning.background import draw
from geoclass.learning.fit import SURE, Task, file_probabilities, fit_rows
from geoclass.learning.labels import Labels
from geoclass.learning.logistic import Linear
from geoclass.learning.teach import Sounds, make_whitening, whitened
from geoclass.models.columns import Whiten

N, MIN_ARTISTS, TEMPERATURE = 20, 3, 0.5


@dataclass(frozen=True)
class Files:
    """A data set: files are numbered as they come."""

    rows: torch.Tensor  # (n_segments, n_columns), not whitened
    files: np.ndarray  # (n_segments,)
    labels: list[str]
    artists: list[str]
    whitening: Whiten
    others: torch.Tensor  # whitened rows of other music
    sizes: tuple[int, int, int]  # artists tagged, in the library, labelled
    min_files: int


def world(data: Path) -> Files:
    clips = table(data / "world-audio", lambda row: row["group_id"])
    sounds = heard(clips, "country").sounds
    known, files = np.unique(sounds.files, return_inverse=True)
    artists = [clips[file].group for file in known]
    whitening = make_whitening(DescriptorsConfig(), sounds.rows)
    others = torch.cat([whitened(torch.from_numpy(draw(group, 400)), whitening) for group in ("popular", "loops")])
    n = len(set(artists))
    sizes = (n // 4, n - n // 4, int(0.4 * (n - n // 4)))
    return Files(sounds.rows, files, [clips[file].label for file in known], artists, whitening, others, sizes, 4)


def gtzan(data: Path) -> Files:
    with open(data / "gtzan-features/features_30_sec.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name not in ("filename", "length", "label")]
    return of_table(np.array([[row[name] for name in columns] for row in rows], float), [row["label"] for row in rows])


def uci(data: Path) -> Files:
    rows = np.loadtxt(data / "uci-geographical-origin/default_features_1059_tracks.txt", delimiter=",")
    return of_table(rows[:, :-2], [f"{latitude:.2f} {longitude:.2f}" for latitude, longitude in rows[:, -2:]])


def of_table(columns: np.ndarray, labels: list[str]) -> Files:
    rows = torch.tensor(columns, dtype=torch.float32)
    whitening = Whiten(rows.shape[1], 32)
    whitening.prepare(rows)
    artists = [str(index) for index in range(len(labels))]
    return Files(rows, np.arange(len(labels)), labels, artists, whitening.eval(), rows[:0], (300, 300, 60), 5)


def gains(data: Files, seed: int) -> dict[str, np.ndarray] | None:
    """What each way of asking adds to (right among the surest, right among all); None: too few labels to start."""
    n_tagged, n_library, n_labelled = data.sizes
    order = np.random.default_rng(seed).permutation(sorted(set(data.artists))).tolist()
    tagged, library = files_of(data, order[:n_tagged]), order[n_tagged : n_tagged + n_library]
    rows = whitened(data.rows, data.whitening)
    labelled, unlabelled = library[:n_labelled], library[n_labelled:]
    start = score(data, rows, files_of(data, labelled), tagged)
    if start is None:
        return None
    ways = {
        f"random {draw}": np.random.default_rng([seed, draw]).permutation(unlabelled)[:N].tolist() for draw in (0, 1)
    }
    ways["asked"] = ask(data, rows, library, labelled)
    found = {}
    for way, artists in ways.items():
        after = score(data, rows, files_of(data, [*labelled, *artists]), tagged)
        assert after is not None
        found[way] = after - start
    return {"asked": found["asked"], "random": (found["random 0"] + found["random 1"]) / 2}


def ask(data: Files, rows: torch.Tensor, library: Sequence[str], labelled: Sequence[str]) -> list[str]:
    known = {file: (data.labels[file],) for file in files_of(data, labelled)}
    labels = Labels(task="x", kind="single", names=tuple(sorted(set(data.labels))), of_file=known, others=frozenset())
    inside = np.isin(data.files, files_of(data, library))
    sounds = Sounds(rows=data.rows[torch.from_numpy(inside)], files=data.files[inside])
    asked = questions(N, {"x": labels}, sounds, data.artists, rows=rows[torch.from_numpy(inside)])
    return [data.artists[question.song] for question in asked]


def score(data: Files, rows: torch.Tensor, known: Sequence[int], tagged: Sequence[int]) -> np.ndarray | None:
    files = Counter(data.labels[file] for file in known)
    by: defaultdict[str, set[str]] = defaultdict(set)
    for file in known:
        by[data.labels[file]].add(data.artists[file])
    names = sorted(name for name in files if files[name] >= data.min_files and len(by[name]) >= MIN_ARTISTS)
    if len(names) < 2:
        return None
    truth = {file: (names.index(data.labels[file]),) for file in known if data.labels[file] in names}
    task = Task(
        kind="single",
        labels=tuple(names),
        truth=truth,
        judged=frozenset(truth),
        artists=data.artists,
        outside=frozenset(),
    )
    labels, gate = fit_rows(task, rows, data.files, np.array(sorted(truth)), data.others)
    labels = Linear(labels.weight / TEMPERATURE, labels.bias / TEMPERATURE)
    asked = np.isin(data.files, tagged)
    p = file_probabilities(
        labels(rows[asked]), gate(rows[asked]), data.files[asked], np.array(sorted(tagged)), "single"
    )
    right = np.array(names)[p.argmax(axis=1)] == [data.labels[file] for file in sorted(tagged)]
    surest = right[np.argsort(-p.max(axis=1), kind="stable")].cumsum()
    enough = surest[surest >= SURE * np.arange(1, len(surest) + 1)]
    return np.array([enough[-1] if len(enough) else 0, right.sum()], float)


def files_of(data: Files, artists: Sequence[str]) -> list[int]:
    wanted = set(artists)
    return [file for file, artist in enumerate(data.artists) if artist in wanted]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--only", default="world,gtzan,uci")
    options = parser.parse_args()
    for name in options.only.split(","):
        data = {"world": world, "gtzan": gtzan, "uci": uci}[name](options.data)
        found = [of for seed in range(options.repeats) if (of := gains(data, seed)) is not None]
        for index, what in enumerate(("among the surest", "among all")):
            asked, random = (np.array([of[way][index] for of in found]) for way in ("asked", "random"))
            spread = 1.96 * (asked - random).std(ddof=1) / np.sqrt(len(found))
            print(
                f"{name}, {len(found)} repeats, right {what}: {asked.mean():+.1f} by {N} questions, "
                f"{random.mean():+.1f} by {N} random ones: {asked.mean() / random.mean():.2f} times; "
                f"difference {(asked - random).mean():.1f} ± {spread:.1f}"
            )


if __name__ == "__main__":
    main()
