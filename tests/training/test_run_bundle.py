"""The bundle of a run: what it is called, what it was trained on, and how."""

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import geoclass
from geoclass.bundle.training_set import TrainingSet
from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
from geoclass.dataset.dataset import Dataset
from geoclass.errors import TrainingError
from geoclass.models.registry import create_model
from geoclass.training.run_bundle import begin_bundle, finish_bundle, heads_for

Make = Callable[..., Any]
COUNTRIES, GENRES = ("FR", "DE", "JP"), ("Folk", "Jazz")
CONFIG = RunConfig(model=ModelConfig(name="fcnn"), training=TrainingConfig(epochs=3, seed=5, lr=0.02))


def dataset_of(write_dataset: Make, *licences: str, multi_label: bool = False) -> Dataset:
    tracks = [
        {
            "track_id": f"t{number}",
            "path": "",
            "artist_id": f"a{number}",
            "split": "train",
            "licence": licence,
            "country": COUNTRIES[number % 3],
            "genre": GENRES[number % 2],
            "genres": GENRES[number % 2],
            "rows": [np.eye(4)[number % 4]],
        }
        for number, licence in enumerate(licences or ("",) * 6)
    ]
    return write_dataset(tracks, labels={"country": COUNTRIES, "genre": GENRES}, multi_label=multi_label)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (None, ["country", "genre"]),
        ("country", ["country"]),
        ("genre", ["genre"]),
        ("genre, country", ["genre", "country"]),
    ],
)
def test_a_head_for_each_task_that_is_trained(write_dataset: Make, task: str | None, expected: list[str]) -> None:
    dataset = dataset_of(write_dataset)
    config = CONFIG if task is None else RunConfig(model=CONFIG.model, task=task)
    heads = heads_for(dataset, config)
    assert [head.task for head in heads] == expected
    assert {head.task: head.labels for head in heads}.items() <= {"country": COUNTRIES, "genre": GENRES}.items()
    assert {head.kind for head in heads} == {"single"}


def test_a_track_with_several_genres_has_a_head_of_that_kind(write_dataset: Make) -> None:
    heads = heads_for(dataset_of(write_dataset, multi_label=True), CONFIG)
    assert {head.task: head.kind for head in heads} == {"country": "single", "genre": "multi"}


def test_tasks_without_labels_are_named_with_those_that_have_some(write_dataset: Make) -> None:
    dataset = dataset_of(write_dataset)
    with pytest.raises(TrainingError) as error:
        heads_for(dataset, RunConfig(task="mood,genre,key"))
    assert error.value.message == f"{dataset.folder} has no mood, key labels"
    assert error.value.hint == "it has: country, genre; build one with `--task mood,genre,key`"


def begun(dataset: Dataset):
    heads = heads_for(dataset, CONFIG)
    model = create_model("fcnn", n_classes=5, front_end=dataset.front_end)
    return begin_bundle(dataset, CONFIG, model=model, heads=heads, device=torch.device("cpu")), model, heads


def test_a_bundle_begins_with_what_the_data_set_says(write_dataset: Make) -> None:
    dataset = dataset_of(write_dataset)
    bundle, model, heads = begun(dataset)
    assert bundle.name == "fcnn-data-country-genre"
    assert (bundle.dataset_hash, bundle.release) == ("ffffff", "")
    assert bundle.model is model
    assert bundle.heads == heads
    assert bundle.front_end_config == dataset.front_end
    assert bundle.segment_seconds == dataset.config.segment_seconds
    np.testing.assert_array_equal(bundle.normalize(torch.ones(1, 4)).numpy(), np.ones((1, 4)))
    assert bundle.data["corpus"] == "written for a test"
    assert bundle.data["split"] == f"{dataset.protocol}, seed 0"
    assert bundle.device == torch.device("cpu")


@pytest.mark.parametrize(
    ("licences", "said"),
    [
        (("",), "not stated"),
        (("CC BY 4.0", "", "CC BY 4.0"), "CC BY 4.0"),
        (("CC0", "CC BY 4.0"), "CC BY 4.0; CC0"),
        (tuple(f"licence {letter}" for letter in "abcdefghijkl"), "; ".join(f"licence {x}" for x in "abcdefghij")),
    ],
)
def test_the_licences_of_the_tracks_are_said_each_once_and_ten_at_most(
    write_dataset: Make, licences: tuple[str, ...], said: str
) -> None:
    assert begun(dataset_of(write_dataset, *licences))[0].data["licence"] == said


def test_a_finished_bundle_says_how_it_was_made(write_dataset: Make) -> None:
    dataset = dataset_of(write_dataset)
    scores = {"country": {"accuracy": 0.75}}
    begun_bundle = begun(dataset)[0]
    bundle = finish_bundle(begun_bundle, dataset, CONFIG, epochs=2, scores=scores)
    assert bundle.metrics == scores
    versions = bundle.training.pop("versions")
    assert versions == {
        "geoclass": geoclass.__version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
    }
    settings = bundle.training.pop("settings")
    assert (settings["lr"], settings["seed"], settings["epochs"]) == (0.02, 5, 3)
    assert bundle.training == {
        "dataset_fingerprint": "f" * 64,
        "group": "artist",
        "seed": 5,
        "epochs": 2,
    }
    assert isinstance(bundle.training_set, TrainingSet)
    assert (bundle.name, bundle.heads) == (begun_bundle.name, begun_bundle.heads)
