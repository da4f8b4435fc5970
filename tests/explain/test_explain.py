"""Explanations add up, point at what was planted, and come out as files."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.frontends import TextureConfig
from geoclass.dataset.dataset import Dataset
from geoclass.errors import EvaluationError
from geoclass.explain.attribution import integrated_gradients, permutation_importance, shapley_values
from geoclass.explain.explain import explain, write_segment
from geoclass.explain.plots import draw_explanation
from geoclass.explain.portrait_plots import draw_portraits
from geoclass.explain.portraits import portray
from geoclass.models.registry import create_model

Make = Callable[..., Any]


def smooth(x: Tensor) -> Tensor:
    """(batch, 3, 4) -> (batch,), with products between places."""
    return torch.tanh(x[:, 0, :].sum(dim=1)) + x[:, 1, 0] * x[:, 2, 3]


def test_integrated_gradients_add_up_to_the_score() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 3, 4)))
    found = integrated_gradients(smooth, x, steps=400)
    whole = (smooth(x) - smooth(torch.zeros_like(x))).numpy()
    assert found.sum(axis=(1, 2)) == pytest.approx(whole, abs=1e-5)
    assert np.all(found[:, 1, 1:] == 0)  # what has no part in the score


@pytest.mark.parametrize("name", ["attention-cnn", "lstm", "cnn"])
def test_integrated_gradients_add_up_for_real_networks(name: str, small_dataset: Dataset) -> None:
    torch.manual_seed(0)
    model = create_model(name, n_classes=3, front_end=small_dataset.front_end).eval()
    x = torch.from_numpy(np.asarray(small_dataset.features[:1], np.float32))
    x = (x - x.mean()) / x.std()

    def score(inputs: Tensor) -> Tensor:
        return model(inputs)[:, 1]

    found = integrated_gradients(score, x, steps=96)
    with torch.inference_mode():
        whole = float(score(x) - score(torch.zeros_like(x)))
    assert found.shape == x.shape
    assert found.sum() == pytest.approx(whole, abs=max(0.02, 0.1 * abs(whole)))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_shapley_values_of_a_linear_score_are_its_terms() -> None:
    weights = torch.tensor([1.0, -2.0, 0.0, 0.5])
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32))
    found = shapley_values(lambda rows: rows @ weights, x, permutations=3)
    assert found == pytest.approx((x * weights).numpy(), abs=1e-6)


def test_shapley_values_share_a_product_and_add_up() -> None:
    x = torch.tensor([[2.0, 3.0, 5.0]])
    found = shapley_values(lambda rows: rows[:, 0] * rows[:, 1] + rows[:, 2], x, permutations=4)
    assert found[0] == pytest.approx([3, 3, 5], abs=1e-6)  # an order and its reverse share a product evenly


def test_only_the_column_that_decides_is_important() -> None:
    generator = np.random.default_rng(2)
    rows = generator.normal(size=(300, 3)).astype(np.float32)
    truth = rows[:, 1] > 0
    lost = permutation_importance(lambda r: float(((r[:, 1] > 0) == truth).mean()), rows)
    assert lost[1] == pytest.approx(0.5, abs=0.1)
    assert lost[0] == lost[2] == 0


def test_a_file_is_explained(small_run: Any, music: Path, tmp_path: Path) -> None:
    bundle: Bundle = small_run.bundle
    path = min(music.rglob("*.mp3"))
    found = explain(bundle, path)
    assert found.label == found.prediction.candidates[0][0]
    n_segments = len(found.starts_s)
    assert found.features.shape == found.contributions.shape
    assert found.contributions.shape[:2] == (n_segments, 32)
    assert found.attention is not None
    assert found.attention.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert ((found.support >= 0) & (found.support <= 1)).all()
    picture = draw_explanation(found, bundle.front_end_config, tmp_path / "why.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    sound, rate = soundfile.read(write_segment(found, tmp_path / "why.wav"), dtype="float32")
    start = round(found.starts_s[found.top_segment()] * rate)
    assert len(sound) == round(bundle.segment_seconds * rate)
    assert sound == pytest.approx(found.waveform[start : start + len(sound)], abs=1e-4)


@pytest.mark.parametrize("name", ["caf\udce9.mp3", "A$AP $_ong.mp3", "two\nlines.mp3"])
def test_any_file_name_stands_over_the_figure(small_run: Any, music: Path, tmp_path: Path, name: str) -> None:
    try:
        strange = shutil.copyfile(min(music.rglob("*.mp3")), tmp_path / name)
    except OSError:
        pytest.skip("this system has no such names")
    bundle: Bundle = small_run.bundle
    found = explain(bundle, strange)
    assert draw_explanation(found, bundle.front_end_config, tmp_path / "figure.png").stat().st_size > 10_000


def test_the_prediction_is_that_of_the_classifier(small_run: Any, music: Path) -> None:
    from geoclass.inference.classifier import Classifier

    path = min(music.rglob("*.mp3"))
    said = Classifier(small_run.bundle).predict(path).fields["country"]
    assert explain(small_run.bundle, path).prediction.probabilities == pytest.approx(said.probabilities, abs=1e-5)


def test_a_label_that_the_model_lacks_is_refused(small_run: Any, music: Path) -> None:
    with pytest.raises(EvaluationError, match="does not know 'ZZ'"):
        explain(small_run.bundle, min(music.rglob("*.mp3")), label="ZZ")


def test_a_model_as_a_whole(small_run: Any, small_dataset: Dataset, tmp_path: Path) -> None:
    portraits = portray(small_run.bundle, small_dataset, split="train", per_class=2)
    assert set(portraits.labels) <= set(small_run.bundle.heads[0].labels)
    assert portraits.maps.shape[:2] == (len(portraits.labels), 32)
    truth = dict(zip(small_dataset.tracks["track_id"], small_dataset.tracks["country"], strict=True))
    for row in portraits.typical.itertuples():
        assert truth[row.track_id] == row.label
    assert not portraits.typical.duplicated(["label", "track_id"]).any()
    assert (portraits.typical.groupby("label").size() <= 2).all()
    drawn = draw_portraits(portraits, small_run.bundle.front_end_config, tmp_path)
    assert {path.name for path in drawn} == {"bands.png", "maps.png", "typical.csv"}


def test_a_model_of_tables_as_a_whole(make_echo: Make, write_dataset: Make, tmp_path: Path) -> None:
    labels = ("FR", "DE", "JP")
    tracks = [
        {"track_id": str(k), "path": "", "country": labels[k % 3], "split": "test",
         "rows": [5.0 * np.eye(3)[k % 3] + np.random.default_rng(k).normal(size=3)]}
        for k in range(30)
    ]  # fmt: skip
    bundle = make_echo({"country": labels})
    portraits = portray(bundle, write_dataset(tracks, labels={"country": labels}))
    assert portraits.columns == ("c0", "c1", "c2")
    assert portraits.maps.argmax(axis=1).tolist() == [labels.index(label) for label in portraits.labels]
    assert portraits.importance is not None
    assert (portraits.importance > 0.05).all()
    drawn = draw_portraits(portraits, bundle.front_end_config, tmp_path)
    assert {path.name for path in drawn} == {"columns.png", "importance.png", "typical.csv"}


def test_a_file_is_explained_by_the_numbers_of_a_row_model(music: Path, tmp_path: Path) -> None:
    config = TextureConfig()
    torch.manual_seed(3)
    bundle = Bundle(
        name="rows",
        release="1",
        model=create_model("fcnn", n_classes=3, front_end=config),
        front_end_config=config,
        segment_seconds=5.0,
        mean=np.zeros(68, np.float32),
        std=np.full(68, 5.0, np.float32),
        heads=(Head(task="country", kind="single", labels=("TR", "FR", "JP")),),
    )
    found = explain(bundle, min(music.rglob("*.mp3")))
    assert found.columns == config.columns
    assert found.contributions.shape == found.features.shape == (len(found.starts_s), 68)
    x = bundle.normalize(torch.from_numpy(found.features))
    with torch.inference_mode():
        logits = bundle.model(torch.cat([x, torch.zeros(1, 68)])).double().numpy()
    own = found.prediction.labels.index(found.label)
    score = logits[:, own] - np.delete(logits, own, axis=1).mean(axis=1)
    assert found.contributions.sum(axis=1) == pytest.approx(score[:-1] - score[-1], abs=1e-4)
    assert len(found.strongest_columns(5)) == 5
    assert draw_explanation(found, config, tmp_path / "rows.png").stat().st_size > 10_000
