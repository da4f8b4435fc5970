"""Which witness adds what to the country of a file."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutagen.id3 import ID3, TCON, TIT2
from typer.testing import CliRunner

from geoclass.evidence.opinion import background, country_index
from geoclass.evidence.registry import WITNESSES
from geoclass.explain.explain import explain
from geoclass.explain.plots import draw_explanation
from geoclass.explain.witnesses import contributions, hear_witnesses


@pytest.fixture
def fado(music: Path, tmp_path: Path) -> Path:
    path = tmp_path / "x.mp3"
    shutil.copy(min(music.rglob("*.mp3")), path)
    tags = ID3()
    tags.add(TIT2(encoding=3, text=["Yolcu yolunda gerek, gönlüm seni özledi"]))
    tags.add(TCON(encoding=3, text=["Fado"]))
    tags.save(path)
    return path


def test_contributions_and_the_background_make_the_verdict(fado: Path) -> None:
    """The pool is log-linear: log-odds add up to the probabilities, by softmax over all countries."""
    verdict = hear_witnesses(fado, None, witnesses=tuple(WITNESSES))
    assert verdict is not None
    codes = list(country_index())
    sums = np.array([sum(one.log_odds for one in contributions(verdict, code)) for code in codes])
    logits = np.log(background()) + sums
    expected = np.exp(logits - logits.max())
    assert verdict.probabilities == pytest.approx(expected / expected.sum())


def test_the_title_speaks_for_one_country_and_the_genre_for_another(fado: Path) -> None:
    verdict = hear_witnesses(fado, None, witnesses=tuple(WITNESSES))
    assert verdict is not None
    turkey, portugal = (contributions(verdict, code) for code in ("TR", "PT"))
    assert (turkey[0].witness, portugal[0].witness) == ("language", "words")
    assert turkey[0].log_odds > 0 > turkey[-1].log_odds
    assert "Turkish" in turkey[0].because


def test_only_who_is_asked_speaks(fado: Path) -> None:
    verdict = hear_witnesses(fado, None, witnesses=("words",))
    assert verdict is not None
    assert {one.witness for one in contributions(verdict, "PT")} == {"words"}
    assert hear_witnesses(fado, None, witnesses=("sound",)) is None


def test_a_file_whose_tags_cannot_be_read_still_has_a_name(tmp_path: Path) -> None:
    path = tmp_path / "Yolcu yolunda gerek gönlüm seni özledi.mp3"
    path.write_bytes(b"not sound")
    verdict = hear_witnesses(path, None, witnesses=tuple(WITNESSES))
    assert verdict is not None
    assert verdict.candidates(1)[0][0] == "TR"


def test_the_figure_shows_the_witnesses(small_run: Any, fado: Path, tmp_path: Path) -> None:
    found = explain(small_run.bundle, fado)
    verdict = hear_witnesses(fado, found.prediction, witnesses=tuple(WITNESSES))
    front_end = small_run.bundle.front_end_config
    without = draw_explanation(found, front_end, tmp_path / "without.png").read_bytes()
    assert draw_explanation(found, front_end, tmp_path / "with.png", verdict=verdict).read_bytes() != without


@pytest.mark.parametrize(("more", "speak"), [
    ((), False), (("--evidence", "words"), True), (("--evidence", "sound"), False),
])  # fmt: skip
def test_a_named_model_speaks_alone_unless_others_are_asked(
    small_run: Any, fado: Path, tmp_path: Path, more: tuple[str, ...], speak: bool
) -> None:
    from geoclass.cli.app import app

    typed = ["explain", str(fado), "--model", str(small_run.run_dir), "--out", str(tmp_path / "x.png"), *more]
    result = CliRunner().invoke(app, typed)
    assert result.exit_code == 0, result.output
    assert ("contribution of each witness" in result.output) == speak


def test_an_unknown_witness_is_wrong_usage(fado: Path) -> None:
    from geoclass.cli.app import app

    result = CliRunner().invoke(app, ["explain", str(fado), "--evidence", "smell"])
    assert result.exit_code == 2
