"""A model never passes for honest on tracks, or on artists, that it was fitted on."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.training_set import TrainingSet
from geoclass.config.frontends import LogMelConfig
from geoclass.config.settings import BuildConfig
from geoclass.corpora.folder import Folder
from geoclass.dataset.build import build_dataset
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.identity import fitted_keys
from geoclass.errors import BundleError
from geoclass.evaluation.leaks import leak_report
from geoclass.evaluation.report import evaluate

LABELS = ("FR", "DE")
Make = Callable[..., Any]


def track(
    name: str, split: str, *, right: bool = True, artist: str = "", artist_id: str | None = None
) -> dict[str, Any]:
    """Every second track is from FR; `right` says whether an Echo hears it so."""
    country = LABELS[int(name) % 2]
    heard = country if right else LABELS[1 - int(name) % 2]
    row = [(4.0 + int(name)) * (heard == label) for label in LABELS]
    return {
        "track_id": name, "path": f"{name}.mp3", "artist_id": artist.lower() if artist_id is None else artist_id,
        "artist": artist, "country": country, "split": split, "rows": [row],
    }  # fmt: skip


@pytest.fixture
def fitted(make_echo: Make, write_dataset: Make) -> Bundle:
    """A model fitted on tracks 0 to 3, by the artists Ann, Bob, Céline and nobody."""
    dataset = write_dataset(
        [
            track("0", "train", artist="Ann"),
            track("1", "train", artist="Bob"),
            track("2", "valid", artist="Céline"),
            track("3", "valid"),
        ],
        labels={"country": LABELS},
        name="fitted",
    )
    return replace(make_echo({"country": LABELS}), training_set=TrainingSet.from_keys(*fitted_keys(dataset)))


def report_of(bundle: Bundle, dataset: Dataset) -> dict[str, Any]:
    return dict(evaluate(bundle, dataset=dataset, bootstrap=0).metrics["country"])


def test_tracks_and_artists_of_the_training_are_no_part_of_the_honest_score(
    fitted: Bundle, write_dataset: Make
) -> None:
    dataset = write_dataset(
        [
            track("0", "test", artist="Ann"),  # trained on
            track("3", "test"),  # tuned on; by nobody known
            track("4", "test", artist="CÉLINE", artist_id="77"),  # another track by an artist it was tuned on
            track("5", "test", right=False, artist="Dora"),
            track("6", "test", artist="Emil"),
            track("7", "test"),
        ],
        labels={"country": LABELS},
        name="other",
    )
    metrics = report_of(fitted, dataset)
    overlap = metrics["training_overlap"]
    assert (overlap["tracks"], overlap["of"]) == (3, 6)
    assert (overlap["same_track"], overlap["same_artist"]) == (2, 2)
    assert metrics["accuracy"] == pytest.approx(5 / 6)
    assert overlap["honest"]["accuracy"] == pytest.approx(2 / 3)
    assert overlap["honest"]["n_tracks"] == 3
    assert metrics["protocol"] == "leaky"


def test_a_split_that_is_new_to_the_model_keeps_its_protocol(fitted: Bundle, write_dataset: Make) -> None:
    dataset = write_dataset([track("8", "test"), track("9", "test", artist="Fay")], labels={"country": LABELS})
    metrics = report_of(fitted, dataset)
    assert metrics["training_overlap"] == {"tracks": 0, "of": 2, "same_track": 0, "same_artist": 0, "honest": None}
    assert metrics["protocol"].startswith("artist-disjoint")


def test_where_nothing_is_new_there_is_no_honest_score(fitted: Bundle, write_dataset: Make) -> None:
    dataset = write_dataset([track("0", "test"), track("1", "test")], labels={"country": LABELS})
    metrics = report_of(fitted, dataset)
    assert metrics["training_overlap"]["honest"] is None
    assert metrics["protocol"] == "leaky"


def test_an_id_of_another_corpus_is_another_track(fitted: Bundle, write_dataset: Make) -> None:
    dataset: Dataset = write_dataset([track("0", "test"), track("1", "test")], labels={"country": LABELS})
    dataset.document = {**dataset.document, "corpus": {"name": "fma"}}
    assert report_of(fitted, dataset)["training_overlap"]["tracks"] == 0


def test_a_bundle_without_fingerprints_is_compared_by_its_data_set_or_not_at_all(
    make_echo: Make, write_dataset: Make
) -> None:
    bundle = make_echo({"country": LABELS})
    dataset = write_dataset(
        [track("0", "train"), track("2", "test", artist="Ann"), track("3", "test")], labels={"country": LABELS}
    )
    assert report_of(bundle, dataset)["training_overlap"] is None
    of_its_own = replace(bundle, training={"dataset_fingerprint": dataset.fingerprint})
    assert report_of(of_its_own, dataset)["training_overlap"]["tracks"] == 0
    assert evaluate(of_its_own, dataset=dataset, bootstrap=0).metrics["country"]["protocol"] == dataset.protocol


def test_the_leak_report_calls_no_training_track_honest(fitted: Bundle, write_dataset: Make) -> None:
    dataset = write_dataset(
        [
            track("10", "train", artist="Gus"),
            track("0", "test", artist="Ann"),
            track("5", "test", right=False, artist="Dora"),
            track("6", "test", artist="Emil"),
        ],
        labels={"country": LABELS},
        name="other",
    )
    report = evaluate(fitted, dataset=dataset, bootstrap=0).tasks["country"]
    rows = {row.tracks: (row.n_tracks, row.accuracy) for row in leak_report(dataset, report, split="test").rows}
    assert rows["known to the model"] == (1, 1.0)
    assert rows["none of these (honest)"] == (2, 0.5)


def test_fingerprints_travel_in_the_bundle_and_name_nobody(fitted: Bundle, tmp_path: Path) -> None:
    folder = fitted.save(tmp_path / "bundle")
    text = (folder / "training_set.json").read_text()
    assert not any(name in text.casefold() for name in ("ann", "bob", "céline", "track ", "name "))
    assert TrainingSet.read(folder) == fitted.training_set
    replace(fitted, training_set=None).save(folder)
    assert TrainingSet.read(folder) is None
    (folder / "training_set.json").write_text(json.dumps({"format": "geoclass/training-set", "version": 1}))
    with pytest.raises(BundleError, match="incomplete"):
        TrainingSet.read(folder)


def test_trained_on_one_split_and_evaluated_on_another_of_the_same_corpus(
    small_run: Any, small_dataset: Dataset, music: Path, tmp_path: Path
) -> None:
    from geoclass.cli.app import app

    config = BuildConfig(segment_seconds=3.0, front_end=LogMelConfig(n_mels=32, n_fft=1024), seed=1)
    other = build_dataset(Folder(music), out=tmp_path / "other", config=config)
    met = set(small_dataset.tracks.query("split != 'test'")["track_id"])
    expected = set(other.split("test").tracks["track_id"]) & met
    assert expected
    typed = ["evaluate", str(small_run.run_dir), "--dataset", str(other.folder), "--report", str(tmp_path / "r")]
    result = CliRunner().invoke(app, typed)
    assert result.exit_code == 0, result.output
    assert "LEAKY" in result.output
    written = json.loads((tmp_path / "r" / "metrics.json").read_text())
    assert written["protocol"] == "leaky"
    assert written["training_overlap"]["same_track"] == len(expected)
    assert "trained or tuned on" in (tmp_path / "r" / "index.html").read_text()
