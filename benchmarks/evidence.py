"""What the witnesses are worth, on artists that nothing was fitted on.

    python benchmarks/evidence.py --text DIR --pop DIR [--sound] [--half judge|fit]

`--text` and `--pop` are folders of tables (see their READMEs); tools/evidence_data.py says which half an artist is in,
and tools/fit_evidence.py read only the half "fit". A value counts as written from a probability of 0.9 on, as in `tag`.
`--sound` also lets the built-in model hear the popular songs.
"""

import argparse
import csv
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from evidence_data import half_of, rows, table

from geoclass.evidence.artist_table import ArtistTable
from geoclass.evidence.facts import Facts
from geoclass.evidence.pool import pool
from geoclass.evidence.registry import CHEAP, Sources, ask
from geoclass.evidence.sound import CONFIDENCE

Row = dict[str, str]
ENGLISH_SPEAKING = ("US", "GB", "CA", "AU")
written: list[tuple[float, bool]] = []  # of all rows below, for the calibration error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--pop", type=Path, required=True)
    parser.add_argument("--half", choices=("judge", "fit"), default="judge")
    parser.add_argument("--sound", action="store_true")
    options = parser.parse_args()
    print(f"{'':44}{'entries':>8}{'written':>9}{'right':>7}{'wrong':>8}")
    titles(options.text, options.half)
    genres(options.text, options.half)
    songs = songs_of(options.pop, options.half)
    with tempfile.TemporaryDirectory() as folder:
        known = table(options.text, options.pop, Path(folder) / "artists.sqlite")
        names(options.text, options.half, known)
        report("popular songs, artist and title", songs, title_and_artist, country)
        report("the same with an artist table", songs, title_and_artist, country, sources=Sources(artists=known))
        cost(songs, Sources(artists=known))
    if options.sound:
        by_sound(options.pop)
    print(f"calibration error of what is written: {calibration_error(written):.3f} ({len(written)} values)")


def titles(folder: Path, half: str) -> None:
    contest = [row for row in rows(folder / "eurovision.csv", half=half) if row["language"]]
    native = [row for row in contest if int(row["year"]) < 1999 and "english" not in row["language"]]
    report("native titles before 1999", native, title_and_artist, country)
    report("the same with the language tag", native, tagged, country)
    plain = [row for row in native if row["country"] not in ("YU", "CS", "LU", "CH", "MC", "SM")]
    report("… without YU and who hires abroad: titles", plain, title_and_artist, country, count=False)
    report("… and with the language tag", plain, tagged, country, count=False)
    charts = rows(folder / "spotify_weekly_no1_2020.csv", half=half)
    local = [row for row in charts if row["artist_in_n_charts"] == "1"]
    report("number ones of local artists", local, title_and_artist, lambda row: row["chart_country"])
    english = [row for row in rows(folder / "musicoset_songs.csv", half=half) if row["country"] in ENGLISH_SPEAKING]
    report("songs of US, GB, CA, AU artists", english, title_and_artist, country)
    hangul = [
        row
        for row in rows(folder / "kpop_videos.csv", half=half)
        if any("가" <= c <= "힣" for c in row["title_native"])
    ]
    report("titles with Hangul", hangul, lambda row: Facts(title=row["title_native"]), country, count=False)
    for name in ("bollywood_songs", "symbtr_titles", "ru_tracks"):
        one = [row for row in rows(folder / f"{name}.csv", half=half) if row["title"]]
        report(f"one country: {name}", one, title_and_artist, country, count=False)


def genres(folder: Path, half: str) -> None:
    artists = rows(folder / "musicoset_artists.csv", half=half)
    report("genres of chart artists", artists, lambda row: Facts(genres=(row["main_genre"],)), country)


def names(folder: Path, half: str, known: ArtistTable) -> None:
    artists = rows(folder / "musicoset_artists.csv", half=half)
    report("names in an artist table with homonyms", artists, by_name, country, sources=Sources(artists=known))
    shared = rows(folder / "homonyms.csv", half=half)
    report("names that several countries bear", shared, by_name, country, sources=Sources(artists=known), count=False)


