"""Frozen pretrained encoders as a front end: tiny ones of each family, transformers itself as the oracle."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

transformers = pytest.importorskip("transformers")

from encoders import FAMILIES, SMALL, save  # noqa: E402

from geoclass.config.frontends import EmbeddingConfig  # noqa: E402
from geoclass.errors import ConfigError, ModelError  # noqa: E402
from geoclass.features.embedding import Embedding  # noqa: E402
from geoclass.features.registry import create_front_end, resolve_front_end  # noqa: E402
from geoclass.models.registry import default_model  # noqa: E402


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {family: save(family, tmp_path_factory.mktemp("encoders") / family) for family in FAMILIES}


def sound(front_end: Embedding, *, seconds: float = 2.0, n: int = 3) -> Tensor:
    waveform = 0.1 * torch.randn(n, round(seconds * front_end.sample_rate), generator=torch.Generator().manual_seed(0))
    waveform[1] *= torch.linspace(0, 1, waveform.shape[1])
    return waveform


def states(folder: Path, waveform: Tensor) -> tuple[list[Tensor], Tensor]:
    """What transformers says of each sound alone: hidden states (n_layers + 1 of them) and the last one."""
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    outputs = []
    for one in waveform:
        inputs = extractor(one.numpy(), sampling_rate=extractor.sampling_rate, return_tensors="pt")
        with torch.no_grad():
            outputs.append(model(**inputs, output_hidden_states=True))
    hidden = [torch.cat([output.hidden_states[layer] for output in outputs]) for layer in range(4)]
    return hidden, torch.cat([output.last_hidden_state for output in outputs])


@pytest.mark.parametrize("family", FAMILIES)
def test_it_says_what_transformers_says(saved: dict[str, Path], family: str) -> None:
    front_end = create_front_end(EmbeddingConfig(backbone=str(saved[family])))
    assert isinstance(front_end, Embedding)
    assert front_end.sample_rate == (24_000 if family == "mert" else 16_000)
    waveform = sound(front_end)
    hidden, last = states(saved[family], waveform)
    torch.testing.assert_close(front_end(waveform), last.mean(dim=1), rtol=0, atol=1e-5)

    config = EmbeddingConfig(backbone=str(saved[family]), layers=(0, 1, 2), pooling="mean+std")
    both = create_front_end(config)(waveform)
    mean_of_layers = (hidden[0] + hidden[1] + hidden[2]) / 3
    expected = torch.cat([mean_of_layers.mean(dim=1), mean_of_layers.std(dim=1, correction=0)], dim=1)
    torch.testing.assert_close(both, expected, rtol=0, atol=1e-5)
    assert both.shape == (3, *create_front_end(config).feature_shape(waveform.shape[1]))


def test_the_last_layer_by_either_name_is_what_the_encoder_gives_out(saved: dict[str, Path]) -> None:
    for family in ("mert", "ast"):  # a layer norm follows their last layer
        front_ends = [
            create_front_end(EmbeddingConfig(backbone=str(saved[family]), layers=layers))
            for layers in ((-1,), (3,), (3, 3))
        ]
        rows = [front_end(sound(front_ends[0])) for front_end in front_ends]  # type: ignore[arg-type]
        torch.testing.assert_close(rows[0], rows[1])
        torch.testing.assert_close(rows[0], rows[2])
    first = [create_front_end(EmbeddingConfig(backbone=str(saved["ast"]), layers=layers)) for layers in ((0,), (-4,))]
    torch.testing.assert_close(*(front_end(sound(first[0])) for front_end in first))  # type: ignore[arg-type]


def test_frames_that_fill_up_do_not_count(saved: dict[str, Path]) -> None:
    """W2V-BERT lays two frames of 10 ms side by side; its extractor fills an odd one up."""
    front_end = create_front_end(EmbeddingConfig(backbone=str(saved["w2v-bert"])))
    waveform = sound(front_end, seconds=1.01)  # type: ignore[arg-type]
    extractor = transformers.AutoFeatureExtractor.from_pretrained(saved["w2v-bert"])
    inputs = extractor([*waveform.numpy()], sampling_rate=16_000, return_tensors="pt")
    assert not inputs["attention_mask"].all()
    n_whole = int(inputs["attention_mask"][0].sum())
    with torch.no_grad():
        last = front_end.encoder(**inputs).last_hidden_state  # type: ignore[operator]
    torch.testing.assert_close(front_end(waveform), last[:, :n_whole].mean(dim=1), rtol=0, atol=1e-5)


def test_a_sound_is_heard_alike_in_any_batch_and_twice(saved: dict[str, Path]) -> None:
    front_end = create_front_end(EmbeddingConfig(backbone=str(saved["wav2vec2"])))
    waveform = sound(front_end)  # type: ignore[arg-type]
    whole = front_end(waveform)
    torch.testing.assert_close(front_end(waveform[1:2]), whole[1:2], rtol=0, atol=1e-5)
    assert torch.equal(front_end(waveform), whole)
    assert not whole.requires_grad


def test_what_the_encoder_says_of_itself_is_filled_in(saved: dict[str, Path]) -> None:
    asked = EmbeddingConfig(backbone=str(saved["mert"]), pooling="mean+std")
    config = resolve_front_end(asked)
    assert isinstance(config, EmbeddingConfig)
    assert (config.sample_rate, config.width) == (24_000, SMALL["hidden_size"])
    assert config.columns[:2] == ("mean_0", "mean_1")
    assert config.columns[16:18] == ("std_0", "std_1")
    assert len(config.weights_sha256) == 64
    assert resolve_front_end(config) == config
    assert default_model(config) == "fcnn"


def test_a_known_encoder_need_not_show_that_it_hears(saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = EmbeddingConfig(backbone=str(saved["ast"]), layers=(1, 2))
    known = resolve_front_end(asked)
    assert isinstance(known, EmbeddingConfig)
    heard: list[int] = []
    inputs = Embedding._inputs
    monkeypatch.setattr(Embedding, "_inputs", lambda self, x: heard.append(len(x)) or inputs(self, x))
    assert resolve_front_end(known) == known
    assert heard == []
    assert resolve_front_end(replace(known, width=0)) == known, "only the hash was given"
    assert resolve_front_end(asked) == known
    assert heard == [1, 1]
    front_end = create_front_end(replace(known, layers=(0, 4)))
    with pytest.raises(ModelError, match="no layer 4"):
        front_end(sound(front_end))  # type: ignore[arg-type]


def test_the_hash_is_of_the_weights_wherever_they_lie(saved: dict[str, Path], tmp_path: Path) -> None:
    def digest(folder: Path) -> str:
        config = resolve_front_end(EmbeddingConfig(backbone=str(folder)))
        assert isinstance(config, EmbeddingConfig)
        return config.weights_sha256

    moved = Path(shutil.copytree(saved["hubert"], tmp_path / "moved"))
    assert digest(moved) == digest(saved["hubert"])
    model = transformers.HubertModel.from_pretrained(moved)
    model.save_pretrained(moved, max_shard_size="4KB")
    (moved / "model.safetensors").unlink(missing_ok=True)
    assert len([*moved.glob("*.safetensors")]) > 1
    assert digest(moved) == digest(saved["hubert"]), "in several files"
    with torch.no_grad():
        model.encoder.layers[2].final_layer_norm.bias[0] += 1e-3
    model.save_pretrained(tmp_path / "other")
    shutil.copy(moved / "preprocessor_config.json", tmp_path / "other")
    assert digest(tmp_path / "other") != digest(moved)


def test_other_weights_than_those_of_the_features_are_refused(saved: dict[str, Path]) -> None:
    config = resolve_front_end(EmbeddingConfig(backbone=str(saved["hubert"])))
    assert isinstance(config, EmbeddingConfig)
    with pytest.raises(ModelError, match="has other weights"):
        create_front_end(replace(config, weights_sha256="0" * 64))
    with pytest.raises(ModelError, match="the folder does not exist") as caught:
        create_front_end(replace(config, backbone=f"{saved['hubert']}/elsewhere"))
    assert "bundle.json" in (caught.value.hint or "")


@pytest.mark.parametrize("layer", [4, -5])
def test_a_layer_that_is_not_there_is_refused(saved: dict[str, Path], layer: int) -> None:
    with pytest.raises(ModelError, match=f"no layer {layer}") as caught:
        create_front_end(EmbeddingConfig(backbone=str(saved["hubert"]), layers=(0, layer)))
    assert "0, the input of the first, to 3" in (caught.value.hint or "")


def test_no_layer_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one layer"):
        EmbeddingConfig(layers=())


def copy_of(saved: dict[str, Path], family: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved[family], tmp_path / "copy"))


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_weights_that_would_be_unpickled_are_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(saved, "hubert", tmp_path)
    model = transformers.HubertModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"cannot be loaded: it has no model\.safetensors$") as caught:
        create_front_end(EmbeddingConfig(backbone=str(folder)))
    assert "docs/encoders.md" in (caught.value.hint or "")


def test_files_that_are_missing_are_named(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(saved, "hubert", tmp_path)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"it has no preprocessor_config\.json$"):
        create_front_end(EmbeddingConfig(backbone=str(folder)))
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"it has no config\.json and no preprocessor_config\.json$"):
        create_front_end(EmbeddingConfig(backbone=str(folder)))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_damaged_files_are_one_error(saved: dict[str, Path], tmp_path: Path, name: str) -> None:
    folder = copy_of(saved, "hubert", tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        create_front_end(EmbeddingConfig(backbone=str(folder)))
    assert "get it again" in (caught.value.hint or "")
    assert len(caught.value.message) < 400


def test_code_that_comes_with_a_model_is_not_run_unasked(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(saved, "hubert", tmp_path)
    edit(folder / "config.json", model_type="mine", auto_map={"AutoConfig": "mine.Mine", "AutoModel": "mine.Model"})
    (folder / "mine.py").write_text(
        f"open({str(tmp_path / 'sprung')!r}, 'w').close()\nclass Mine: pass\nclass Model: pass\n"
    )
    with pytest.raises(ModelError, match="its own Python code") as caught:
        create_front_end(EmbeddingConfig(backbone=str(folder)))
    assert "--set front_end.trust_remote_code=true" in (caught.value.hint or "")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_code_is_not_passed_over_where_transformers_could_do_without(
    saved: dict[str, Path], tmp_path: Path, name: str
) -> None:
    folder = copy_of(saved, "hubert", tmp_path)
    edit(folder / name, auto_map={"AutoModel": "mine.Model"})
    with pytest.raises(ModelError, match="its own Python code"):
        create_front_end(EmbeddingConfig(backbone=str(folder)))


def test_code_that_may_be_run_is(saved: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers.dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = copy_of(saved, "hubert", tmp_path)
    edit(folder / "config.json", model_type="mine", auto_map={"AutoConfig": "mine.Mine", "AutoModel": "mine.Model"})
    (folder / "mine.py").write_text(
        "from transformers import HubertConfig, HubertModel\n"
        "class Mine(HubertConfig):\n    model_type = 'mine'\n"
        "class Model(HubertModel):\n    config_class = Mine\n"
    )
    front_end, same = (
        create_front_end(EmbeddingConfig(backbone=str(path), trust_remote_code=True))
        for path in (folder, saved["hubert"])
    )
    assert type(front_end.encoder).__name__ == "Model"
    torch.testing.assert_close(front_end(sound(front_end)), same(sound(same)))  # type: ignore[arg-type]


def test_weights_that_are_missing_are_not_drawn_at_random(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(saved, "wav2vec2", tmp_path)
    edit(folder / "config.json", num_hidden_layers=5)
    with pytest.raises(ModelError, match="lacks weights"):
        create_front_end(EmbeddingConfig(backbone=str(folder)))


def test_what_is_not_there_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        create_front_end(EmbeddingConfig(backbone=str(tmp_path)))
    assert "--set front_end.backbone=PATH-OR-ID" in (caught.value.hint or "")
    with pytest.raises(ModelError, match="cannot be loaded: it is not in the local cache"):
        create_front_end(EmbeddingConfig(backbone="nobody/nothing", local_files_only=True))
    with pytest.raises(ModelError, match="cannot be loaded: the folder does not exist"):
        create_front_end(EmbeddingConfig(backbone=str(tmp_path / "nothing")))


def test_a_model_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    config = transformers.WhisperConfig(
        d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=1, decoder_attention_heads=1,
        encoder_ffn_dim=8, decoder_ffn_dim=8,
    )  # fmt: skip
    transformers.WhisperModel(config).save_pretrained(tmp_path)
    transformers.WhisperFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="is not an audio encoder"):
        create_front_end(EmbeddingConfig(backbone=str(tmp_path)))


def test_a_model_that_hears_nothing_is_refused(tmp_path: Path) -> None:
    text = transformers.BertConfig(**SMALL, vocab_size=20)
    transformers.BertModel(text).save_pretrained(tmp_path / "text")
    codec = transformers.EncodecConfig(
        num_filters=2, hidden_size=8, upsampling_ratios=[2, 2], codebook_size=8, codebook_dim=8
    )
    transformers.EncodecModel(codec).save_pretrained(tmp_path / "codec")
    for name in ("text", "codec"):
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / name)
        with pytest.raises(ModelError, match="is not an audio encoder"):
            create_front_end(EmbeddingConfig(backbone=str(tmp_path / name)))


def test_layers_of_different_shapes_are_not_averaged(tmp_path: Path) -> None:
    """An adapter halves the frames after the last layer."""
    config = transformers.Wav2Vec2BertConfig(
        **SMALL, feature_projection_input_dim=160, conv_depthwise_kernel_size=3, add_adapter=True, num_adapter_layers=1
    )
    transformers.Wav2Vec2BertModel(config).save_pretrained(tmp_path)
    transformers.SeamlessM4TFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="has another shape than the others"):
        create_front_end(EmbeddingConfig(backbone=str(tmp_path), layers=(1, -1)))
    front_end = create_front_end(EmbeddingConfig(backbone=str(tmp_path)))
    waveform = sound(front_end)  # type: ignore[arg-type]
    torch.testing.assert_close(front_end(waveform), states(tmp_path, waveform)[1].mean(dim=1), rtol=0, atol=1e-5)


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match="needs the package transformers") as caught:
        create_front_end(EmbeddingConfig())
    assert "geoclass[pretrained]" in (caught.value.hint or "")


def test_transformers_keeps_its_own_settings(saved: dict[str, Path]) -> None:
    logging = transformers.utils.logging
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    create_front_end(EmbeddingConfig(backbone=str(saved["hubert"])))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
