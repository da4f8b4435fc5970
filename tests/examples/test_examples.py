"""The examples, run as they stand, at small size."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_whole_line_on_synthesized_music(tmp_path: Path) -> None:
    music = tmp_path / "music"
    small = ["--artists", "4", "--tracks", "2", "--seconds", "6"]
    subprocess.run([sys.executable, EXAMPLES / "synthesize_music.py", music, *small], check=True)
    line = [sys.executable, EXAMPLES / "whole_line.py", "--folder", music, "--music", music / "TR", "--work", tmp_path]
    line += ["--epochs", "4", "--set", "model.channels=[16,16,16]", "--set", "training.lr=0.003"]
    line += ["--build-set", "segment_seconds=2", "--build-set", "front_end.n_mels=32"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 of 8 files tagged, sound unchanged; after undo all 8 are byte-identical" in done.stdout
    leaky, honest = (
        next(line.split() for line in done.stdout.splitlines() if line.startswith(name))
        for name in ("leaky", "artist-disjoint")
    )
    assert float(leaky[2]) >= float(honest[2]) - 0.2
    assert (tmp_path / "artist-report" / "index.html").exists()
