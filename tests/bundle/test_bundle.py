"""A bundle: written, read back the same, refused when it is not what it says."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.catalogue import find_bundle, installed_bundles
from geoclass.bundle.heads import Head
from geoclass.errors import BundleError, DeviceError
from geoclass.storage import sha256_file
from geoclass.training.run import TrainResult


@pytest.fixture
def folder(small_run: TrainResult, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_run.run_dir / "bundle", tmp_path / "bundle"))


def edit(folder: Path, **changes: object) -> None:
    document = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(document | changes))


def test_saved_and_loaded_it_says_the_same(small_run: TrainResult, folder: Path) -> None:
    features = torch.randn(5, 32, 130) * 10 - 30
    loaded = Bundle.load(folder)
    assert torch.equal(loaded.logits(features)["country"], small_run.bundle.logits(features)["country"])
    assert loaded.identity == small_run.bundle.identity
    assert loaded.front_end_config == small_run.bundle.front_end_config


def test_the_hash_of_the_data_set_is_called_so(small_run: TrainResult, folder: Path) -> None:
    document = json.loads((folder / "bundle.json").read_text())
    fingerprint = document["training"]["dataset_fingerprint"]
    assert (document["release"], document["dataset_hash"]) == ("", fingerprint[:6])
    assert Bundle.load(folder).dataset_hash == fingerprint[:6]


@pytest.mark.parametrize(
    ("written", "release", "dataset_hash"),
    [("0fa3b9", "", "0fa3b9"), ("0fa3b9c4", "", "0fa3b9c4"), ("2.0", "2.0", ""), ("1.3.12", "1.3.12", "")],
)
def test_older_bundles_kept_the_hash_under_release(folder: Path, written: str, release: str, dataset_hash: str) -> None:
    document = json.loads((folder / "bundle.json").read_text())
    del document["dataset_hash"]
    (folder / "bundle.json").write_text(json.dumps(document | {"release": written}))
    loaded = Bundle.load(folder)
    assert (loaded.release, loaded.dataset_hash) == (release, dataset_hash)
    assert loaded.identity.split() == [loaded.name, written, loaded.weights_sha256[:8]]


def test_saving_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = Bundle.load(folder).save(tmp_path / "again")
    for name in ("bundle.json", "model.safetensors", "README.md"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_a_newer_version_is_refused(folder: Path) -> None:
    edit(folder, version=2)
    with pytest.raises(BundleError, match="version 2") as caught:
        Bundle.load(folder)
    assert "upgrade" in (caught.value.hint or "")


def test_changed_weights_are_refused(folder: Path) -> None:
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(BundleError, match="does not match its checksum"):
        Bundle.load(folder)


@pytest.mark.parametrize("name", ["architecture", "labels", "front_end", "weights_sha256", "normalization"])
def test_a_missing_part_is_one_error(folder: Path, name: str) -> None:
    document = json.loads((folder / "bundle.json").read_text())
    del document[name]
    (folder / "bundle.json").write_text(json.dumps(document))
    with pytest.raises(BundleError, match="not a complete bundle"):
        Bundle.load(folder)


def test_a_missing_weights_file_is_one_error(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(BundleError, match="not a complete bundle"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bundle.json", "{"),
        ("bundle.json", "[]"),
        ("bundle.json", '{"format": "geoclass/bundle", "version": 1}'),
        ("model.safetensors", "no weights"),
    ],
)
def test_a_damaged_bundle_says_what_to_do(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(BundleError, match=re.escape(str(folder))) as caught:
        Bundle.load(folder)
    assert "train" in (caught.value.hint or "")


def test_weights_of_another_shape_are_one_short_error(folder: Path) -> None:
    document = json.loads((folder / "bundle.json").read_text())
    edit(folder, labels={"country": [*document["labels"]["country"], "XX"]})
    with pytest.raises(BundleError, match="not a complete bundle") as caught:
        Bundle.load(folder)
    assert "\n" not in caught.value.message


def test_an_unknown_network_is_named(folder: Path) -> None:
    edit(folder, architecture={"name": "transformer-xxl", "arguments": {}})
    with pytest.raises(BundleError, match="transformer-xxl"):
        Bundle.load(folder)


def test_other_files_are_not_bundles(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text('{"format": "something/else", "version": 1}')
    with pytest.raises(BundleError, match="not a geoclass/bundle"):
        Bundle.load(tmp_path)


def test_an_unknown_name_lists_what_is_there(geoclass_home: Path, small_run: TrainResult) -> None:
    mine = geoclass_home / "data" / "models" / "mine"
    shutil.copytree(small_run.run_dir / "bundle", mine)
    assert find_bundle("mine") == mine
    assert "mine" in installed_bundles()
    with pytest.raises(BundleError, match="no model nothing") as caught:
        Bundle.load("nothing")
    assert "mine" in (caught.value.hint or "")


def test_a_device_that_is_not_one_is_refused(folder: Path) -> None:
    with pytest.raises(DeviceError, match="unknown device"):
        Bundle.load(folder, device="abacus")


def test_temperature_flattens_and_sigmoid_stands_alone() -> None:
    logits = np.array([[2.0, 0.0, -1.0]])
    sharp, flat = (Head(task="country", kind="single", labels=("A", "B", "C"), temperature=t) for t in (0.5, 5.0))
    assert sharp.probabilities(logits).max() > flat.probabilities(logits).max()
    assert flat.probabilities(logits).sum() == pytest.approx(1)
    several = Head(task="genre", kind="multi", labels=("A", "B", "C")).probabilities(logits)[0]
    np.testing.assert_allclose(several, 1 / (1 + np.exp(-logits[0])), rtol=1e-6)


def test_a_model_that_is_replaced_while_it_is_read_is_read_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, other = tmp_path / "mine", tmp_path / "new"
    shutil.copytree(folder, other)
    document = json.loads((other / "bundle.json").read_text())
    (other / "bundle.json").write_text(json.dumps(document | {"name": "new"}))
    link.symlink_to(folder)

    def turn(path: Path) -> str:
        monkeypatch.setattr("geoclass.bundle.bundle.sha256_file", sha256_file)
        link.unlink()
        link.symlink_to(other)
        shutil.rmtree(folder)
        return sha256_file(path)

    monkeypatch.setattr("geoclass.bundle.bundle.sha256_file", turn)
    assert Bundle.load(link).name == "new"
