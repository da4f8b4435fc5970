"""Other tasks than one country: genre, several genres at once, and country with genre in one pass."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from geoclass.config.frontends import LogMelConfig
from geoclass.config.settings import BuildConfig, ModelConfig, RunConfig, TrainingConfig
from geoclass.corpora.folder import Folder
from geoclass.dataset.build import build_dataset
from geoclass.dataset.dataset import Dataset
from geoclass.evaluation.report import evaluate
from geoclass.inference.classifier import Classifier
from geoclass.inference.prediction import Prediction
from geoclass.training.run import train

GENRES = {"TR": "Makam|Folk", "CN": "Opera", "IN": "Raga|Folk"}
CONFIG = RunConfig(
    model=ModelConfig(name="attention-cnn", arguments={"channels": [32, 16, 16]}),
    training=TrainingConfig(epochs=8, batch_size=16, lr=3e-3),
)


@pytest.fixture(scope="module")
def table(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `music` with a CSV of country, genre and genres."""
    music = shutil.copytree(music, tmp_path_factory.mktemp("table") / "music")
    lines = ["path,country,genre,genres,artist"]
    for path in sorted(music.rglob("*.mp3")):
        country, artist = path.parts[-3:-1]
        lines.append(
            f"{path.relative_to(music).as_posix()},{country},{GENRES[country].split('|')[0]},{GENRES[country]},{artist}"
        )
    file = music / "labels.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def build(table: Path, out: Path, **options: object) -> Dataset:
    front_end = LogMelConfig(n_mels=32, n_fft=1024)
    config = BuildConfig(segment_seconds=3.0, front_end=front_end, **options)  # type: ignore[arg-type]
    return build_dataset(Folder(table, task=config.task), out=out, config=config)


def test_one_trunk_answers_country_and_genre_in_one_pass(table: Path, music: Path, tmp_path: Path) -> None:
    dataset = build(table, tmp_path / "both", task="country,genre")
    assert dataset.tasks == ("country", "genre")
    result = train(dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu")
    assert [head.task for head in result.bundle.heads] == ["country", "genre"]
    answer = Classifier(result.bundle).predict(sorted(music.rglob("*.mp3"))[0])
    assert isinstance(answer, Prediction)
    assert answer.fields["country"].labels == ("CN", "IN", "TR")
    assert len(answer.fields["genre"].labels) == len(dataset.labels["genre"])
    report = evaluate(result.bundle, dataset=dataset, bootstrap=20)
    report.write(tmp_path / "report")
    assert {path.parent.name for path in tmp_path.glob("report/*/metrics.json")} == {"country", "genre"}


def test_either_task_can_be_trained_alone(table: Path, tmp_path: Path) -> None:
    dataset = build(table, tmp_path / "both", task="country,genre")
    short = RunConfig(task="genre", model=CONFIG.model, training=TrainingConfig(epochs=1, batch_size=16))
    result = train(dataset, config=short, run_dir=tmp_path / "run", device="cpu")
    assert result.bundle.tasks == ("genre",)


def test_a_track_may_have_several_genres(table: Path, music: Path, tmp_path: Path) -> None:
    dataset = build(table, tmp_path / "multi", task="genre", multi_label=True)
    assert dataset.labels["genre"] == ("Folk", "Makam", "Opera", "Raga")
    targets = dataset.split("train").targets("genre")
    assert set(targets.sum(axis=1)) == {1.0, 2.0}
    result = train(dataset, config=CONFIG, run_dir=tmp_path / "run", device="cpu")
    assert result.bundle.heads[0].kind == "multi"
    assert result.scores["genre"]["balanced_accuracy"] > 0.6
    answer = Classifier(result.bundle).predict(sorted(music.rglob("*.mp3"))[0]).fields["genre"]
    assert len(answer.value(min_probability=0.0)) == 4
    assert np.all((answer.probabilities >= 0) & (answer.probabilities <= 1))
    metrics = evaluate(result.bundle, dataset=dataset, bootstrap=0).metrics["genre"]
    assert 0 <= metrics["mAP"] <= 1
