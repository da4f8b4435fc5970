"""From a bundle and a data set to numbers and files, and every way in which the two may not fit."""

import dataclasses
import json
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geoclass.bundle.bundle import Bundle
from geoclass.config.frontends import TableConfig, TextureConfig
from geoclass.config.settings import BuildConfig
from geoclass.config.toml import with_overrides
from geoclass.dataset.dataset import Dataset
from geoclass.errors import DatasetError, EvaluationError
from geoclass.evaluation.report import evaluate

LABELS = ("ES", "PT", "TR")
Make = Callable[..., Any]


def five(split: str = "test", *, group_of: str = "aabbc") -> list[dict[str, Any]]:
    """ES, ES, PT, PT, TR; the last PT is heard as ES, TR as ES. Each has two segments whose mean decides."""
    heard = ([3.0, 0, 0], [2, 1, 0], [0, 3, 0], [2, 1, 0], [2, 0, 1])
    return [
        {
            "track_id": str(number),
            "path": f"a/{number}.mp3",
            "artist_id": artist,
            "artist": f"Artist {artist}",
            "country": country,
            "split": split,
            "rows": [np.add(row, (1, -1, 0)), np.subtract(row, (1, -1, 0))],
        }
        for number, (country, artist, row) in enumerate(
            zip(("ES", "ES", "PT", "PT", "TR"), group_of, heard, strict=True)
        )
    ]


@pytest.fixture
def fitting(make_echo: Make, write_dataset: Make) -> tuple[Bundle, Dataset]:
    return make_echo({"country": LABELS}), write_dataset(five(), labels={"country": LABELS})


