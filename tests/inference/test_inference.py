"""Classifier: the numbers of training, in input order, one bad file never stops the rest."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from standing_clock import Clock

from geoclass.bundle.bundle import Bundle
from geoclass.dataset.dataset import Dataset
from geoclass.errors import AudioError, ModelError
from geoclass.inference import hearing
from geoclass.inference.classifier import Classifier
from geoclass.inference.prediction import Failure, Prediction
from geoclass.training.run import TrainResult


def test_tagging_hears_what_training_heard(small_run: TrainResult, small_dataset: Dataset) -> None:
    split = small_dataset.split("test")
    root = Path(small_dataset.document["audio_root"])
    paths = [root / path for path in split.tracks["path"]]
    answers = list(Classifier(small_run.bundle).predict_many(paths))
    logits = small_run.bundle.logits(torch.from_numpy(small_dataset.features[split.segment_ids].astype(np.float32)))
    for row, answer in enumerate(answers):
        assert isinstance(answer, Prediction)
        mean = logits["country"][torch.from_numpy(split.track_of_segment == row)].mean(dim=0, keepdim=True)
        expected = small_run.bundle.heads[0].probabilities(mean.numpy())[0]
        np.testing.assert_allclose(answer.fields["country"].probabilities, expected, atol=5e-3)  # stored as float16


def test_order_batches_and_threads_change_nothing(small_run: TrainResult, music: Path) -> None:
    paths = sorted(music.rglob("*.mp3"))[:13]
    one = list(Classifier(small_run.bundle, batch_size=1, workers=1).predict_many(paths))
    many = list(Classifier(small_run.bundle, batch_size=5, workers=4).predict_many(paths))
    assert [answer.path for answer in many] == paths
    for left, right in zip(one, many, strict=True):
        np.testing.assert_allclose(
            left.fields["country"].probabilities, right.fields["country"].probabilities, atol=1e-5
        )


def test_batches_for_a_gpu_say_what_files_one_by_one_say(
    small_run: TrainResult, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [*sorted(music.rglob("*.mp3"))[:7], music / "gone.mp3"]
    classifier = Classifier(small_run.bundle, batch_size=3)
    alone = list(classifier.predict_many(paths))
    monkeypatch.setattr(classifier, "_file_by_file", False)
    together = list(classifier.predict_many(paths))
    assert [answer.path for answer in together] == paths
    assert alone[-1] == together[-1]
    for left, right in zip(alone[:-1], together[:-1], strict=True):
        np.testing.assert_allclose(
            left.fields["country"].probabilities, right.fields["country"].probabilities, atol=1e-5
        )


@pytest.mark.parametrize("file_by_file", [True, False])
def test_a_file_that_never_ends_is_given_up_and_the_others_go_on(
    small_run: TrainResult, music: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock, file_by_file: bool
) -> None:
    paths = sorted(music.rglob("*.mp3"))[:6]
    whole, end = hearing.load_excerpt, threading.Event()
    both_hang = threading.Barrier(2, action=clock.move)  # nothing else is under way

    def hanging(path: Path, **options: float) -> np.ndarray:
        if path in paths[1:3]:
            both_hang.wait()
            end.wait()
        return whole(path, **options)

    monkeypatch.setattr(hearing, "load_excerpt", hanging)
    classifier = Classifier(small_run.bundle, workers=2, time_limit_s=0.5)
    monkeypatch.setattr(classifier, "_file_by_file", file_by_file)
    answers = list(classifier.predict_many(paths))
    end.set()
    assert [type(answer) for answer in answers] == [Prediction, Failure, Failure] + [Prediction] * 3
    assert "given up after 0.5 s" in answers[1].reason


def test_a_bad_file_is_an_answer_in_its_place(small_run: TrainResult, music: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"nothing to hear")
    good = sorted(music.rglob("*.mp3"))[:2]
    answers = list(Classifier(small_run.bundle).predict_many([good[0], bad, tmp_path / "gone.mp3", good[1]]))
    assert [type(answer) for answer in answers] == [Prediction, Failure, Failure, Prediction]
    assert "not audio" in answers[1].reason
    assert "No such file" in answers[2].reason
    with pytest.raises(AudioError, match="not audio"):
        Classifier(small_run.bundle).predict(bad)


def test_what_no_decoder_foresaw_is_an_answer_too(
    small_run: TrainResult, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, odd = sorted(music.rglob("*.mp3"))[:2]
    whole = hearing.load_excerpt

    def breaking(path: Path, **options: float) -> np.ndarray:
        if path == odd:
            raise ValueError("nine planes of eight")
        return whole(path, **options)

    monkeypatch.setattr(hearing, "load_excerpt", breaking)
    answers = list(Classifier(small_run.bundle).predict_many([odd, good]))
    assert [type(answer) for answer in answers] == [Failure, Prediction]
    assert "nine planes" in answers[0].reason


def test_silence_and_noise_are_named_and_no_model_is_asked(small_run: TrainResult, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050 * 6)
    soundfile.write(tmp_path / "silence.wav", np.zeros(22_050 * 6), 22_050)
    soundfile.write(tmp_path / "noise.wav", noise, 22_050)
    soundfile.write(tmp_path / "short.wav", noise[:30_000], 22_050)
    paths = [tmp_path / f"{name}.wav" for name in ("silence", "noise", "short")]
    answers = list(Classifier(small_run.bundle).predict_many(paths))
    assert [answer.note for answer in answers] == ["silence", "noise", "shorter than 3 s"]
    assert all(not answer.fields for answer in answers)


def test_candidates_are_sorted_and_sum_to_one(small_run: TrainResult, music: Path) -> None:
    answer = Classifier(small_run.bundle).predict(sorted(music.rglob("*.mp3"))[0]).fields["country"]
    probabilities = [probability for _, probability in answer.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert answer.value(min_probability=0.0) == (answer.candidates[0][0],)
    assert answer.value(min_probability=1.1) == ()


def test_two_models_for_one_task_are_refused(small_run: TrainResult) -> None:
    with pytest.raises(ModelError, match="two models predict country"):
        Classifier([small_run.bundle, small_run.bundle])


def test_two_models_answer_side_by_side(small_run: TrainResult, music: Path) -> None:
    head = replace(small_run.bundle.heads[0], task="genre")
    other: Bundle = replace(small_run.bundle, heads=(head,))
    classifier = Classifier([small_run.bundle, other])
    answer = classifier.predict(sorted(music.rglob("*.mp3"))[0])
    assert tuple(answer.fields) == classifier.tasks == ("country", "genre")
    assert classifier.model_id.count(";") == 1


def test_many_files_are_not_read_ahead_without_bound(small_run: TrainResult, music: Path) -> None:
    asked: list[int] = []

    def paths() -> object:
        for number in range(500):
            asked.append(number)
            yield music / "gone.mp3"

    answers = Classifier(small_run.bundle, batch_size=4, workers=2).predict_many(paths())  # type: ignore[arg-type]
    next(answers)
    assert len(asked) < 40
    answers.close()  # type: ignore[attr-defined]
