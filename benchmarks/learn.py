"""A model of a library, judged on recordings that it was not taught: `geoclass learn` on real sound.

    python benchmarks/learn.py ../shared/data [--folds 5] [--only world]

Each set is cut into folds by recording or artist; all folds but one are the library, with countries or genres in its
tags, and the one left out is tagged. A label is written from 0.9 on, by sound alone. Recordings of labels that the
library did not teach are not among those tagged, and are said apart. GTZAN clips stay out of a country model's library
and field recordings out of a genre model's: they are what must get nothing (the package's description of the
background was made from the same recordings, so that this is not quite new to it). Four files make a label here: of
GTZAN there are five a genre.
"""

import argparse
import csv
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geoclass.errors import DatasetError
from geoclass.evidence.facts import Facts
from geoclass.evidence.pool import pool_files
from geoclass.evidence.registry import CHEAP, ask
from geoclass.learning import labels, teach
from geoclass.learning.fit import SURE
from geoclass.learning.learn import learn_library
from geoclass.learning.library import Library, hear_songs
from geoclass.learning.verdict import predict_files
from geoclass.learning.witnesses import consult, gather
from geoclass.library.song import Song


@dataclass(frozen=True)
class Clip:
    """A file with its truth."""

    path: Path
    label: str
    group: str  # recording, or artist where artists are kept apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", default="world,gtzan,pop,tags,speed")
    options = parser.parse_args()
    world = table(options.data / "world-audio", lambda row: row["group_id"])
    pop = table(options.data / "pop-audio", lambda row: row["artist"] or row["group_id"])
    gtzan = [Clip(file, file.parent.name, file.name) for file in sorted((options.data / "gtzan-audio").rglob("*.wav"))]
    loops = [Clip(file, "", file.name) for file in sorted((options.data / "waivops").rglob("*.mp3"))]
    labels.MIN_FILES = teach.MIN_FILES = 4
    wanted = options.only.split(",")
    for name, task, clips, quiet in (
        ("world", "country", world, {"GTZAN": gtzan, "loops": loops, "popular": pop}),
        ("gtzan", "genre", gtzan, {"field": world, "loops": loops}),
        ("pop", "country", pop, {"GTZAN": gtzan}),
    ):
        if name in wanted:
            report(name, task, clips, quiet, n_folds=options.folds)
    if "tags" in wanted:
        report_tags(options.data / "pop-audio", n_folds=options.folds)
    if "speed" in wanted:
        print_speed([clip.path for clip in (*world, *pop)])


def table(folder: Path, group: Callable[[dict[str, str]], str]) -> list[Clip]:
    with open(folder / "manifest.csv", encoding="utf-8", newline="") as file:
        return [Clip(folder / row["file"], row["country"], group(row)) for row in csv.DictReader(file)]


def report(name: str, task: str, clips: Sequence[Clip], quiet: dict[str, list[Clip]], *, n_folds: int) -> None:
    library = heard(clips, task)
    others = {what: heard(some, task) for what, some in quiet.items()}
    found: defaultdict[str, list[float]] = defaultdict(list)
    for fold in range(n_folds):
        taught, tagged = split(clips, fold, n_folds)
        try:
            learned = learn_library(part(library, taught), fields=[task], name=None)
        except DatasetError as error:
            print(f"{name}, fold {fold}: nothing was learned: {error.message}")
            found["written"].append(0.0)
            continue
        names = list(learned.bundle.head(task).labels[:-1])
        rest = part(library, tagged)
        known = [index for index in range(len(rest.songs)) if clips[tagged[index]].label in names]
        answers = predict_files(learned.bundle, rest.sounds)[task]
        truth = np.array([clips[tagged[int(file)]].label for file in np.unique(rest.sounds.files)])
        sure, best = answers.max(axis=1) >= SURE, np.array(names)[answers.argmax(axis=1)]
        among = np.isin(truth, names)
        found["labels"].append(len(names))
        found["written"].append(float(sure[among].mean()))
        if (sure & among).any():
            found["right"].append(float((best == truth)[sure & among].mean()))
        if (~among).any():
            found["others given a label"].append(float(sure[~among].mean()))
        found["accuracy"].append(float((best == truth)[among].mean()))
        verdict = learned.fields[task]
        found["promised: written"].append(verdict.written)
        found["promised: right"].append(verdict.right or np.nan)
        for what, some in others.items():
            found[f"{what} given a label"].append(
                float((predict_files(learned.bundle, some.sounds)[task].max(axis=1) >= SURE).mean())
            )
        assert known
    print(f"\n{name}: {len(clips)} files, {n_folds} folds: mean (lowest to highest)")
    for what, values in found.items():
        print(f"  {what:28}{np.nanmean(values):7.3f}  ({np.nanmin(values):.3f} to {np.nanmax(values):.3f})")


