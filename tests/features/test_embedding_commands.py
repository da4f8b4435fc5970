"""A frozen encoder through every command: build, train, evaluate, tag; training and tagging hear alike."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

pytest.importorskip("transformers")

from encoders import save

from geoclass.bundle.bundle import Bundle
from geoclass.cli.app import app
from geoclass.config.frontends import EmbeddingConfig
from geoclass.config.settings import BuildConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.extract import Job, create_runner
from geoclass.features import base, embedding, registry
from geoclass.features.embedding import Embedding
from geoclass.features.registry import open_encoder, wants_batches
from geoclass.inference.heard import Heard, HeardCache
from geoclass.inference.hearing import Hearing
from geoclass.learning import listening
from geoclass.learning.listening import hear_files


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result.stdout


def heard(path: Path, front_end: Embedding, cache: HeardCache) -> list[Heard | str]:
    hearing = Hearing(front_end=front_end.resolved, segment_seconds=5, excerpt_seconds=30)
    return [
        *hear_files(
            [path / name for name in ("a.wav", "silent.wav", "b.wav", "text.wav")], hearing, front_end, cache=cache
        )
    ]


def test_files_in_batches_are_what_they_are_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: what `build-dataset` and `learn` compute, with several files in a batch and more than one batch."""
    encoder = save("hubert", tmp_path / "encoder")
    folder = tmp_path / "music" / "TR"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for seconds, name in ((11, "a"), (6, "b"), (21, "c"), (7, "d"), (8, "e")):
        time = np.arange(seconds * 16_000)
        sound = sum(np.sin(time * generator.uniform(0.05, 0.5)) for _ in range(4)) * (0.1 + 0.1 * np.sin(time / 9_000))
        soundfile.write(folder / f"{name}.wav", sound, 16_000)
    soundfile.write(folder / "silent.wav", np.zeros(99_000), 16_000)
    (folder / "text.wav").write_text("no sound")
    front_end = open_encoder(EmbeddingConfig(backbone=str(encoder)))
    assert isinstance(front_end, Embedding)
    assert not wants_batches(front_end)
    config = BuildConfig(front_end=front_end.resolved, pitch_shift=1.0)
    jobs = [Job(f"t{n}", f"TR/{n}.wav", shifts=(0.0, 1.0)) for n in ("a", "silent", "text", "b", "c", "d", "e")]
    alone = [*create_runner(tmp_path / "music", config)(jobs)]
    with HeardCache(tmp_path / "alone.sqlite") as cache:
        listened = heard(folder, front_end, cache)

    batches: list[int] = []
    monkeypatch.setattr(Embedding, "forward", lambda self, x: batches.append(len(x)) or self._rows(x))
    for module in (registry, listening):
        monkeypatch.setattr(module, "wants_batches", lambda front_end: True)
    with monkeypatch.context() as of_the_build:
        of_the_build.setattr(base, "FILES_AT_ONCE", 4)
        together = [*create_runner(tmp_path / "music", config)(jobs)]
    for one, other in zip(together, alone, strict=True):
        assert (one.track_id, one.starts_s, one.shifts, one.error) == (
            other.track_id, other.starts_s, other.shifts, other.error
        )  # fmt: skip
        if other.features is not None:
            np.testing.assert_allclose(one.features, other.features, atol=2e-3)
    sizes = [0 if one.features is None else len(one.features) for one in alone]
    assert batches == [sum(sizes[:4]), sum(sizes[4:])]
    assert batches[0] > max(sizes[:4]), "several files in one"
    with HeardCache(tmp_path / "batches.sqlite") as cache:
        for _ in range(2):
            for one, other in zip(heard(folder, front_end, cache), listened, strict=True):
                if isinstance(other, Heard):
                    assert one.note == other.note
                    np.testing.assert_allclose(one.features, other.features, atol=1e-5)
                else:
                    assert one == other
    n_heard = sum(len(one.features) for one in listened if isinstance(one, Heard))
    assert n_heard > 1
    assert batches[2:] == [n_heard], "the second time everything is in the cache"


def test_long_batches_go_through_the_encoder_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    front_end = open_encoder(EmbeddingConfig(backbone=str(save("w2v-bert", tmp_path))))
    waveform = torch.randn(5, 8_000, generator=torch.Generator().manual_seed(0))
    whole = front_end(waveform)
    parts: list[int] = []
    rows = Embedding._rows
    monkeypatch.setattr(Embedding, "_rows", lambda self, x: parts.append(len(x)) or rows(self, x))
    monkeypatch.setattr(embedding, "_AT_ONCE_S", 1.0)
    torch.testing.assert_close(front_end(waveform), whole, atol=1e-5, rtol=0)
    assert parts == [2, 2, 1]


def test_every_command_takes_it(music: Path, tmp_path: Path) -> None:
    data, where = tmp_path / "data", tmp_path / "run"
    encoder = save("wav2vec2", tmp_path / "encoder")
    settings = ["front_end.kind=embedding", f'front_end.backbone="{encoder}"', "front_end.pooling=mean+std"]
    options = [word for setting in settings for word in ("--set", setting)]
    run("build-dataset", data, "--folder", music, "--segment-seconds", 3, *options)
    dataset = Dataset.open(data)
    assert dataset.features.shape == (len(dataset.segments), 32)
    assert isinstance(dataset.front_end, EmbeddingConfig)
    assert len(dataset.front_end.weights_sha256) == 64
    run("train", data, "--run-dir", where, "--epochs", 3, "--device", "cpu")
    bundle = Bundle.load(where)
    assert bundle.model.name == "fcnn"
    assert bundle.front_end_config == dataset.front_end
    card = (where / "bundle" / "README.md").read_text(encoding="utf-8")
    known = dataset.front_end.weights_sha256[:16]
    assert f"Needs the frozen encoder `{encoder}`, whose weights have the hash {known}" in card
    assert "accuracy" in run("evaluate", where, "--dataset", data, "--bootstrap", 0)
    lines = run("tag", music, "--model", where, "--dry-run", "--json", "--min-confidence", 0).splitlines()
    assert len(lines) == 45
    assert {json.loads(line)["status"] for line in lines} == {"planned"}

    stored = dataset.features[: dataset.segments.groupby("track_id", sort=False).size().iloc[0]].astype(np.float32)
    path = music / dataset.tracks.set_index("track_id").loc[dataset.segments["track_id"].iloc[0], "path"]
    from geoclass.inference.hearing import Hearing, hear

    (heard,) = hear(path, [Hearing.of(bundle, excerpt_seconds=30)], [bundle.front_end])
    np.testing.assert_allclose(heard.features, stored, atol=5e-3, err_msg="training and tagging hear alike")

    other = tmp_path / "other"
    shutil.copytree(encoder, tmp_path / "moved")
    settings[1] = f'front_end.backbone="{tmp_path / "moved"}"'
    options = [word for setting in settings for word in ("--set", setting)]
    run("build-dataset", other, "--folder", music, "--segment-seconds", 3, *options)
    assert "accuracy" in run("evaluate", where, "--dataset", other, "--bootstrap", 0), "the same weights elsewhere"

    shutil.rmtree(encoder)
    result = CliRunner().invoke(app, ["tag", str(music), "--model", str(where), "--dry-run", "--again"])
    assert result.exit_code == 3
    assert "cannot be loaded" in result.stderr
