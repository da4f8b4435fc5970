"""Make the built-in model `genre-gtzan` from the published statistics of the GTZAN clips.

    python tools/make_builtin_genre.py --features features_30_sec.csv --gtzan DIR

--features: 57 statistics of the 1,000 clips; the 52 that the front end computes from sound are used. --gtzan: some of
the clips themselves; how far a pass through MP3 moves their statistics is what rows are moved by in training.
Training clips of the fault-filtered split (Kereliuk, Sturm and Larsen, 2015) are learned from, its validation clips
calibrate, its test clips are only scored.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from builtin_recipe import displacements
from torch import nn

from geoclass.audio.frontend import create_front_end
from geoclass.bundle import BUILTIN, Bundle, Head
from geoclass.calibration import choose_threshold, decisions, fit_temperature
from geoclass.config import StatisticsConfig
from geoclass.corpora.base import Track
from geoclass.corpora.gtzan import GTZAN
from geoclass.models.registry import create_model

NAME, RELEASE = "genre-gtzan", "1.0"
CONFIG = StatisticsConfig()
SECONDS = 15.0  # a segment; a tagger hears two
STEPS, BATCH, LR, WEIGHT_DECAY = 1500, 64, 2e-3, 1e-2
TARGET_PRECISION = 0.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--gtzan", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=BUILTIN)
    options = parser.parse_args()
    torch.set_num_threads(1)
    tracks = [t for t in GTZAN(options.gtzan, features=options.features.resolve()).tracks() if isinstance(t, Track)]
    rows = np.array([[track.features[name] for name in CONFIG.columns] for track in tracks], np.float32)
    labels = tuple(sorted({track.genre for track in tracks}))
    truth = np.array([labels.index(track.genre) for track in tracks])
    split = np.array([track.split for track in tracks])
    train = split == "train"
    mean, std = rows[train].mean(axis=0), rows[train].std(axis=0)
    clips = sorted(options.gtzan.rglob("*.wav"))
    held = {track.track_id for track in tracks if track.split == "test"}
    moves = displacements([clip for clip in clips if clip.stem not in held], create_front_end(CONFIG), SECONDS)

    aligned = torch.from_numpy((rows - mean) / std)
    network = learn(aligned[train], torch.from_numpy(truth[train]), torch.from_numpy(moves / std).float(), len(labels))
    with torch.inference_mode():
        logits = network(aligned).double().numpy()
    valid, test = split == "valid", split == "test"
    temperature = fit_temperature(logits[valid], truth[valid])
    head = Head(task="genre", kind="single", labels=labels, temperature=temperature)
    threshold = choose_threshold(head.probabilities(logits[valid]), truth[valid], target_precision=TARGET_PRECISION)
    head = Head(task="genre", kind="single", labels=labels, temperature=temperature, threshold=threshold)
    confidence, correct = decisions(head.probabilities(logits[test]), truth[test])
    written = confidence >= threshold
    scores = {
        "accuracy": float(correct.mean()),
        "written": float(written.mean()),
        "right of what is written": float(correct[written].mean()),
    }
    bundle = Bundle(
        name=NAME,
        release=RELEASE,
        model=network,
        front_end_config=CONFIG,
        segment_seconds=SECONDS,
        mean=mean,
        std=std,
        heads=(head,),
        training={"made_by": "tools/make_builtin_genre.py", "seed": 0},
        metrics={"genre": {"on": "the 290 fault-filtered test rows"} | {n: round(v, 4) for n, v in scores.items()}},
        data={
            "trained on": "published statistics of the GTZAN clips (Tzanetakis and Cook, 2002), 443 of 1,000; no sound "
            "is inside",
            "split": "fault-filtered (Kereliuk, Sturm and Larsen, 2015): 197 clips calibrate, 290 are scored",
            "licence": "MIT for the weights",
        },
    )
    print(bundle.save(options.out / NAME), json.dumps(scores))


def learn(rows: torch.Tensor, truth: torch.Tensor, moves: torch.Tensor, n_labels: int) -> nn.Module:
    """A small network on rows that are mixed with each other and moved as MP3 moves them."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    network = create_model("fcnn", n_classes=n_labels, front_end=CONFIG, hidden=[128, 64], dropout=0.4, compress=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    hot = nn.functional.one_hot(truth, n_labels).float() * 0.9 + 0.1 / n_labels
    network.train()
    for _ in range(STEPS):
        first, second = torch.randint(len(rows), (2, BATCH), generator=generator)
        part = 0.5 * torch.rand(BATCH, 1, generator=generator)
        far = torch.rand(BATCH, 1, generator=generator)
        moved = far * moves[torch.randint(len(moves), (BATCH,), generator=generator)]
        logits = network((1 - part) * rows[first] + part * rows[second] + moved)
        loss = -(((1 - part) * hot[first] + part * hot[second]) * logits.log_softmax(1)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


if __name__ == "__main__":
    main()