def heard(clips: Sequence[Clip], task: str) -> Library:
    songs = [
        Song(path=str(clip.path), artist=clip.group, country=clip.label if task == "country" else "",
             genres=(clip.label,) if task == "genre" and clip.label else ())
        for clip in clips
    ]  # fmt: skip
    return hear_songs(songs, [clip.group for clip in clips])


def split(clips: Sequence[Clip], fold: int, n_folds: int) -> tuple[list[int], list[int]]:
    """The files to teach and those to tag: of each label's groups one in `n_folds` is tagged."""
    random = np.random.default_rng(0)
    by_label: defaultdict[str, set[str]] = defaultdict(set)
    for clip in clips:
        by_label[clip.label].add(clip.group)
    order = [group for label in sorted(by_label) for group in random.permutation(sorted(by_label[label])).tolist()]
    place = {group: index for index, group in enumerate(dict.fromkeys(order))}
    tagged = [index for index, clip in enumerate(clips) if place[clip.group] % n_folds == fold]
    return sorted(set(range(len(clips))) - set(tagged)), tagged


def part(library: Library, chosen: Sequence[int]) -> Library:
    """Some songs of a library, numbered anew."""
    from geoclass.learning.teach import Sounds

    place = {index: new for new, index in enumerate(chosen)}
    rows = np.isin(library.sounds.files, chosen)
    files = np.array([place[int(index)] for index in library.sounds.files[rows]], np.int64)
    return Library(
        songs=[library.songs[index] for index in chosen],
        artists=[library.artists[index] for index in chosen],
        sounds=Sounds(rows=library.sounds.rows[rows], files=files),
        failures={},
        notes={},
    )


def report_tags(folder: Path, *, n_folds: int, repeats: int = 5) -> None:
    """Popular songs with artist and title in their tags; their sound is not trusted with a country (see `pop`).

    The part that is taught says how far titles are to be trusted and which countries are common; artists of the other
    part are tagged as `tag` does, the files of an artist together.
    """
    with open(folder / "manifest.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    artists = [row["artist"] if row["artist"] not in ("", "unknown") else row["group_id"] for row in rows]
    said = [
        ask(Facts(title=row["name"], artist=row["artist"] if row["artist"] != "unknown" else ""), witnesses=CHEAP)
        for row in rows
    ]
    names = sorted(set(artists))
    found: defaultdict[str, list[float]] = defaultdict(list)
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(len(names))
        fold_of = {names[place]: number % n_folds for number, place in enumerate(order)}
        counts: Counter[str] = Counter()
        for fold in range(n_folds):
            taught = [index for index, artist in enumerate(artists) if fold_of[artist] != fold]
            countries = {index: rows[index]["country"] for index in taught}
            learned = consult(gather({index: said[index] for index in taught}, countries, artists)).evidence
            for artist in (name for name in names if fold_of[name] == fold):
                files = [index for index, name in enumerate(artists) if name == artist]
                for how, evidence in (("shipped", None), ("learned", learned)):
                    opinions = [said[index] if evidence is None else evidence.weigh(said[index]) for index in files]
                    verdict = pool_files([tuple(of) for of in opinions])
                    country, p = verdict.candidates(1)[0] if verdict else ("", 0.0)
                    if p >= SURE:
                        counts[f"{how}: written"] += len(files)
                        counts[f"{how}: right"] += sum(rows[index]["country"] == country for index in files)
        for how in ("shipped", "learned"):
            found[f"{how} weights: written"].append(counts[f"{how}: written"] / len(rows))
            found[f"{how} weights: right"].append(counts[f"{how}: right"] / max(1, counts[f"{how}: written"]))
    print(f"\npopular songs with artist and title, {n_folds} folds, {repeats} repeats: mean (lowest to highest)")
    for what, values in found.items():
        print(f"  {what:28}{np.mean(values):7.3f}  ({min(values):.3f} to {max(values):.3f})")


def print_speed(paths: Sequence[Path]) -> None:
    """A second look at files of which everything is in the cache."""
    songs = [Song(path=str(path)) for path in paths]
    hear_songs(songs, [""] * len(songs))
    started = time.perf_counter()
    hear_songs(songs, [""] * len(songs))
    print(f"\nfrom the cache: {len(songs) / (time.perf_counter() - started):,.0f} files per second")


if __name__ == "__main__":
    main()
