"""A frozen encoder through every command: build, train, evaluate, tag; training and tagging hear alike."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("transformers")

from encoders import save

from geoclass.bundle.bundle import Bundle
from geoclass.cli.app import app
from geoclass.config.frontends import EmbeddingConfig
from geoclass.dataset.dataset import Dataset


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result.stdout


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
    assert "accuracy" in run("evaluate", where, "--dataset", data, "--bootstrap", 0)
    lines = run("tag", music, "--model", where, "--dry-run", "--json", "--min-confidence", 0).splitlines()
    assert len(lines) == 45
    assert {json.loads(line)["status"] for line in lines} == {"planned"}

    stored = dataset.features[: dataset.segments.groupby("track_id", sort=False).size().iloc[0]].astype(np.float32)
    path = music / dataset.tracks.set_index("track_id").loc[dataset.segments["track_id"].iloc[0], "path"]
    from geoclass.inference.hearing import Hearing, hear

    (heard,) = hear(path, [Hearing.of(bundle, excerpt_seconds=30)], [bundle.front_end])
    np.testing.assert_allclose(heard.features, stored, atol=5e-3, err_msg="training and tagging hear alike")

    shutil.rmtree(encoder)
    result = CliRunner().invoke(app, ["tag", str(music), "--model", str(where), "--dry-run", "--again"])
    assert result.exit_code == 3
    assert "cannot be loaded" in result.stderr
