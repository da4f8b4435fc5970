"""`geoclass learn` from one end to the other, on a library of several formats."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from learn_helpers import COUNTRIES, set_tags, write_library

from geoclass import Bundle, Classifier
from geoclass.bundle.catalogue import find_bundle, models_for
from geoclass.errors import DatasetError, UsageError
from geoclass.evidence.artist_table import Artist, default_path, write_table
from geoclass.inference.prediction import OUTSIDE, Prediction
from geoclass.learning.learn import learn
from geoclass.storage import data_dir


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    write_library(folder)
    return folder


@pytest.fixture
def library(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "Music"))


def run(*words: object, code: int = 0) -> str:
    line = [sys.executable, "-m", "geoclass", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def weights(name: str = "mine") -> bytes:
    return (data_dir() / "models" / name / "model.safetensors").read_bytes()


def test_learn_tag_undo_and_learn_again(library: Path) -> None:
    said = run("learn", library)
    assert "30 of 30 files analysed" in said
    first = weights()
    before = {path: path.read_bytes() for path in sorted(library.rglob("song*"))}
    answers = [json.loads(line) for line in run("tag", library, "--json", "--model", "mine").splitlines()]
    written = [answer for answer in answers if answer["status"] == "written"]
    for answer in written:
        country = Path(answer["path"]).parent.name[:2].upper()
        assert answer["fields"]["country"]["value"] in (country, None)
    assert any(answer["fields"]["country"]["value"] for answer in written), "artists that it had not heard"
    run("learn", library)
    assert weights() == first, "what geoclass wrote itself teaches nothing"
    run("undo")
    assert {path: path.read_bytes() for path in sorted(library.rglob("song*"))} == before
    run("learn", library)
    assert weights() == first


def test_the_model_is_an_ordinary_bundle_that_answers_both_fields(library: Path) -> None:
    found = learn([library])
    assert found.folder is not None
    bundle = Bundle.load("mine")
    assert bundle.tasks == ("country", "genre")
    assert bundle.head("country").labels == (*sorted(COUNTRIES), OUTSIDE)
    assert bundle.head("genre").labels == ("Classical", "Folk", "hip hop", OUTSIDE)
    path = min(library.rglob("song 0.*"))
    answer = Classifier(bundle).predict(path)
    for field in answer.fields.values():
        assert field.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert "geoclass learn" in (find_bundle("mine") / "README.md").read_text(encoding="utf-8")
    assert models_for(["country", "genre"]) == [data_dir() / "models" / "mine"]


def test_the_verdict_counts_what_was_judged(library: Path) -> None:
    found = learn([library], name=None)
    assert found.folder is None
    assert not (data_dir() / "models" / "mine").exists()
    verdict = found.fields["country"]
    assert verdict.files == 24
    assert verdict.artists == 12
    assert [(label.label, label.files, label.artists) for label in verdict.labels] == [
        (country, 8, 4) for country in sorted(COUNTRIES)
    ]
    assert found.would_write["country"][1] == 6
    assert verdict.accuracy > 0.8


def test_a_wrong_label_is_listed_and_left_alone(library: Path) -> None:
    wrong = library / "tr artist 0" / "song 0.mp3"
    set_tags(wrong, {"country": ("CN",)})
    before = wrong.read_bytes()
    found = learn([library], fields=["country"], name=None).fields["country"].suspicions
    assert [(Path(one.path), one.label, one.heard) for one in found][:1] == [(wrong, ("CN",), "TR")]
    assert wrong.read_bytes() == before


def test_a_library_without_labels_is_one_error_that_says_what_is_missing(library: Path) -> None:
    for path in library.rglob("song*"):
        set_tags(path, {"country": (), "genre": ()})
    with pytest.raises(DatasetError, match="none has a country or a genre") as caught:
        learn([library])
    assert "5 files" in (caught.value.hint or "")
    set_tags(library / "tr artist 0" / "song 0.mp3", {"country": ("TR",)})
    with pytest.raises(DatasetError, match="TR \\(1 of 5 files, 1 of 3 artists\\)"):
        learn([library], fields=["country"])
    assert "error:" in run("learn", library, code=3)


def test_files_that_cannot_be_read_are_named_and_not_asked_for_labels(tmp_path: Path) -> None:
    said = run("learn", tmp_path / "no such song.mp3", code=3)
    assert "no such song.mp3: No such file" in said
    assert "could be analysed" in said


def test_nothing_is_decoded_where_nobody_wrote_a_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_library(tmp_path, unlabelled=5)
    monkeypatch.setattr("geoclass.learning.library.hear_files", None)
    with pytest.raises(DatasetError, match="of 30 files, none has a country or a genre") as caught:
        learn([tmp_path])
    assert "--ask" in (caught.value.hint or "")


def test_links_broken_files_and_other_names(library: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    for index, path in enumerate(sorted(library.rglob("song*"))):
        folder = links / path.parent.name
        folder.mkdir(exist_ok=True)
        (folder / f"{index}{path.suffix}").symlink_to(path)
    (links / "again").symlink_to(library, target_is_directory=True)
    (links / "broken.mp3").write_bytes(b"ID3 and nothing else")
    (links / "gone.mp3").symlink_to(tmp_path / "nowhere.mp3")
    said = run("learn", links, "--name", "linked", code=1)
    assert "30 of 32 files analysed" in said
    assert "broken.mp3" in said
    assert "gone.mp3" in said
    assert find_bundle("linked").is_dir()
    assert not (data_dir() / "models" / "mine").exists()


def test_forget_removes_the_model_and_nothing_else(library: Path) -> None:
    learn([library])
    learn([library], name="other", fields=["genre"])
    run("learn", "--forget")
    assert not os.path.lexists(data_dir() / "models" / "mine")
    assert Bundle.load("other").tasks == ("genre",)
    assert len(list((data_dir() / "models" / ".learned").iterdir())) == 1
    assert "no model" in run("learn", "--forget")
    own = data_dir() / "models" / "trained"
    shutil.copytree(find_bundle("other"), own)
    with pytest.raises(UsageError, match="not a model made by"):
        learn([library], name="trained")
    run("learn", "--forget", "--name", "trained", code=2)
    assert own.is_dir()
    for name in ("../up", "", "a/b", ".hidden"):
        with pytest.raises(UsageError, match="not a valid model name"):
            learn([library], name=name)


def test_two_at_once_leave_one_whole_model(library: Path) -> None:
    learn([library])
    line = [sys.executable, "-m", "geoclass", "learn", str(library), "--quiet"]
    runs = [subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(2)]
    while any(process.poll() is None for process in runs):
        assert Bundle.load("mine").tasks == ("country", "genre")
        time.sleep(0.05)
    assert [process.returncode for process in runs] == [0, 0]
    assert len(list((data_dir() / "models" / ".learned").iterdir())) == 1


@pytest.mark.parametrize("moment", ["temporary folder", "weights", "bundle.json", "link"])
def test_killed_at_any_point_the_old_model_still_answers(library: Path, moment: str) -> None:
    learn([library], fields=["genre"])
    before = weights()
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from geoclass.learning import bundle as learned\n"
        "from geoclass.learning.learn import learn\n"
        "from geoclass.bundle import bundle\n"
        "def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"moment = {moment!r}\n"
        "if moment == 'temporary folder': learned.Bundle.save = die\n"
        "if moment == 'weights': bundle.sha256_file = die\n"
        "if moment == 'bundle.json': bundle.write_json = die\n"
        "if moment == 'link': learned.os.replace = die\n"
        f"learn([Path({str(library)!r})])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert weights() == before
    assert Bundle.load("mine").tasks == ("genre",)
    learn([library])
    assert Bundle.load("mine").tasks == ("country", "genre")


def test_a_full_disk_is_an_error_and_keeps_the_old_model(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geoclass.bundle import bundle as module
    from geoclass.errors import StorageError

    learn([library], fields=["genre"])
    before = weights()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_json", full)
    with pytest.raises(StorageError, match="No space left"):
        learn([library])
    assert weights() == before
    assert len(list((data_dir() / "models" / ".learned").iterdir())) == 1


def test_a_second_learn_decodes_nothing(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geoclass.inference import hearing

    learn([library], name=None)

    def never(*_: object, **__: object) -> np.ndarray:
        raise AssertionError("decoded again")

    monkeypatch.setattr(hearing, "load_excerpt", never)
    assert learn([library], name=None).heard == 30


def test_a_library_that_grew_much_is_named_when_tagging(library: Path) -> None:
    learn([library], fields=["genre"])
    song = library / "tr artist 0" / "song 0.mp3"
    assert "learned from" not in run("tag", song, "--dry-run")
    for number in range(7):
        shutil.copy(song, library / f"new {number}.mp3")
    said = " ".join(run("tag", song, "--dry-run").split())
    assert "mine was learned from 30 files; there are 37 now" in said


def test_what_is_unlike_the_library_gets_no_label(library: Path, shared_data: Path) -> None:
    learn([library])
    loops = sorted((shared_data / "waivops").rglob("*.mp3"))[:20]
    for answer in Classifier(Bundle.load("mine")).predict_many(loops):
        assert isinstance(answer, Prediction)
        assert not any(field.value() for field in answer.fields.values())


def test_weak_labels_teach_are_counted_apart_and_judge_nothing(library: Path) -> None:
    for path in (library / "tr artist 4").iterdir():
        set_tags(path, {"title": ("Şarkılar seni söyler",)})  # 0.9 and more by its language
    for path in (library / "cn artist 4").iterdir():
        set_tags(path, {"title": ("Tell me the truth",)})
    write_table([Artist(mbid="x", name="IN artist 4", country="IN")], path=default_path(), source="test")
    plain = learn([library], fields=["country"], name=None)
    weak = learn([library], fields=["country"], name=None, weak_labels=True)
    assert (plain.fields["country"].weak, weak.fields["country"].weak) == (0, 4)
    assert plain.fields["country"].files == weak.fields["country"].files == 24
    assert plain.bundle is not None
    assert weak.bundle is not None
    assert weak.bundle.training["library"]["labelled"]["country"] == 24 + 4
    assert not torch.equal(weak.bundle.model.head.weight, plain.bundle.model.head.weight), "they teach"
    assert weak.would_write["country"][1] == 6, "they stay files without a label"


def test_a_genre_is_written_as_the_owner_spells_it(library: Path) -> None:
    learn([library], fields=["genre"])
    said = run("tag", library, "--json", "--dry-run", "--model", "mine", "--min-confidence", "0.5")
    genres = [json.loads(line)["fields"]["genre"] for line in said.splitlines() if line.startswith("{")]
    values = {value for genre in genres if genre["outcome"] == "planned" for value in genre["value"]}
    assert "hip hop" in values
    assert values <= {"Classical", "Folk", "hip hop"}


def test_an_encoder_of_ones_own_choice(library: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    convolutions = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
    encoder = tmp_path / "encoder"
    transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**small, **convolutions)).save_pretrained(encoder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(encoder)
    said = run("learn", library, "--set", "front_end.kind=embedding", "--set", f"front_end.backbone={encoder}")
    assert "30 of 30 files analysed" in said
    bundle = Bundle.load("mine")
    assert bundle.front_end_config.kind == "embedding"
    assert bundle.front_end_config.width == 16
    answer = Classifier(bundle).predict(library / "tr artist 0" / "song 0.mp3")
    assert set(answer.fields) == {"country", "genre"}
    assert "not hear" not in run("learn", library, "--set", "front_end.kind=log-mel", code=2)


def test_files_that_cannot_be_decoded_are_counted_and_named(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geoclass.errors import AudioError
    from geoclass.inference import hearing

    real = hearing.load_excerpt

    def damaged(path: Path, *args: object, **kwargs: object) -> object:
        if path.parent.name == "tr artist 4":
            raise AudioError(f"{path}: damaged")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(hearing, "load_excerpt", damaged)
    found = learn([library], fields=["genre"], name=None)
    assert found.heard == 28
    assert {Path(path).parent.name: why for path, why in found.failures.items()} == {"tr artist 4": "damaged"}
    assert len(found.failures) == 2
