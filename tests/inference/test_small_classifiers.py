"""Models asked about files: each file in its place, decoded once, together or one by one with the same answer."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from synthesize_music import SAMPLE_RATE, synthesize

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.frontends import EmbeddingConfig, LogMelConfig
from geoclass.errors import AudioError, ModelError
from geoclass.inference import classifier as asking
from geoclass.inference import hearing
from geoclass.inference.classifier import Classifier
from geoclass.inference.heard import HeardCache
from geoclass.inference.hearing import Hearing, cut_file, hear, remembered
from geoclass.inference.prediction import Failure, Prediction
from geoclass.models.registry import create_model
from geoclass.parallel.threads import default_workers

MEL = LogMelConfig(n_mels=16, n_fft=512)
MODES = pytest.mark.parametrize("file_by_file", [True, False])


def make_bundle(task: str, *, front_end: LogMelConfig = MEL, segment_seconds: float = 2.0, seed: int = 0) -> Bundle:
    torch.manual_seed(seed)
    model = create_model("attention-cnn", n_classes=3, front_end=front_end, channels=[4, 4, 4])
    with torch.no_grad():
        model.head.weight.mul_(30)
    return Bundle(
        name=task, release="1", model=model, front_end_config=front_end, segment_seconds=segment_seconds,
        mean=np.full(front_end.n_mels, -40, np.float32), std=np.full(front_end.n_mels, 20, np.float32),
        heads=(Head(task=task, kind="single", labels=("A", "B", "C"), threshold=0.5),), weights_sha256="0" * 64,
    )  # fmt: skip


@pytest.fixture(scope="module")
def country() -> Bundle:
    return make_bundle("country")


@pytest.fixture(scope="module")
def genre() -> Bundle:
    return make_bundle("genre", seed=1)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five songs of 4 to 8 s."""
    folder = tmp_path_factory.mktemp("songs")
    paths = []
    for number, country in enumerate(("TR", "CN", "IN", "TR", "CN")):
        paths.append(folder / f"{number}.wav")
        soundfile.write(paths[-1], synthesize(country, artist=number, track=0, seconds=4 + number), SAMPLE_RATE)
    return paths


def ask(bundles: Bundle | list[Bundle], *, file_by_file: bool = True, **options: object) -> Classifier:
    classifier = Classifier(bundles, workers=2, **options)  # type: ignore[arg-type]
    assert classifier._file_by_file, "models on the CPU are asked file by file"
    classifier._file_by_file = file_by_file
    return classifier


def same(left: Prediction | Failure, right: Prediction | Failure) -> None:
    assert isinstance(left, Prediction)
    assert isinstance(right, Prediction)
    assert list(left.fields) == list(right.fields)
    for task, field in left.fields.items():
        np.testing.assert_allclose(field.probabilities, right.fields[task].probabilities, atol=1e-4)


# ---- files ------------------------------------------------------------------------------------------------------


@MODES
def test_each_file_is_answered_in_its_place_whatever_it_holds(
    country: Bundle, genre: Bundle, songs: list[Path], tmp_path: Path, file_by_file: bool
) -> None:
    bad, silent, gone = tmp_path / "bad.mp3", tmp_path / "silent.wav", tmp_path / "gone.wav"
    bad.write_bytes(b"nothing to hear")
    soundfile.write(silent, np.zeros(5 * SAMPLE_RATE), SAMPLE_RATE)
    paths = [bad, songs[0], silent, songs[1], gone, songs[2], songs[3]]
    answers = list(ask([country, genre], file_by_file=file_by_file, batch_size=3).predict_many(paths))
    assert [found.path for found in answers] == paths
    kinds = [Failure, Prediction, Prediction, Prediction, Failure, Prediction, Prediction]
    assert [type(found) for found in answers] == kinds
    assert isinstance(answers[0], Failure)
    assert answers[0].reason.startswith("not audio")  # without the path, which stands beside it
    assert isinstance(answers[4], Failure)
    assert answers[4].reason == "No such file or directory"
    assert isinstance(answers[2], Prediction)
    assert (answers[2].note, answers[2].fields) == ("silence", {})
    for place in (1, 3, 5, 6):
        same(answers[place], Classifier([country, genre]).predict(paths[place]))
        assert answers[place].note == ""  # type: ignore[union-attr]
    assert not np.allclose(
        answers[1].fields["country"].probabilities,  # type: ignore[union-attr]
        answers[3].fields["country"].probabilities,  # type: ignore[union-attr]
        atol=1e-3,
    ), "or answers could be exchanged unnoticed"


