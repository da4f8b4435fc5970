"""W2V-BERT without network: a tiny random trunk, the transformers feature extractor as oracle of the front end."""

import pytest
import torch
from model_cases import TINY_BERT

from geoclass.config.frontends import W2vBertConfig
from geoclass.errors import ModelError
from geoclass.features.registry import create_front_end
from geoclass.models.registry import create_model

transformers = pytest.importorskip("transformers")


def create(**arguments):
    return create_model("wav2vec2-bert", n_classes=3, front_end=W2vBertConfig(), **arguments)


@pytest.mark.parametrize("n_samples", [80_000, 16_161])
def test_the_front_end_is_the_feature_extractor_of_transformers(n_samples):
    front_end = create_front_end(W2vBertConfig())
    waveform = 0.1 * torch.randn(3, n_samples, generator=torch.Generator().manual_seed(0))
    waveform[1] *= torch.linspace(0, 1, n_samples)
    ours = front_end(waveform)
    expected = transformers.SeamlessM4TFeatureExtractor()(
        list(waveform.numpy()), sampling_rate=16_000, return_tensors="pt", padding=False
    )["input_features"].transpose(1, 2)
    n_frames = ours.shape[2]  # the extractor fills an odd last frame up; we leave it out
    assert ours.shape == (3, *front_end.feature_shape(n_samples))
    assert expected.shape[2] - n_frames in (0, 1)
    assert torch.allclose(ours, expected[..., :n_frames], atol=2e-3)


def test_silence_gives_finite_features():
    assert torch.isfinite(create_front_end(W2vBertConfig())(torch.zeros(1, 16_000))).all()


@pytest.mark.parametrize(("finetune", "learning"), [("frozen", set()), ("partial", {1}), ("full", {0, 1})])
def test_what_learns_is_what_was_asked_for(finetune, learning):
    network = create(backbone_config=TINY_BERT, finetune=finetune, unfrozen_layers=1).train()
    network(torch.randn(2, 160, 20)).sum().backward()
    layers = network.trunk.encoder.layers
    for number, layer in enumerate(layers):
        assert {parameter.grad is not None for parameter in layer.parameters()} == {number in learning}, number
    assert network.head.weight.grad is not None
    assert network.trunk.training is (finetune != "frozen")


def test_a_backbone_folder_is_loaded_and_its_bundle_needs_it_no_more(tmp_path):
    trunk = transformers.Wav2Vec2BertModel(transformers.Wav2Vec2BertConfig(**TINY_BERT))
    trunk.save_pretrained(tmp_path / "backbone")
    network = create(backbone=str(tmp_path / "backbone")).eval()
    for key, value in network.trunk.state_dict().items():
        assert torch.equal(value, trunk.state_dict()[key]), key

    for file in (tmp_path / "backbone").iterdir():
        file.unlink()
    again = create(**network.arguments).eval()
    again.load_state_dict(network.state_dict())
    x = torch.randn(2, 160, 20)
    with torch.inference_mode():
        assert torch.equal(again(x), network(x))


def test_a_missing_backbone_is_named_with_a_hint(tmp_path):
    with pytest.raises(ModelError, match="backbone") as caught:
        create(backbone=str(tmp_path))
    assert "--set model.backbone" in caught.value.hint


def test_a_backbone_of_other_features_is_refused():
    with pytest.raises(ModelError, match="reads 80 values per frame"):
        create(backbone_config={**TINY_BERT, "feature_projection_input_dim": 80})


def test_without_transformers_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError) as caught:
        create(backbone_config=TINY_BERT)
    assert "geoclass[wav2vec2-bert]" in caught.value.hint
