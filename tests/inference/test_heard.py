"""The cache of what was heard: nothing is decoded twice, no sound gets the features of another."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from tagging_helpers import encode

from geoclass.bundle.bundle import Bundle
from geoclass.inference.classifier import Classifier
from geoclass.inference.heard import MAX_ENTRY_BYTES, Heard, HeardCache
from geoclass.inference.prediction import Failure, Prediction

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "features.sqlite"


def test_what_was_put_in_comes_out_in_another_run(path: Path) -> None:
    with HeardCache(path) as cache:
        cache.put(b"a", "texture", Heard(features=ROWS))
        cache.put(b"a", "other", Heard(features=np.zeros(0, np.float32), note="silence"))
        cache.put(b"b", "texture", Heard(features=-ROWS))
        assert cache.get(b"a", "texture") is not None, "not written yet, known all the same"
    with HeardCache(path) as cache:
        found = [cache.get(sound, how) for sound, how in ((b"a", "texture"), (b"a", "other"), (b"b", "texture"))]
        assert cache.get(b"b", "other") is None
        info = cache.info()
    assert all(found)
    np.testing.assert_array_equal(found[0].features, ROWS)
    np.testing.assert_array_equal(found[2].features, -ROWS)
    assert found[1].note == "silence"
    assert (info.sounds, info.entries, info.path) == (2, 3, path)


def test_features_of_any_shape_and_precision_come_out_as_float32(path: Path) -> None:
    cube = np.arange(24, dtype=np.float64).reshape(2, 3, 4) / 7
    with HeardCache(path) as cache:
        cache.put(b"a", "mel", Heard(features=cube.transpose(0, 2, 1)))
    with HeardCache(path) as cache:
        found = cache.get(b"a", "mel")
    assert found is not None
    assert found.features.dtype == np.float32
    np.testing.assert_array_equal(found.features, cube.transpose(0, 2, 1).astype(np.float32))


def test_a_file_is_read_again_only_when_it_has_changed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = tmp_path / "song.bin"
    song.write_bytes(b"a" * 100)
    read: list[bytes] = []

    def sound_id(of: Path) -> bytes:
        read.append(of.read_bytes())
        return bytes(16 - len(read)) + bytes(range(1, len(read) + 1))

    monkeypatch.setattr("geoclass.inference.heard.sound_id", sound_id)
    with HeardCache(path) as cache:
        first = cache.sound_of(song)
        assert cache.sound_of(song) == first
    with HeardCache(path) as cache:
        assert cache.sound_of(song) == first
        assert len(read) == 1
        song.write_bytes(b"b" * 101)
        assert cache.sound_of(song) != first
    assert read == [b"a" * 100, b"b" * 101]


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = tmp_path / "song.bin"
    song.write_bytes(b"a")
    sizes = iter((2, 3, 4))

    def sound_id(of: Path) -> bytes:
        of.write_bytes(b"a" * next(sizes))
        return of.read_bytes().rjust(16, b"-")

    monkeypatch.setattr("geoclass.inference.heard.sound_id", sound_id)
    with HeardCache(path) as cache:
        assert cache.sound_of(song).endswith(b"-aa")
        assert cache.sound_of(song).endswith(b"-aaa")


def test_spectrograms_are_not_kept(path: Path) -> None:
    with HeardCache(path) as cache:
        cache.put(b"a", "mel", Heard(features=np.zeros((1, MAX_ENTRY_BYTES // 4 + 1), np.float32)))
        cache.put(b"b", "mel", Heard(features=np.zeros((1, MAX_ENTRY_BYTES // 4), np.float32)))
        assert cache.get(b"a", "mel") is None
        assert cache.get(b"b", "mel") is not None


def test_the_size_is_bounded_and_the_oldest_go_first(path: Path) -> None:
    limit = 400_000
    with HeardCache(path, max_bytes=limit) as cache:
        cache.put(b"old", "x", Heard(features=ROWS))
        cache.flush()
        with sqlite3.connect(path) as other:
            other.execute("UPDATE features SET used = 1")
        for index in range(300):
            cache.put(b"%d" % index, "x", Heard(features=np.zeros((1, 1_000), np.float32)))
        info = cache.info()
        assert cache.get(b"old", "x") is None
        assert cache.get(b"299", "x") is not None
    assert 0 < info.n_bytes <= limit
    assert info.entries > 50


def test_what_is_used_stays(path: Path) -> None:
    with HeardCache(path) as cache:
        cache.put(b"used", "x", Heard(features=np.zeros((1, 1_000), np.float32)))
        for index in range(50):
            cache.put(b"unused %d" % index, "x", Heard(features=np.zeros((1, 1_000), np.float32)))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE features SET used = 1")
    with HeardCache(path) as cache:
        assert cache.get(b"used", "x")
    with HeardCache(path, max_bytes=150_000) as cache:
        cache.put(b"new", "x", Heard(features=np.zeros((1, 3_000), np.float32)))
        cache.flush()
        assert cache.get(b"unused 0", "x") is None
        assert cache.get(b"used", "x") is not None


def test_a_damaged_database_is_made_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 1_000)
    with HeardCache(path) as cache:
        cache.put(b"a", "x", Heard(features=ROWS))
        cache.flush()
        assert not cache.problem
        assert cache.info().entries == 1


@pytest.mark.parametrize("obstacle", ["folder", "read-only", "full"])
def test_a_cache_that_cannot_be_written_stops_nothing(
    obstacle: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle == "folder":
        path.parent.write_text("a file where the folder should be")
    elif obstacle == "read-only":
        path.mkdir(parents=True)
    cache = HeardCache(path)
    if obstacle == "full":
        assert cache._database._connection is not None
        cache._database._connection.execute("PRAGMA max_page_count = 8")
        for index in range(64):
            cache.put(b"%d" % index, "x", Heard(features=np.ones((1, 5_000), np.float32)))
        assert "full" in cache.problem
    assert cache.problem
    cache.put(b"a", "x", Heard(features=ROWS))
    cache.flush()
    assert cache.get(b"a", "x") is None
    cache.close()


def test_many_threads_and_two_runs_at_once(path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path; from geoclass.inference.heard import Heard, HeardCache\n"
        "with HeardCache(Path(sys.argv[1])) as cache:\n"
        "    for i in range(300): cache.put(b'%d' % i, sys.argv[2], Heard(features=np.full((2, 50), i, np.float32)))\n"
        "    sys.exit(bool(cache.problem))\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b")]
    with HeardCache(path) as cache:

        def work(name: str) -> None:
            for index in range(200):
                cache.put(b"%d" % index, name, Heard(features=np.full((2, 50), index, np.float32)))
                assert cache.get(b"%d" % index, name) is not None

        threads = [threading.Thread(target=work, args=(f"thread{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [run.wait(600) for run in runs] == [0, 0]
        assert cache.info().entries == 2 * 300 + 4 * 200
        for index in range(300):
            for name in ("a", "b"):
                heard = cache.get(b"%d" % index, name)
                assert heard is not None
                assert (heard.features == index).all()


def test_a_killed_run_leaves_a_whole_database(path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path; from geoclass.inference.heard import Heard, HeardCache\n"
        "cache = HeardCache(Path(sys.argv[1])); i = 0\n"
        "while True:\n"
        "    cache.put(b'%d' % i, 'x', Heard(features=np.full((2, 500), i, np.float32))); i += 1\n"
        "    if i == 1000: print('going', flush=True)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.readline()
    os.kill(run.pid, signal.SIGKILL)
    run.wait(600)
    run.stdout.close()
    with HeardCache(path) as cache:
        assert cache.info().entries >= 900
        heard = cache.get(b"900", "x")
        assert heard is not None
        assert (heard.features == 900).all()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_clear_forgets_and_gives_the_space_back(path: Path) -> None:
    with HeardCache(path) as cache:
        for index in range(200):
            cache.put(b"%d" % index, "x", Heard(features=np.ones((1, 2_000), np.float32)))
        before = cache.info()
        assert cache.clear() == 200
        after = cache.info()
    assert after.entries == 0
    assert after.n_bytes < before.n_bytes / 10


# ---- with files and models --------------------------------------------------------------------------------------


@pytest.fixture
def classifiers():
    return Bundle.load("country-traditional"), Bundle.load("genre-gtzan")


def test_a_sound_is_decoded_once_whatever_happens_to_its_file(
    path: Path, tmp_path: Path, music: Path, decoded: list[Path], classifiers: tuple[Bundle, Bundle]
) -> None:
    files = [tmp_path / f"{index}.mp3" for index in range(3)]
    for source, file in zip(sorted(music.rglob("*.mp3")), files, strict=False):
        shutil.copy(source, file)
    plain = list(Classifier(classifiers).predict_many(files))
    decoded.clear()
    with HeardCache(path) as cache:
        first = list(Classifier(classifiers, cache=cache).predict_many(files))
    assert sorted(decoded) == files
    decoded.clear()
    moved = tmp_path / "elsewhere" / "song.mp3"
    moved.parent.mkdir()
    shutil.move(files[0], moved)
    with open(files[1], "ab") as file:
        file.write(b"TAG" + b"a title".ljust(125, b"\0"))
    files[2].unlink()
    shutil.copy(files[1], files[2])  # the name of the third, the sound of the second
    with HeardCache(path) as cache:
        again = list(Classifier(classifiers, cache=cache).predict_many([moved, files[1], files[2]]))
    assert decoded == []
    expected = [plain[0], plain[1], plain[1]]
    for left, middle, right in zip(expected, again, [first[0], first[1], first[1]], strict=True):
        assert isinstance(left, Prediction)
        for task, field in left.fields.items():
            np.testing.assert_array_equal(field.probabilities, middle.fields[task].probabilities)
            np.testing.assert_array_equal(field.probabilities, right.fields[task].probabilities)


def test_another_excerpt_or_front_end_is_heard_anew(
    path: Path, tmp_path: Path, music: Path, decoded: list[Path], classifiers: tuple[Bundle, Bundle]
) -> None:
    file = sorted(music.rglob("*.mp3"))[0]
    country, genre = classifiers
    with HeardCache(path) as cache:
        Classifier(country, cache=cache).predict(file)
        Classifier(country, cache=cache).predict(file)
        assert len(decoded) == 1
        Classifier(genre, cache=cache).predict(file)
        assert len(decoded) == 2
        Classifier(genre, cache=cache, excerpt_seconds=4.0).predict(file)
        assert len(decoded) == 3


def test_silence_is_remembered_and_failures_are_not(path: Path, tmp_path: Path, decoded: list[Path]) -> None:
    import soundfile

    silent, broken = tmp_path / "silent.wav", tmp_path / "broken.mp3"
    soundfile.write(silent, np.zeros(22_050 * 5, np.float32), 22_050)
    broken.write_bytes(encode("mp3")[:300])
    for _ in range(2):
        with HeardCache(path) as cache:
            classifier = Classifier(Bundle.load("genre-gtzan"), cache=cache)
            first, second = classifier.predict_many([silent, broken])
            assert isinstance(first, Prediction)
            assert first.note == "silence"
            assert isinstance(second, Failure)
    assert decoded == [silent, broken, broken] or sorted(decoded) == [broken, broken, silent]


def test_batches_for_a_gpu_use_the_cache_too(
    path: Path, music: Path, decoded: list[Path], monkeypatch: pytest.MonkeyPatch, classifiers: tuple[Bundle, Bundle]
) -> None:
    files = sorted(music.rglob("*.mp3"))[:5]
    expected = list(Classifier(classifiers).predict_many(files))
    decoded.clear()
    answers = []
    for some in (files[:3], files, files):
        with HeardCache(path) as cache:
            classifier = Classifier(classifiers, batch_size=4, cache=cache)
            monkeypatch.setattr(classifier, "_file_by_file", False)
            answers = list(classifier.predict_many(some))
    assert sorted(decoded) == files
    for left, right in zip(expected, answers, strict=True):
        np.testing.assert_allclose(
            left.fields["country"].probabilities, right.fields["country"].probabilities, atol=1e-5
        )


def test_the_commands_show_and_clear_it(music: Path) -> None:
    def run(*words: str) -> str:
        line = [sys.executable, "-m", "geoclass", *words]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    assert "0 (0 sets" in run("cache", "info")
    files = [str(file) for file in sorted(music.rglob("*.mp3"))[:3]]
    run("tag", "--dry-run", *files)
    assert "3 (" in run("cache")
    assert "removed" in run("cache", "clear")
    assert "0 (0 sets" in run("cache", "info")