def test_one_file_that_fails_is_an_error_that_names_it_once(country: Bundle, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"nothing to hear")
    with pytest.raises(AudioError) as caught:
        Classifier(country).predict(bad)
    assert str(caught.value).count(str(bad)) == 1
    assert "not audio" in str(caught.value)


@MODES
def test_an_error_that_nobody_foresaw_is_named_by_its_kind(
    country: Bundle, songs: list[Path], monkeypatch: pytest.MonkeyPatch, file_by_file: bool
) -> None:
    load = hearing.load_excerpt

    def breaking(path: Path, **options: float) -> np.ndarray:
        if path == songs[1]:
            raise ZeroDivisionError("by a decoder")
        return load(path, **options)

    monkeypatch.setattr(hearing, "load_excerpt", breaking)
    answers = list(ask(country, file_by_file=file_by_file).predict_many(songs[:3]))
    assert isinstance(answers[1], Failure)
    assert answers[1].reason == "ZeroDivisionError: by a decoder"
    assert [type(found) for found in answers] == [Prediction, Failure, Prediction]


@MODES
def test_a_file_that_takes_too_long_is_given_up(
    country: Bundle, songs: list[Path], monkeypatch: pytest.MonkeyPatch, file_by_file: bool
) -> None:
    load, end = hearing.load_excerpt, threading.Event()

    def hanging(path: Path, **options: float) -> np.ndarray:
        if path == songs[0]:
            end.wait(60)
        return load(path, **options)

    monkeypatch.setattr(hearing, "load_excerpt", hanging)
    classifier = ask(country, file_by_file=file_by_file, time_limit_s=1.5)
    first = next(iter(classifier.predict_many(songs[:1])))
    end.set()
    assert isinstance(first, Failure)
    assert first.path == songs[0]
    assert first.reason.startswith("given up after 1.5 s")


@MODES
def test_what_lists_the_files_is_closed_with_the_answers(
    country: Bundle, songs: list[Path], file_by_file: bool
) -> None:
    closed: list[bool] = []

    def paths() -> Iterator[Path]:
        try:
            yield from songs * 100
        finally:
            closed.append(True)

    answers = ask(country, file_by_file=file_by_file, batch_size=2).predict_many(paths())
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_a_model_is_never_sure_whose_threshold_is_1(country: Bundle, genre: Bundle) -> None:
    def with_threshold(bundle: Bundle, threshold: float) -> Bundle:
        return replace(bundle, heads=tuple(replace(head, threshold=threshold) for head in bundle.heads))

    assert Classifier([country, genre]).never_sure == ()
    assert Classifier([with_threshold(country, 1.0), genre]).never_sure == ("country",)
    assert Classifier([country, with_threshold(genre, 1.0)]).never_sure == ("genre",)
    assert Classifier(with_threshold(country, 0.999)).never_sure == ()


def test_defaults_are_those_that_the_commands_promise(country: Bundle) -> None:
    classifier = Classifier(country)
    assert (classifier.excerpt_seconds, classifier.time_limit_s) == (30.0, 300.0)
    assert classifier.workers == default_workers()
    assert Classifier(country, workers=7).workers == 7
    assert classifier.cache is None
    assert classifier.embed is False


# ---- batches ----------------------------------------------------------------------------------------------------


