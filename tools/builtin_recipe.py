"""What the two built-in models are made of, shared by the scripts that make them and the benchmarks that judge them.

A teacher learns from published rows of statistics and from rows computed of recordings; a small network learns from
the teacher, on those rows, on mixtures of them, and on copies moved as codecs, filters and noise move them. The
teacher says of a moved row what it says of the row as it was: so the network learns what not to listen to.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from scipy import signal
from torch import nn

from geoclass.audio.decode import load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.config.settings import TrainingConfig
from geoclass.features.base import FrontEnd
from geoclass.inference.prediction import OUTSIDE
from geoclass.models.registry import create_model
from geoclass.training.loop import new_state, take_steps
from geoclass.training.runtime import Runtime

Floats = NDArray[np.float64]
Damage = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]
Teacher = Callable[[Floats], Floats]  # aligned rows (n, n_columns) -> probabilities (n, n_labels)

RATE = 22_050  # Hz
SONGS = "songs:"  # how the sources of popular songs begin
TAIL = 1.5  # how far, in standard deviations, a column may go before the network's asinh bends


@dataclass(frozen=True)
class Rows:
    """Rows of statistics with what is known of them."""

    values: Floats  # (n, n_columns)
    labels: NDArray[np.str_]  # (n,)
    groups: NDArray[np.str_]  # (n,) one name per recording
    sources: NDArray[np.str_]  # (n,) one name per collection

    def __getitem__(self, index: object) -> "Rows":
        return Rows(*(getattr(self, name)[index] for name in ("values", "labels", "groups", "sources")))

    @property
    def weights(self) -> Floats:
        """Each recording counts 1, however many clips it has."""
        _, which, counts = np.unique(self.groups, return_inverse=True, return_counts=True)
        return 1.0 / counts[which]


# ---- reading --------------------------------------------------------------------------------------------------


def world_clips(root: Path) -> list[dict[str, str]]:
    """The manifest of a folder of clips: file, country, group_id, source, …"""
    with (root / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return [row | {"path": str(root / row["file"])} for row in csv.DictReader(file)]


def rows_of_world(
    clips: Sequence[dict[str, str]], front_end: FrontEnd, seconds: float, *, damage: Damage | None = None
) -> Rows:
    """One row per clip of the world recordings, labelled with the country."""
    values = rows_of_sound([clip["path"] for clip in clips], front_end, seconds, damage=damage)
    return Rows(values, *(np.array([clip[key] for clip in clips]) for key in ("country", "group_id", "source")))


def rows_of_outside(paths: Sequence[Path], front_end: FrontEnd, seconds: float) -> Rows:
    """One row per file, labelled OUTSIDE: what the model is to keep quiet on."""
    names = np.array([f"{path.parent.name}/{path.stem}" for path in paths])
    sources = np.array(["gtzan" if path.suffix == ".wav" else path.parent.name for path in paths])
    values = rows_of_sound(paths, front_end, seconds)
    return Rows(values, np.full(len(paths), OUTSIDE), names, sources)


def rows_of_songs(root: Path, front_end: FrontEnd, seconds: float) -> Rows:
    """One row per excerpt of popular songs, labelled OUTSIDE: nothing but silence is learned of them."""
    rows = rows_of_world(world_clips(root), front_end, seconds)
    sources = np.array([f"{SONGS}{source}" for source in rows.sources])
    return replace(rows, labels=np.full(len(rows.labels), OUTSIDE), sources=sources)


def rows_of_sound(
    paths: Iterable[str | Path], front_end: FrontEnd, seconds: float, *, damage: Damage | None = None
) -> Floats:
    """(n_files, n_columns): the statistics of each file's 30 s in the middle, mean over its segments."""
    rows = []
    for number, path in enumerate(paths):
        sound = load_excerpt(path, sample_rate=RATE, duration_s=30.0)
        if damage is not None:
            sound = np.clip(damage(sound, np.random.default_rng(number)), -1, 1).astype(np.float32)
        segments, _ = cut_segments(sound, sample_rate=RATE, seconds=seconds)
        with torch.inference_mode():
            rows.append(front_end(torch.from_numpy(segments)).double().mean(dim=0).numpy())
    return np.stack(rows)


# ---- what happens to sound on its way to a collection -----------------------------------------------------------


def low_pass(cutoff_hz: float) -> Damage:
    """A steep low-pass filter."""
    filters = signal.butter(8, cutoff_hz, fs=RATE, output="sos")
    return lambda sound, _: signal.sosfilt(filters, sound)


