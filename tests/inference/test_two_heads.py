"""A model with two tasks: each answer is of its own part of the logits, its own temperature and threshold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from synthesize_music import SAMPLE_RATE, synthesize

from geoclass.audio.decode import load_excerpt
from geoclass.audio.segment import cut_segments
from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.frontends import LogMelConfig
from geoclass.inference.answers import field_predictions
from geoclass.inference.classifier import Classifier
from geoclass.inference.prediction import Prediction
from geoclass.models.registry import create_model

HEADS = (
    Head(task="country", kind="single", labels=("TR", "CN", "IN"), temperature=0.5, threshold=0.41),
    Head(task="genre", kind="multi", labels=("Folk", "Pop"), temperature=3.0, threshold=0.72),
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    torch.manual_seed(0)
    front_end = LogMelConfig(n_mels=32, n_fft=1024)
    model = create_model("attention-cnn", n_classes=5, front_end=front_end, channels=[8, 8, 8])
    with torch.no_grad():
        model.head.weight.mul_(30)
    return Bundle(
        name="two", release="7", model=model, front_end_config=front_end, segment_seconds=2.0,
        mean=np.full(32, -40, np.float32), std=np.full(32, 20, np.float32), heads=HEADS,
        weights_sha256="abcdef0123456789",
    )  # fmt: skip


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("songs") / "song.mp3"
    soundfile.write(path, synthesize("IN", artist=2, track=1, seconds=7), SAMPLE_RATE)
    return path


def by_hand(bundle: Bundle, song: Path, *, excerpt_seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """(5,) mean logits and (embedding_dim,) mean embedding over the segments of the middle of a file."""
    waveform = load_excerpt(song, sample_rate=22_050, duration_s=excerpt_seconds)
    segments, _ = cut_segments(waveform, sample_rate=22_050, seconds=2.0)
    with torch.inference_mode():
        logits, embeddings = bundle.outputs(bundle.front_end(torch.from_numpy(segments)))
    assert len(logits) > 1
    return logits.double().numpy().mean(axis=0), embeddings.numpy().mean(axis=0)


@pytest.mark.parametrize("excerpt_seconds", [4.0, 30.0])
def test_each_task_has_its_own_answer(bundle: Bundle, song: Path, excerpt_seconds: float) -> None:
    logits, _ = by_hand(bundle, song, excerpt_seconds=excerpt_seconds)
    found = Classifier(bundle, excerpt_seconds=excerpt_seconds).predict(song)
    country, genre = found.fields["country"], found.fields["genre"]
    scaled = np.exp(logits[:3] / 0.5 - (logits[:3] / 0.5).max())
    np.testing.assert_allclose(country.probabilities, scaled / scaled.sum(), atol=1e-4)
    np.testing.assert_allclose(genre.probabilities, 1 / (1 + np.exp(-logits[3:] / 3.0)), atol=1e-4)
    assert (country.labels, country.kind, country.threshold) == (("TR", "CN", "IN"), "single", 0.41)
    assert (genre.labels, genre.kind, genre.threshold) == (("Folk", "Pop"), "multi", 0.72)
    assert list(found.fields) == ["country", "genre"]


def test_excerpts_differ(bundle: Bundle, song: Path) -> None:
    short, whole = (by_hand(bundle, song, excerpt_seconds=seconds)[0] for seconds in (4.0, 30.0))
    assert not np.allclose(short, whole, atol=1e-3), "or the test above proves nothing"


def test_the_embedding_comes_where_it_is_asked_for(bundle: Bundle, song: Path) -> None:
    _, embedding = by_hand(bundle, song, excerpt_seconds=30.0)
    assert Classifier(bundle).predict(song).embedding is None
    found = Classifier(bundle, embed=True).predict(song).embedding
    assert found is not None
    np.testing.assert_allclose(found, embedding, atol=1e-4)


def test_it_says_who_it_is_and_what_it_answers(bundle: Bundle) -> None:
    classifier = Classifier(bundle)
    assert classifier.tasks == ("country", "genre")
    assert classifier.model_id == "two 7 abcdef01"


def test_a_file_is_answered_whatever_path_names_it(bundle: Bundle, song: Path) -> None:
    (found,) = Classifier(bundle).predict_many([str(song)])
    assert isinstance(found, Prediction)
    assert found.path == song


@pytest.mark.parametrize(("training", "owners"), [({"library": {"files": 9}}, True), ({"seed": 0}, False)])
def test_answers_name_their_task_and_whose_labels_they_are(
    bundle: Bundle, training: dict[str, object], owners: bool
) -> None:
    logits = {"country": np.zeros((2, 3)), "genre": np.zeros((2, 2))}
    rows = field_predictions(replace(bundle, training=training), logits)
    assert len(rows) == 2
    for row in rows:
        assert {task: answer.task for task, answer in row.items()} == {"country": "country", "genre": "genre"}
        assert [answer.owners_labels for answer in row.values()] == [owners, owners]