def test_so_many_files_go_through_a_model_together(
    country: Bundle, songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []
    whole = asking.logits_and_embeddings

    def counting(bundle: Bundle, features: torch.Tensor) -> object:
        together.append(len(features))
        return whole(bundle, features)

    monkeypatch.setattr(asking, "logits_and_embeddings", counting)
    list(ask(country, file_by_file=False, batch_size=3).predict_many(songs))
    # Segments of 2 s in songs of 4, 5, 6, 7 and 8 s.
    assert together == [2 + 2 + 3, 3 + 4]


def test_on_a_cpu_each_file_goes_alone_and_no_more_at_once_than_was_said(
    country: Bundle, songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []
    running: list[int] = []
    lock, whole = threading.Lock(), asking.logits_and_embeddings
    n_running = 0

    def counting(bundle: Bundle, features: torch.Tensor) -> object:
        nonlocal n_running
        with lock:
            n_running += 1
            running.append(n_running)
            together.append(len(features))
        found = whole(bundle, features)
        with lock:
            n_running -= 1
        return found

    monkeypatch.setattr(asking, "logits_and_embeddings", counting)
    list(Classifier(country, workers=1).predict_many(songs * 2))
    assert sorted(together) == sorted([2, 2, 3, 3, 4] * 2)
    assert set(running) == {1}


def test_two_models_of_one_task_are_refused_with_the_way_out(country: Bundle, genre: Bundle) -> None:
    with pytest.raises(ModelError, match="two models predict country") as caught:
        Classifier([country, genre, make_bundle("country", seed=2)])
    assert caught.value.hint == "name one --model per field"


def test_no_more_than_two_batches_are_decoded_ahead(country: Bundle, tmp_path: Path) -> None:
    read: list[int] = []

    def paths() -> Iterator[Path]:
        for number in range(500):
            read.append(number)
            yield tmp_path / "gone.wav"

    answers = ask(country, file_by_file=False, batch_size=10).predict_many(paths())
    next(answers)
    assert 20 <= len(read) <= 30
    answers.close()  # type: ignore[attr-defined]


@MODES
def test_the_embedding_is_that_of_the_last_model(
    country: Bundle, genre: Bundle, songs: list[Path], file_by_file: bool
) -> None:
    both = ask([country, genre], file_by_file=file_by_file, embed=True, batch_size=2)
    alone = [list(ask(of, file_by_file=file_by_file, embed=True).predict_many(songs)) for of in (country, genre)]
    for found, first, last in zip(both.predict_many(songs), *alone, strict=True):
        assert isinstance(found, Prediction)
        assert found.embedding is not None
        np.testing.assert_allclose(found.embedding, last.embedding, atol=1e-4)  # type: ignore[union-attr]
        assert not np.allclose(found.embedding, first.embedding, atol=1e-3)  # type: ignore[union-attr]


# ---- what is heard once -----------------------------------------------------------------------------------------


@MODES
def test_nothing_is_decoded_that_the_cache_knows(
    country: Bundle, songs: list[Path], tmp_path: Path, decoded: list[Path], file_by_file: bool
) -> None:
    other = make_bundle("genre", segment_seconds=3.0)
    expected = list(ask([country, other]).predict_many(songs))
    decoded.clear()
    with HeardCache(tmp_path / "features.sqlite") as cache:
        list(ask(country, file_by_file=file_by_file, cache=cache).predict_many(songs[:2]))
        assert sorted(decoded) == songs[:2]
        decoded.clear()
        list(ask(country, file_by_file=file_by_file, cache=cache).predict_many(songs[:2]))
        assert decoded == []
        # Of two files one half is known, of the others nothing; files of both kinds go through together.
        for _ in range(2):
            found = list(ask([country, other], file_by_file=file_by_file, cache=cache).predict_many(songs))
            for left, right in zip(found, expected, strict=True):
                same(left, right)
        assert sorted(decoded) == songs, "once each"


@MODES
def test_models_that_hear_alike_share_what_is_heard(
    country: Bundle, genre: Bundle, songs: list[Path], decoded: list[Path], file_by_file: bool
) -> None:
    finer = make_bundle("mood", front_end=replace(MEL, n_fft=1024))
    list(ask([country, genre, finer], file_by_file=file_by_file).predict_many(songs[:2]))
    assert sorted(decoded) == songs[:2], "one decoding for all front ends at one rate"
    decoded.clear()
    slower = make_bundle("mood", front_end=replace(MEL, sample_rate=16_000))
    list(ask([country, slower], file_by_file=file_by_file).predict_many(songs[:2]))
    assert sorted(decoded) == sorted(songs[:2] * 2), "another for another rate"


def test_a_front_end_is_run_once_for_models_that_share_it(country: Bundle, genre: Bundle, songs: list[Path]) -> None:
    runs: list[int] = []

    def front_end(segments: torch.Tensor) -> torch.Tensor:
        runs.append(len(segments))
        return country.front_end(segments)

    heard = hear(songs[2], [Hearing.of(of, excerpt_seconds=30) for of in (country, genre)], [front_end, front_end])  # type: ignore[list-item]
    assert runs == [3]
    assert heard[0] is heard[1]
    assert heard[0].features.shape[0] == 3


def test_what_was_heard_is_known_by_all_that_it_depends_on(country: Bundle) -> None:
    own = Hearing.of(country, excerpt_seconds=30.0)
    assert own.key == Hearing.of(make_bundle("genre", seed=5), excerpt_seconds=30.0).key, "weights have no part in it"
    others = [
        Hearing.of(country, excerpt_seconds=20.0),
        Hearing.of(make_bundle("country", segment_seconds=3.0), excerpt_seconds=30.0),
        Hearing.of(make_bundle("country", front_end=replace(MEL, n_fft=1024)), excerpt_seconds=30.0),
    ]
    assert len({own.key, *(other.key for other in others)}) == 4
    assert (own.front_end, own.segment_seconds, own.excerpt_seconds) == (MEL, 2.0, 30.0)


def test_what_an_encoder_heard_is_known_by_its_weights_wherever_they_lie() -> None:
    def key(**changes: object) -> str:
        config = EmbeddingConfig(**{"backbone": "here", "weights_sha256": "a" * 64, **changes})  # type: ignore[arg-type]
        return Hearing(front_end=config, segment_seconds=5.0, excerpt_seconds=30.0).key

    assert key() == key(backbone="there", revision="main", local_files_only=True, trust_remote_code=True)
    assert len({key(), key(weights_sha256="b" * 64), key(layers=(1,)), key(pooling="mean+std"), key(width=3)}) == 5
    assert key(weights_sha256="") != key(weights_sha256="", backbone="there"), "of unknown weights"


def test_without_a_cache_nothing_is_known(country: Bundle, tmp_path: Path) -> None:
    hearings = [Hearing.of(country, excerpt_seconds=seconds) for seconds in (10.0, 20.0, 30.0)]
    assert remembered(tmp_path / "gone.wav", hearings, None) == [None, None, None]


def test_each_hearing_gets_segments_of_its_own_excerpt(country: Bundle, songs: list[Path]) -> None:
    hearings = [
        Hearing(front_end=MEL, segment_seconds=segment, excerpt_seconds=excerpt)
        for segment, excerpt in ((2.0, 30.0), (1.0, 30.0), (1.0, 4.0), (2.0, 4.0))
    ]
    cut = cut_file(songs[4], hearings)  # of 8 s
    assert [tuple(part.shape) for part in cut if isinstance(part, torch.Tensor)] == [
        (4, 2 * SAMPLE_RATE), (8, SAMPLE_RATE), (4, SAMPLE_RATE), (2, 2 * SAMPLE_RATE),
    ]  # fmt: skip
    samples, _ = soundfile.read(songs[4], dtype="float32")
    assert isinstance(cut[3], torch.Tensor)
    np.testing.assert_allclose(cut[3].ravel(), samples[2 * SAMPLE_RATE : 6 * SAMPLE_RATE], atol=1e-4)


@pytest.mark.parametrize(("seconds", "note"), [(2.99, "shorter than 3 s"), (3.0, None)])
def test_what_is_too_short_is_said_and_not_heard(
    country: Bundle, songs: list[Path], tmp_path: Path, seconds: float, note: str | None
) -> None:
    samples, _ = soundfile.read(songs[4])
    soundfile.write(tmp_path / "short.wav", samples[: round(seconds * SAMPLE_RATE)], SAMPLE_RATE)
    found = Classifier(country).predict(tmp_path / "short.wav")
    assert found.note == (note or "")
    assert bool(found.fields) == (note is None)
