"""The unpacked model of n-grams says what py3langid says, is made once, and is missed by nobody when it is damaged."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from safetensors import SafetensorError

from geoclass.evidence import ngrams

LANGUAGES = ("de", "en", "es", "fr", "ru", "sr", "tr")
TEXTS = ("La vie en rose", "Wish you were here", "Ты, я", "Aşkın kederi", "WER BIN ICH", "1999", "")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """As in a program that has only begun."""
    ngrams._model.cache_clear()
    yield
    ngrams._model.cache_clear()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the model is kept, by a program that was here before."""
    monkeypatch.setenv("GEOCLASS_HOME", str(tmp_path))
    ngrams.load(LANGUAGES)
    ngrams._model.cache_clear()
    (path,) = (tmp_path / "cache").iterdir()
    return path


@pytest.fixture(scope="module")
def theirs() -> LanguageIdentifier:
    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    model.set_languages(LANGUAGES)
    return model


def agrees(theirs: LanguageIdentifier) -> bool:
    for text in TEXTS:
        scores = dict(theirs.rank(text))
        expected = np.array([scores[code] for code in LANGUAGES]) - max(scores.values())
        np.testing.assert_allclose(ngrams.log_likelihoods(text, LANGUAGES), expected, rtol=1e-6)
    return True


def test_it_is_unpacked_once(kept: Path, theirs: LanguageIdentifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LanguageIdentifier, "from_model_file", None)  # whoever unpacks again fails
    assert agrees(theirs)


@pytest.mark.parametrize("part", [0, 100, 0.5])
def test_a_damaged_file_is_made_anew(kept: Path, theirs: LanguageIdentifier, part: float) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(part * len(whole)) if part < 1 else int(part)])
    kept.with_name(f".{kept.name}.x1.tmp").touch()  # of a program that was killed meanwhile
    assert agrees(theirs)
    assert kept.read_bytes() == whole
    assert [*kept.parent.iterdir()] == [kept]


def test_other_languages_have_a_file_of_their_own(kept: Path) -> None:
    assert ngrams.log_likelihoods("bonjour tout le monde", ("fr", "it")).argmax() == 0
    (other,) = kept.parent.iterdir()  # that of another version or of other languages is not wanted any more
    assert other != kept


def test_where_nothing_can_be_kept_it_is_read_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, theirs: LanguageIdentifier
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GEOCLASS_HOME", str(tmp_path / "file"))
    assert agrees(theirs)


def test_a_full_disk_keeps_nothing_and_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, theirs: LanguageIdentifier
) -> None:
    def no_space(*_arguments: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setenv("GEOCLASS_HOME", str(tmp_path))
    monkeypatch.setattr("safetensors.numpy.save_file", no_space)
    assert agrees(theirs)
    assert [*(tmp_path / "cache").iterdir()] == []