def songs_of(folder: Path, half: str) -> list[Row]:
    """One row per recording."""
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        by_group = {row["group_id"]: row for row in csv.DictReader(file)}
    return [row for row in by_group.values() if half_of(row["artist"]) == half]


def by_sound(folder: Path) -> None:
    from geoclass.bundle.bundle import Bundle
    from geoclass.inference.classifier import Classifier
    from geoclass.inference.prediction import Prediction

    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        clips = list(csv.DictReader(file))
    answers = Classifier(Bundle.load("country-traditional")).predict_many(folder / row["file"] for row in clips)
    heard = {
        row["file"]: answer.fields.get("country") if isinstance(answer, Prediction) else None
        for row, answer in zip(clips, answers, strict=True)
    }
    report("popular songs, sound alone", clips, lambda row: Facts(heard=heard[row["file"]]), country)
    songs = {row["group_id"]: row for row in clips}.values()
    report(
        "popular songs, artist, title and sound",
        songs,
        lambda row: Facts(title=row["name"], artist=artist_of(row), heard=heard[row["file"]]),
        country,
    )


def report(
    what: str,
    entries: Iterable[Row],
    facts: Callable[[Row], Facts],
    truth: Callable[[Row], str],
    *,
    sources: Sources | None = None,
    count: bool = True,
) -> None:
    """One line: entries, share written, share of these that are right, share of all that are written and wrong."""
    entries = list(entries)
    best = [pool(ask(facts(row), sources=sources)) for row in entries]
    answers = [verdict.candidates(1)[0] if verdict else ("", 0.0) for verdict in best]
    sure = [(p, code == truth(row)) for (code, p), row in zip(answers, entries, strict=True) if p >= CONFIDENCE]
    right = sum(correct for _, correct in sure)
    share = f"{right / len(sure):7.3f}" if sure else f"{'-':>7}"
    wrong = (len(sure) - right) / len(entries)
    print(f"{what:44}{len(entries):8}{len(sure) / len(entries):9.3f}{share}{wrong:8.4f}")
    if count:
        written.extend(sure)


def cost(songs: Sequence[Row], sources: Sources) -> None:
    """Milliseconds per file of all witnesses but the sound, once py3langid's model is read."""
    facts = [
        Facts(title=row["name"], artist=artist_of(row), genres=(row["kind"],), isrc="FRZ039801212") for row in songs
    ]
    times = []
    for _ in range(5):
        for one in facts:
            start = time.perf_counter()
            pool(ask(one, witnesses=CHEAP, sources=sources))
            times.append(1e3 * (time.perf_counter() - start))
    median, slow = statistics.median(times), np.quantile(times, 0.95)
    print(f"cost per file without sound: median {median:.2f} ms, 95 % below {slow:.2f} ms")


def calibration_error(values: Sequence[tuple[float, bool]], *, n_bins: int = 5) -> float:
    """Mean distance of the probability from the share of right answers, over equal bins (Naeini et al. 2015)."""
    ordered = sorted(values)
    bins = [bin for bin in np.array_split(np.array(ordered, float), n_bins) if len(bin)]
    return float(sum(len(bin) * abs(bin[:, 0].mean() - bin[:, 1].mean()) for bin in bins) / max(1, len(ordered)))


def title_and_artist(row: Row) -> Facts:
    return Facts(title=row.get("title") or row.get("name", ""), artist=artist_of(row))


def tagged(row: Row) -> Facts:
    return Facts(title=row["title"], artist=row["artist"], languages=(row["language"],))


def by_name(row: Row) -> Facts:
    return Facts(artist=row["artist"])


def artist_of(row: Row) -> str:
    return "" if row["artist"].startswith("unknown") else row["artist"]


def country(row: Row) -> str:
    return row["country"]


if __name__ == "__main__":
    main()
