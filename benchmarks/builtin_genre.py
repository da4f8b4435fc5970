"""The built-in genre model, judged: on rows it never saw, on sound and through MP3; its front end against librosa.

    python benchmarks/builtin_genre.py --features features_30_sec.csv --gtzan DIR --world DIR --loops DIR

Rows: what ships, on the fault-filtered test rows. What it should keep quiet on: recordings that a model made without
them is asked about. Sound: each half of the clips is answered by a model made as the one that ships, without the rows
and the displacements of that half. Columns: what the front end computes of a clip, from all of librosa's frames,
against the clip's row in the table, and against librosa's numbers for the same clip, in standard deviations of the
column; medians over the clips. The table describes 30 s; where the clips at hand are shorter, the difference that the
length alone makes is estimated by halving them: the first half against the whole is of the same order as 15 s against
30 s. The model takes fewer of the frames: the last column says what that changes. Speed: what the model takes of
a clip against the same columns by librosa, one clip after the other, taking turns; median over the clips, one thread.
"""

import sys
import time
from pathlib import Path

import librosa
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from builtin_recipe import RATE, Floats, Rows, displacements, mp3, rows_of_sound
from make_builtin_genre import CONFIG, NAME, SECONDS, Table, learn, noise, parse, read, read_moves, read_outside, scores

from geoclass.audio.decode import load_audio
from geoclass.bundle.bundle import Bundle
from geoclass.config.frontends import StatisticsConfig
from geoclass.features.base import FrontEnd
from geoclass.features.registry import create_front_end


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    table, front_end = read(options.features, options.gtzan), create_front_end(CONFIG)
    known = set(table.names)
    clips = [clip for clip in sorted(options.gtzan.rglob("*.wav")) if clip.stem in known]
    outside = read_outside(options.world, options.loops)
    print_rows(table)
    print_noise(table, outside, read_moves(table, options.gtzan))
    print_sound(table, clips, outside, front_end)
    print_columns(table, clips)


def print_rows(table: Table) -> None:
    """The bundle that ships, on the rows that it neither learned from nor was calibrated on."""
    bundle, test = Bundle.load(NAME), table.split == "test"
    with torch.inference_mode():
        logits = bundle.logits(torch.from_numpy(table.rows[test]).float())["genre"].double().numpy()
    print(f"{test.sum()} fault-filtered test rows")
    for name, value in scores(bundle.head("genre"), logits, table.truth[test]).items():
        print(f"  {name:26}{value:7.3f}")


def print_noise(table: Table, outside: Rows, moves: Floats) -> None:
    """Field recordings and loops, each answered by a model that was made without it."""
    for name, value in noise(table, Bundle.load(NAME).head("genre"), outside, moves).items():
        print(f"  {name:34}{value:7.3f}")


def print_sound(table: Table, clips: list[Path], outside: Rows, front_end: FrontEnd) -> None:
    """Clips as they are and through MP3, each answered by a model that knows neither its row nor its displacement."""
    names = np.array([clip.stem for clip in clips])
    learned = table.split != "test"
    heard = {
        "as they are": rows_of_sound(clips, front_end, SECONDS),
        "MP3 128 kbit/s": rows_of_sound(clips, front_end, SECONDS, damage=mp3(128)),
        "MP3 40 kbit/s": rows_of_sound(clips, front_end, SECONDS, damage=mp3(40)),
    }
    truth = np.array([table.truth[list(table.names).index(name)] for name in names])
    answers = {name: np.zeros(len(clips), np.int64) for name in heard}
    for half in (0, 1):
        asked = np.arange(len(clips)) % 2 == half
        moves = displacements([clip for clip, out in zip(clips, asked, strict=True) if not out], front_end, SECONDS)
        seen = learned & ~np.isin(table.names, names[asked])
        model = learn(table, seen, outside, moves)
        for name, rows in heard.items():
            answers[name][asked] = model.logits(rows[asked])[:, :-1].argmax(axis=1)
    print(f"{len(clips)} clips")
    for name, answer in answers.items():
        same = (answer == answers["as they are"]).mean()
        print(f"  {name:26}{(answer == truth).mean():7.3f} right, {same:.3f} answered as the clips as they are")


def print_columns(table: Table, clips: list[Path]) -> None:
    """Differences in standard deviations of the column, and the time that they take."""
    front_end, coarse = create_front_end(StatisticsConfig()), create_front_end(CONFIG)
    deviation = table.rows.std(axis=0)
    published = np.stack([table.rows[list(table.names).index(clip.stem)] for clip in clips])
    ours, theirs, halves, fewer, times = [], [], [], [], []
    for clip in clips:
        sound = load_audio(clip, sample_rate=RATE)
        started = time.perf_counter()
        with torch.inference_mode():
            fewer.append(coarse(torch.from_numpy(sound)[None])[0].double().numpy())
        between = time.perf_counter()
        theirs.append(by_librosa(sound))
        times.append((between - started, time.perf_counter() - between))
        with torch.inference_mode():
            ours.append(front_end(torch.from_numpy(sound)[None])[0].double().numpy())
            halves.append(front_end(torch.from_numpy(sound[: len(sound) // 2])[None])[0].double().numpy())
    mine, other, half, few = (np.stack(rows) for rows in (ours, theirs, halves, fewer))
    gaps = {
        "front end and table": mine - published,
        "librosa and table": other - published,
        "front end and librosa": mine - other,
        "first half and clip": half - mine,
        "the frames of the model": few - mine,
    }
    medians = {name: np.median(np.abs(gap) / deviation, axis=0) for name, gap in gaps.items()}
    print(f"{'column, std units':28}" + "".join(f"{name:>23}" for name in medians))
    for index, column in enumerate(CONFIG.columns):
        print(f"  {column:26}" + "".join(f"{median[index]:23.4f}" for median in medians.values()))
    for title, summary in (("median", np.median), ("largest", np.max), ("at most 0.1", lambda m: (m <= 0.1).mean())):
        print(f"  {title:26}" + "".join(f"{summary(median):23.4f}" for median in medians.values()))
    alike = np.corrcoef(medians["front end and table"], medians["first half and clip"])[0, 1]
    print(f"  over the columns, the first and the fourth of these correlate at {alike:.2f}")
    fast, slow = np.median(np.array(times), axis=0)
    print(f"a clip takes {1_000 * fast:.0f} ms, librosa {1_000 * slow:.0f} ms: {slow / fast:.1f} times as long")


def by_librosa(sound: Floats) -> Floats:
    """The same columns by librosa's defaults, as the table was made."""
    rows = [
        librosa.feature.chroma_stft(y=sound, sr=RATE),
        librosa.feature.rms(y=sound),
        librosa.feature.spectral_centroid(y=sound, sr=RATE),
        librosa.feature.spectral_bandwidth(y=sound, sr=RATE),
        librosa.feature.spectral_rolloff(y=sound, sr=RATE),
        librosa.feature.zero_crossing_rate(y=sound),
        *librosa.feature.mfcc(y=sound, sr=RATE, n_mfcc=20),
    ]
    return np.array([moment for row in rows for moment in (row.mean(), row.var())], np.float64)


if __name__ == "__main__":
    main()
