"""`tag --language-model`: what is sung is a witness among the others, asked where the others are not sure."""

import json
import sys
from pathlib import Path

import pytest
from mutagen.id3 import ID3, TXXX
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.evidence import sung_language
from geoclass.evidence.facts import Facts
from geoclass.geo.countries import country_codes
from geoclass.inference.heard import Heard, HeardCache
from geoclass.inference.sung import Listener

pytest.importorskip("transformers")
sys.path.insert(0, str(Path(__file__).parents[1] / "features"))

from whispers import save


@pytest.fixture(scope="module")
def turkish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("whisper"), says="tr")


def tag(music: Path, *options: object) -> tuple[int, list[dict[str, object]], str]:
    result = CliRunner().invoke(app, ["tag", str(music), "--dry-run", "--json", *map(str, options)])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_it_speaks_for_the_countries_where_the_language_is_spoken() -> None:
    (found,) = sung_language.opinions(Facts(sung={"tr": 0.97, "en": 0.03}))
    best = country_codes()[int(found.log_weights.argmax())]
    assert best == "TR"
    assert found.witness == "sung-language"
    assert found.because == "it is sung in Turkish"
    assert found.says(1)[0][1] > 0.7


@pytest.mark.parametrize("sung", [{}, {"tr": 0.4, "az": 0.35, "fa": 0.25}])
def test_it_is_silent_where_no_language_is_likely(sung: dict[str, float]) -> None:
    assert list(sung_language.opinions(Facts(sung=sung))) == []


def test_of_a_language_that_nobody_maps_it_says_nothing_of_a_country() -> None:
    for found in sung_language.opinions(Facts(sung={"la": 1.0})):
        assert abs(found.log_weights).max() < 1e-6


def test_the_command_gives_it_as_a_reason(turkish: Path, music: Path) -> None:
    options = ("--evidence", "sung-language", "--language-model", turkish, "--fields", "country")
    code, lines, err = tag(music / "IN", *options)
    assert code == 0, err
    assert lines
    for line in lines:
        country = line["fields"]["country"]  # type: ignore[index]
        assert country["candidates"][0][0] == "TR"
        assert [of["witness"] for of in country["evidence"]] == ["sung-language"]
        assert "sung in Turkish" in country["evidence"][0]["because"]


def test_a_sound_is_heard_once(turkish: Path, music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sorted(music.rglob("*.mp3"))[0]
    with HeardCache() as cache:
        listener = Listener(str(turkish), cache=cache)
        first = listener(path)
        assert max(first, key=lambda language: first[language]) == "tr"
        monkeypatch.setattr(Listener, "_hear", lambda *_: pytest.fail("heard again"))
        assert listener(path) == first


def test_another_excerpt_is_heard_anew(turkish: Path, music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sorted(music.rglob("*.mp3"))[0]
    asked: list[float] = []
    hear = Listener._hear

    def counting(self: Listener, path: Path) -> Heard:
        asked.append(self._excerpt_seconds)
        return hear(self, path)

    monkeypatch.setattr(Listener, "_hear", counting)
    with HeardCache() as cache:
        for seconds in (6.0, 4.0, 6.0):
            Listener(str(turkish), cache=cache, excerpt_seconds=seconds)(path)
    assert asked == [6.0, 4.0]


def test_what_is_no_music_has_no_language(turkish: Path, tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "silence.wav", np.zeros(160_000), 16_000)
    (tmp_path / "broken.mp3").write_bytes(b"no sound")
    listener = Listener(str(turkish))
    assert listener(tmp_path / "silence.wav") == {}
    assert listener(tmp_path / "broken.mp3") == {}


def test_the_option_and_the_witness_belong_together(turkish: Path, music: Path) -> None:
    code, _, err = tag(music, "--evidence", "sung-language,language")
    assert code == 2
    assert "--language-model" in err
    code, _, err = tag(music, "--evidence", "language", "--language-model", turkish)
    assert code == 2
    assert "--evidence sung-language" in err


def test_explain_and_evaluate_ask_it_too(turkish: Path, music: Path, tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes(sorted((music / "IN").rglob("*.mp3"))[0].read_bytes())
    tags = ID3()
    tags.add(TXXX(encoding=3, desc="ARTISTCOUNTRY", text=["TR"]))
    tags.save(song)
    model = ("--language-model", str(turkish))
    picture = ("--out", str(tmp_path / "song.png"))
    run = CliRunner().invoke
    explained = run(app, ["explain", str(song), "--task", "country", *model, *picture])
    assert explained.exit_code == 0, explained.output
    assert "it is sung in Turkish" in explained.stdout
    assert "sung" not in run(app, ["explain", str(song), "--task", "country", *picture]).stdout
    scored = run(app, ["evaluate", "--library", str(song), "--bootstrap", "0", *model])
    assert scored.exit_code == 0, scored.output
    assert "sung-language alone" in scored.stdout
    assert run(app, ["evaluate", "--dataset", str(tmp_path), *model]).exit_code == 2
