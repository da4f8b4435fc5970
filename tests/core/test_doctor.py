"""The doctor says what is wrong, and only then that something is."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from geoclass import doctor
from geoclass.audio import decode
from geoclass.cli.app import app


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["doctor", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_machine_on_which_the_tests_pass_is_well() -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    for word in ("torch 2.", "mp3", "m4a", "wma", "country-traditional", "cache folder", "GB free"):
        assert word in out
    assert run("--quiet") == (0, "", "")


def test_every_suffix_that_is_decoded_is_tried_or_looked_for() -> None:
    tried = {f".{suffix}" for suffix in (*doctor._MADE_BY_SOUNDFILE, *doctor._MADE_BY_PYAV, *doctor._DECODED_ONLY)}
    other_names = {".oga", ".aif", ".aifc", ".m4b", ".mp4"}
    assert tried | other_names == decode.AUDIO_SUFFIXES


@pytest.mark.parametrize("broken", ["wrong tone", "silence", "raises"])
def test_a_decoder_that_does_not_work_is_named(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    real = decode.load_audio

    def load_audio(path: Path, **options: int) -> np.ndarray:
        if path.suffix != ".flac":
            return real(path, **options)
        if broken == "raises":
            raise OSError("libsndfile is from 1999")
        return np.zeros(22_050, np.float32) if broken == "silence" else real(path, **options)[::2]

    monkeypatch.setattr(decode, "load_audio", load_audio)
    code, out, err = run()
    assert code == 3
    assert "error: decode flac: " in err
    assert err.count("error:") == 1
    assert "hint: " in err
    assert "decode mp3" in out


def test_a_damaged_model_and_a_folder_that_cannot_be_written_are_named(geoclass_home: Path) -> None:
    (model := geoclass_home / "data" / "models" / "mine").mkdir(parents=True)
    (model / "bundle.json").write_text("{}")
    (geoclass_home / "state").write_text("a file, not a folder")
    code, _, err = run("--quiet")
    assert code == 3
    assert "error: model mine: " in err
    assert "error: state folder: " in err
    assert "GEOCLASS_HOME" in err


def test_missing_extras_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.metadata.version

    def version(name: str) -> str:
        if name in ("spotipy", "mutagen"):
            raise doctor.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    code, out, err = run()
    assert code == 3
    assert "spotipy: not installed (optional: geoclass[spotify])" in out
    assert "error: mutagen" in err
