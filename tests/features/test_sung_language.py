"""The sung language: tiny Whisper models, transformers' own way of telling the language as the oracle."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

transformers = pytest.importorskip("transformers")

from whispers import FIRST_LANGUAGE, save  # noqa: E402

from geoclass.errors import ModelError  # noqa: E402
from geoclass.features import sung_language  # noqa: E402
from geoclass.features.base import in_half_precision  # noqa: E402
from geoclass.features.sung_language import SungLanguage  # noqa: E402

RATE = 16_000  # Hz


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("whisper"))


def sound(seconds: float, *, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def test_it_is_the_softmax_over_the_language_tokens(whisper: Path) -> None:
    language = SungLanguage(str(whisper))
    found = language.probabilities(sound(10))
    model = transformers.WhisperForConditionalGeneration.from_pretrained(whisper).eval()
    inputs = transformers.WhisperFeatureExtractor()(sound(10).numpy(), sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        start = torch.tensor([[50_258]])
        logits = model(input_features=inputs["input_features"], decoder_input_ids=start).logits[0, 0]
        detected = model.detect_language(input_features=inputs["input_features"])
    expected = logits[FIRST_LANGUAGE : FIRST_LANGUAGE + 99].double().softmax(dim=0)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)
    assert int(found.argmax()) == int(detected) - FIRST_LANGUAGE
    assert float(found.sum()) == pytest.approx(1)
    assert len(language.languages) == 99
    assert language.languages[:5] == ("en", "zh", "de", "es", "ru")


def test_codes_are_those_of_iso_639(whisper: Path) -> None:
    languages = SungLanguage(str(whisper)).languages
    assert "jv" in languages, "Javanese"
    assert "jw" not in languages


def test_version_3_hears_more_bands_and_counts_cantonese_as_chinese(tmp_path: Path) -> None:
    language = SungLanguage(str(save(tmp_path / "cantonese", says="yue", version=3)))
    assert len(language.languages) == 99
    found = language.probabilities(sound(3))
    assert language.languages[int(found.argmax())] == "zh"
    assert float(found.max()) > 0.99
    turkish = SungLanguage(str(save(tmp_path / "turkish", says="tr", version=3)))
    assert turkish.languages[int(turkish.probabilities(sound(3)).argmax())] == "tr"


def test_longer_sounds_are_heard_window_by_window(whisper: Path) -> None:
    language = SungLanguage(str(whisper))
    first, second = sound(30, seed=1), sound(10, seed=2)
    apart = 0.75 * language.probabilities(first) + 0.25 * language.probabilities(second)
    torch.testing.assert_close(language.probabilities(torch.cat([first, second])), apart, rtol=1e-4, atol=1e-7)


def test_what_a_model_is_sure_of_is_said(tmp_path: Path) -> None:
    language = SungLanguage(str(save(tmp_path, says="tr")))
    found = language.probabilities(sound(5))
    assert language.languages[int(found.argmax())] == "tr"
    assert float(found.max()) > 0.99
    assert np.isfinite(found.numpy()).all()


def test_half_precision_says_the_same(whisper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    language = SungLanguage(str(whisper))
    in_full = language.probabilities(sound(5))
    autocast, kinds = torch.autocast, []

    def on_the_cpu(kind: str, dtype: torch.dtype) -> torch.autocast:
        kinds.append((kind, dtype))
        return autocast("cpu", torch.bfloat16)

    monkeypatch.setattr(torch, "autocast", on_the_cpu)
    as_on_a_gpu = partial(in_half_precision, device=torch.device("cuda"))
    monkeypatch.setattr(sung_language, "in_half_precision", lambda compute, device: as_on_a_gpu(compute))
    with sdpa_kernel(SDPBackend.MATH):  # others ask the processor for more than it may use
        in_half = language.probabilities(sound(5))
    assert kinds == [("cuda", torch.float16)]
    torch.testing.assert_close(in_half, in_full, rtol=0.05, atol=0.0)
    assert not torch.equal(in_half, in_full)
    assert float(in_half.sum()) == pytest.approx(1)


def test_a_model_that_names_no_languages_is_refused(tmp_path: Path) -> None:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(save(tmp_path / "all"))
    model.generation_config.lang_to_id = None
    model.save_pretrained(tmp_path / "english")
    transformers.WhisperFeatureExtractor().save_pretrained(tmp_path / "english")
    with pytest.raises(ModelError, match="does not identify languages") as caught:
        SungLanguage(str(tmp_path / "english"))
    assert "multilingual" in (caught.value.hint or "")


def test_a_model_that_says_it_knows_english_alone_is_refused(tmp_path: Path) -> None:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(save(tmp_path))
    model.generation_config.is_multilingual = False
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"does not identify languages: .* English alone"):
        SungLanguage(str(tmp_path))


def test_what_is_no_whisper_is_one_error(tmp_path: Path) -> None:
    transformers.HubertConfig().save_pretrained(tmp_path / "hubert")
    for name in ("model.safetensors", "preprocessor_config.json"):
        (tmp_path / "hubert" / name).write_text("{}")
    with pytest.raises(ModelError, match=r"is not a Whisper: its config\.json says hubert"):
        SungLanguage(str(tmp_path / "hubert"))
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        SungLanguage(str(tmp_path))
    assert "--language-model PATH-OR-ID" in (caught.value.hint or "")