def mp3(kbit_s: float) -> Damage:
    """Through LAME at a constant rate and back."""
    level = (160 - kbit_s) / 152  # libsndfile maps [0, 1] to [160, 8] kbit/s at this sample rate

    def damage(sound: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
        file = io.BytesIO()
        soundfile.write(file, sound, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=level)
        file.seek(0)
        return soundfile.read(file, dtype="float32")[0]

    return damage


def wear(sound: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """A random chain of gain, equalizer, band limits, noise and room: another microphone, another medium."""
    sound = sound * np.float32(10 ** (random.uniform(-8, 4) / 20))
    if random.random() < 0.7:
        gains = 10 ** (random.normal(0, 4, 7) / 20)
        bands = signal.firwin2(257, [0, 100, 300, 800, 2000, 4500, RATE / 2], gains, fs=RATE)
        sound = signal.oaconvolve(sound, bands, "same")
    if random.random() < 0.4:
        sound = low_pass(random.uniform(3500, 10_000))(sound, random)
    if random.random() < 0.3:
        sound = signal.sosfilt(signal.butter(2, random.uniform(40, 200), "high", fs=RATE, output="sos"), sound)
    if random.random() < 0.4:
        noise = random.standard_normal(len(sound))
        if random.random() < 0.5:
            noise = signal.lfilter([1], [1, -0.9], noise)
        level = np.sqrt(np.mean(np.square(sound)) + 1e-10) * 10 ** (-random.uniform(15, 45) / 20)
        sound = sound + noise / noise.std() * level
    if random.random() < 0.3:
        times = np.arange(6600) / RATE
        room = random.standard_normal(6600) * np.exp(-times / random.uniform(0.05, 0.2))
        room *= random.uniform(0.1, 0.5) / np.sqrt(np.square(room).sum())
        room[0] = 1.0
        sound = signal.oaconvolve(sound, room)[: len(sound)]
    return (sound / max(1.0, np.abs(sound).max())).astype(np.float32)


def displacements(paths: Sequence[str | Path], front_end: FrontEnd, seconds: float) -> Floats:
    """(4 n_files, n_columns): how far damage moves a row, to move others likewise."""
    clean = rows_of_sound(paths, front_end, seconds)
    worn = [
        rows_of_sound(paths, front_end, seconds, damage=damage) for damage in (mp3(128), mp3(40), wear, _wear_again)
    ]
    return np.concatenate([moved - clean for moved in worn])


def shift_covariance(rows: Floats, moves: Floats) -> Floats:
    """(n_columns, n_columns): covariance of what displacements do to aligned rows, after asinh."""
    moved = rows[np.random.default_rng(0).integers(len(rows), size=len(moves))]
    shifts = np.arcsinh(moved + moves) - np.arcsinh(moved)
    return shifts.T @ shifts / len(shifts)


def _wear_again(sound: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    random.random()
    return wear(sound, random)


# ---- alignment ------------------------------------------------------------------------------------------------


def location_and_scale(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted median and quartile distance of each column, the distance scaled to be 1/TAIL of a normal deviation."""
    quartiles = np.stack([_quantiles(column, weights, (0.25, 0.5, 0.75)) for column in values.T])
    return quartiles[:, 1], (quartiles[:, 2] - quartiles[:, 0]) / 1.349 / TAIL


def _quantiles(column: Floats, weights: Floats, wanted: Sequence[float]) -> Floats:
    order = np.argsort(column, kind="stable")
    reached = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return np.interp(wanted, reached, column[order])


# ---- the student ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """How the small network learns from the teacher."""

    hidden: tuple[int, ...] = (384, 192)
    steps: int = 3000
    batch_size: int = 256
    lr: float = 3e-3
    weight_decay: float = 1e-3
    dropout: float = 0.0  # the targets are soft and the rows never twice the same
    moved: float = 0.5  # how far rows are moved, as a part of a displacement
    seed: int = 0


def distill(
    rows: Floats,
    weights: Floats,
    teacher: Teacher,
    *,
    n_labels: int,
    moves: Floats,
    front_end: object,
    settings: Distillation,
) -> nn.Module:
    """A network that says of aligned rows what the teacher says.

    Args:
        rows: (n, n_columns) aligned.
        weights: (n,) how often each is drawn.
        teacher: Its probabilities are the targets.
        n_labels: Of the teacher.
        moves: (m, n_columns) displacements, aligned.
        front_end: Configuration of the front end.
        settings: See `Distillation`.
    """
    random = np.random.default_rng(settings.seed)
    n = settings.steps * settings.batch_size
    share = weights / weights.sum()
    first, second = random.choice(len(rows), (2, n), p=share)
    part = np.where(random.random(n) < 0.5, 0.0, random.uniform(0, 0.5, n))[:, None]
    pool = min(n, 20_000)  # the teacher is slow: that many mixtures, each moved anew whenever it comes up
    mixed = (1 - part[:pool]) * rows[first[:pool]] + part[:pool] * rows[second[:pool]]
    targets = torch.from_numpy(teacher(mixed)).float()
    config = TrainingConfig(
        epochs=1,
        batch_size=settings.batch_size,
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        schedule="cosine",
        grad_clip=0.0,
    )
    runtime = Runtime(torch.device("cpu"), "fp32")

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for _ in range(settings.steps):
            drawn = random.integers(pool, size=settings.batch_size)
            moved = (
                random.random((settings.batch_size, 1))
                * settings.moved
                * moves[random.integers(len(moves), size=len(drawn))]
            )
            yield torch.from_numpy(mixed[drawn] + moved).float(), targets[drawn]

    def loss_of(batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, int]:
        rows, wanted = batch
        return nn.functional.cross_entropy(network(rows), wanted), len(rows)

    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        network = create_model(
            "fcnn",
            n_classes=n_labels,
            front_end=front_end,
            hidden=settings.hidden,
            dropout=settings.dropout,
            asinh=True,
        )
        state = new_state(network, config=config, steps_per_epoch=settings.steps, runtime=runtime)
        take_steps(network, batches(), loss_of, state=state, config=config, runtime=runtime)
    return network.eval()


def ask(network: nn.Module, rows: Floats) -> Floats:
    """(n, n_columns) aligned -> (n, n_labels) logits."""
    with torch.inference_mode():
        return network(torch.from_numpy(rows).float()).double().numpy()


def by_group(logits: Floats, rows: Rows) -> tuple[Floats, Rows]:
    """One vote per recording: the mean of its clips' logits."""
    _, first, which = np.unique(rows.groups, return_index=True, return_inverse=True)
    sums = np.zeros((len(first), logits.shape[1]))
    np.add.at(sums, which, logits)
    return sums / np.bincount(which)[:, None], rows[first]


def join(*parts: Rows) -> Rows:
    """Rows of several origins, one after the other."""
    names = ("values", "labels", "groups", "sources")
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def aligned(rows: Rows, centre: Floats, scale: Floats) -> Rows:
    """The same rows, normalized."""
    return replace(rows, values=(rows.values - centre) / scale)