def test_a_track_is_the_mean_of_its_segments(fitting: tuple[Bundle, Dataset]) -> None:
    bundle, dataset = fitting
    report = evaluate(bundle, dataset=dataset, bootstrap=50)
    metrics = report.metrics["country"]
    assert metrics["accuracy"] == pytest.approx(3 / 5)
    assert (metrics["n_tracks"], metrics["n_segments"], metrics["n_artists"]) == (5, 10, 3)
    # Segment by segment: (4,-1,0) (2,1,0) (3,0,0) (1,2,0) (1,2,0) (-1,4,0) (3,0,0) (1,2,0) (3,-1,1) (1,1,1)
    assert metrics["segment_accuracy"] == pytest.approx((2 + 1 + 2 + 1 + 0) / 10)
    assert report.tasks["country"].source.embeddings[0] == pytest.approx([3, 0, 0])
    assert metrics["confusion"]["matrix"] == [[2, 0, 0], [1, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(("group", "protocol"), [
    ("artist", "artist-disjoint"), ("segment", "leaky"),
])  # fmt: skip
def test_the_report_says_how_it_was_split(make_echo: Make, write_dataset: Make, group: str, protocol: str) -> None:
    dataset = write_dataset(five(), labels={"country": LABELS}, group=group)
    report = evaluate(make_echo({"country": LABELS}), dataset=dataset, bootstrap=0)
    folder = report.write(dataset.folder / "report")
    written = json.loads((folder / "metrics.json").read_text())
    assert (written["group"], written["protocol"]) == (group, protocol)
    page = (folder / "index.html").read_text()
    assert f">{protocol}</span>" in page
    assert ("<strong>Leaky:</strong>" in page) == (protocol == "leaky")


def test_what_is_written(fitting: tuple[Bundle, Dataset]) -> None:
    bundle, dataset = fitting
    report = evaluate(bundle, dataset=dataset, bootstrap=20)
    folder = report.write(dataset.folder / "report")
    names = {path.name for path in folder.iterdir()}
    pictures = {"scores.png", "map.png", "confusion.png", "reliability.png", "coverage.png"}
    assert names == pictures | {"metrics.json", "predictions.csv", "confusion.csv", "index.html"}
    written = json.loads((folder / "metrics.json").read_text())
    assert (written["format"], written["version"], written["split"]) == ("geoclass/metrics", 1, "test")
    needed = (
        "task split group n_tracks n_segments accuracy balanced_accuracy macro_f1 micro_f1 top3_accuracy "
        "top5_accuracy chance majority_baseline ece intervals segment_accuracy per_class confusion region_accuracy "
        "mean_distance_km median_distance_km"
    )
    assert set(needed.split()) <= set(written)
    predictions = pd.read_csv(folder / "predictions.csv", dtype=str)
    assert predictions["truth"].tolist() == ["ES", "ES", "PT", "PT", "TR"]
    assert predictions["predicted"].tolist() == ["ES", "ES", "PT", "ES", "ES"]
    assert predictions["correct"].astype(int).mean() == pytest.approx(written["accuracy"])
    assert predictions["candidates"][0].startswith("ES 0.909")
    confusion = pd.read_csv(folder / "confusion.csv", index_col=0)
    assert confusion.loc["PT", "ES"] == 1


def test_a_report_is_the_same_twice(fitting: tuple[Bundle, Dataset]) -> None:
    bundle, dataset = fitting
    first, second = (
        evaluate(bundle, dataset=dataset, bootstrap=20).write(dataset.folder / name) for name in ("one", "two")
    )
    for name in ("metrics.json", "predictions.csv", "index.html"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_majority_is_that_of_the_training_split(make_echo: Make, write_dataset: Make) -> None:
    train = [track | {"track_id": f"t{track['track_id']}", "country": "TR"} for track in five("train")]
    dataset = write_dataset([*five(), *train], labels={"country": LABELS})
    metrics = evaluate(make_echo({"country": LABELS}), dataset=dataset, bootstrap=0).metrics["country"]
    assert (metrics["majority_label"], metrics["majority_baseline"]) == ("TR", pytest.approx(1 / 5))


def test_labels_that_the_model_lacks_are_left_out_and_counted(make_echo: Make, write_dataset: Make) -> None:
    tracks = five()
    tracks[1]["country"] = "XK"
    dataset = write_dataset(tracks, labels={"country": ("XK", *LABELS)})
    report = evaluate(make_echo({"country": LABELS}), dataset=dataset, bootstrap=0)
    metrics = report.metrics["country"]
    assert metrics["n_tracks"] == 4
    assert metrics["n_segments"] == 8
    assert metrics["accuracy"] == pytest.approx(2 / 4)
    assert metrics["omitted"]["tracks"] == 1
    assert metrics["omitted"]["labels_unknown_to_the_model"] == ["XK"]
    assert "1 track is left out" in (report.write(dataset.folder / "r") / "index.html").read_text()


def test_labels_that_the_data_lack_stay_answers(make_echo: Make, write_dataset: Make) -> None:
    tracks = [track | {"rows": np.column_stack([np.full(2, 9.0), track["rows"]])} for track in five()]
    dataset = write_dataset(tracks, labels={"country": LABELS})
    metrics = evaluate(make_echo({"country": ("FR", *LABELS)}), dataset=dataset, bootstrap=0).metrics["country"]
    assert metrics["accuracy"] == 0  # all are heard as FR
    assert metrics["omitted"]["labels_never_in_the_data"] == ["FR"]


def test_multi_label(make_echo: Make, write_dataset: Make) -> None:
    genres = ("Folk", "Jazz", "Rock", "Noise")
    said = ("Folk|Jazz", "Rock", "Folk", "Jazz|Polka", "Polka")
    rows = ([2.0, 2, -2, -2], [-2, -2, 2, -2], [2, -2, -2, 2], [-2, -2, -2, -2], [2, 2, 2, 2])
    tracks = [
        {"track_id": str(n), "path": "", "artist_id": "", "genres": g, "split": "test", "rows": [r]}
        for n, (g, r) in enumerate(zip(said, rows, strict=True))
    ]
    dataset = write_dataset(tracks, labels={"genre": ("Folk", "Jazz", "Rock", "Polka")}, multi_label=True)
    report = evaluate(make_echo({"genre": genres}, kind="multi"), dataset=dataset, bootstrap=20)
    metrics = report.metrics["genre"]
    assert metrics["n_tracks"] == 4  # of the last one nothing is known to the model
    assert metrics["n_labels"] == 3  # of Noise the data never say whether it is there
    assert metrics["omitted"]["labels_unknown_to_the_model"] == ["Polka"]
    assert metrics["accuracy"] == pytest.approx(3 / 4)
    assert metrics["mAP"] == pytest.approx((1 + (1 + 2 / 4) / 2 + 1) / 3)
    assert (report.write(dataset.folder / "r") / "precision-recall.png").stat().st_size > 1000


def test_two_tasks_have_a_folder_each(make_echo: Make, write_dataset: Make) -> None:
    tracks = [
        track
        | {"genre": "Folk" if int(track["track_id"]) % 2 else "Rock", "rows": np.tile(track["rows"], (1, 2))[:, :5]}
        for track in five()
    ]
    dataset = write_dataset(tracks, labels={"country": LABELS, "genre": ("Folk", "Rock")})
    bundle = make_echo({"country": LABELS, "genre": ("Folk", "Rock")})
    folder = evaluate(bundle, dataset=dataset, bootstrap=0).write(dataset.folder / "r")
    assert (folder / "country" / "metrics.json").is_file()
    assert (folder / "genre" / "metrics.json").is_file()
    assert 'href="genre/index.html"' in (folder / "index.html").read_text()


def test_a_model_for_another_task_is_refused(make_echo: Make, write_dataset: Make) -> None:
    dataset = write_dataset(five(), labels={"country": LABELS})
    with pytest.raises(EvaluationError, match=r"predicts genre.*labelled with country"):
        evaluate(make_echo({"genre": ("Folk", "Jazz", "Rock")}), dataset=dataset)


def test_one_label_against_sets_is_refused(make_echo: Make, write_dataset: Make) -> None:
    tracks = [track | {"genre": "Folk", "genres": "Folk"} for track in five()]
    dataset = write_dataset(tracks, labels={"genre": ("Folk", "Jazz", "Rock")})
    with pytest.raises(EvaluationError, match="predicts a set of labels"):
        evaluate(make_echo({"genre": ("Folk", "Jazz", "Rock")}, kind="multi"), dataset=dataset)


def test_another_front_end_is_refused_and_named(fitting: tuple[Bundle, Dataset]) -> None:
    bundle, dataset = fitting
    other = dataclasses.replace(bundle, front_end_config=TableConfig(columns=("x", "y", "z")))
    with pytest.raises(EvaluationError, match=r"use different features.*columns"):
        evaluate(other, dataset=dataset)


def test_a_model_that_hears_sound_is_not_asked_about_a_table(fitting: tuple[Bundle, Dataset]) -> None:
    bundle, dataset = fitting
    hears = dataclasses.replace(bundle, front_end_config=TextureConfig(), segment_seconds=15.0)
    with pytest.raises(EvaluationError, match="reads texture features, computed from sound") as caught:
        evaluate(hears, dataset=dataset)
    assert len(caught.value.message) < 200, "no columns"
    options = shlex.split((caught.value.hint or "").partition(": ")[2])
    assert options[:2] == ["--segment-seconds", "15"]
    built = with_overrides(BuildConfig(), options[3::2])
    assert built.front_end == TextureConfig(), "as build-dataset --set reads it"


def test_no_label_in_common_is_refused(make_echo: Make, write_dataset: Make) -> None:
    dataset = write_dataset(five(), labels={"country": LABELS})
    with pytest.raises(EvaluationError, match="knows none of the data set's labels"):
        evaluate(make_echo({"country": ("JP", "KR", "CN")}), dataset=dataset)


def test_one_label_in_the_split_is_refused(make_echo: Make, write_dataset: Make) -> None:
    dataset = write_dataset(five()[:2], labels={"country": LABELS})
    with pytest.raises(EvaluationError, match="a single label"):
        evaluate(make_echo({"country": LABELS}), dataset=dataset)


def test_an_empty_split_is_refused(fitting: tuple[Bundle, Dataset]) -> None:
    bundle, dataset = fitting
    with pytest.raises(DatasetError, match=r"the valid split of .* has no tracks"):
        evaluate(bundle, dataset=dataset, split="valid")


def test_answers_that_are_not_finite_are_refused(make_echo: Make, write_dataset: Make) -> None:
    tracks = five()
    tracks[2]["rows"][0] = np.array([np.nan, 0, 0])
    dataset = write_dataset(tracks, labels={"country": LABELS})
    with pytest.raises(EvaluationError, match="not finite for 1 of 5 tracks, first for 2"):
        evaluate(make_echo({"country": LABELS}), dataset=dataset)
