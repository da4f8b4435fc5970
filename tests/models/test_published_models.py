"""The reproduced systems have the sizes that were published; presets hold the settings."""

import numpy as np
import pytest
import torch
from torch import nn

from geoclass.config.frontends import LogMelConfig, TableConfig, W2vBertConfig
from geoclass.config.settings import RunConfig
from geoclass.config.toml import from_dict, to_dict
from geoclass.errors import ConfigError
from geoclass.models.registry import MODELS, check_model, create_model
from geoclass.presets import list_presets, load_preset

FRONT_ENDS = {
    "log-mel": LogMelConfig(),
    "table": TableConfig(columns=tuple(f"c{number}" for number in range(13))),
    "w2v-bert": W2vBertConfig(),
}


def sizes(network, kind):
    return [tuple(module.weight.shape) for module in network.modules() if isinstance(module, kind)]


def test_attention_cnn():
    network = create_model("attention-cnn", n_classes=3, front_end=LogMelConfig())
    assert sizes(network, nn.Conv1d) == [(512, 256, 3), (1, 512, 1), (256, 512, 3), (128, 256, 3)]
    assert sizes(network, nn.Linear) == [(128, 128), (64, 128), (32, 64), (3, 32)]
    assert {module.p for module in network.modules() if isinstance(module, nn.Dropout)} == {0.3}
    assert network.first(torch.zeros(1, 256, 216)).shape == (1, 512, 108), "time halves in each block"


def test_attention_cnn_looks_where_its_gate_opens():
    network = create_model("attention-cnn", n_classes=3, front_end=LogMelConfig(n_mels=16)).eval()
    with torch.no_grad():
        network.frame_gate.weight.fill_(4 / 512)
        network.frame_gate.bias.fill_(-4.0)
        network.first[0].weight.fill_(0.1)
    x = torch.zeros(1, 16, 80)
    x[:, :, 60:] = 1.0
    weights = network.attention_map(x)[0]
    assert weights[64:].mean() > 3 * weights[:56].mean()


def test_fcnn():
    network = create_model("fcnn", n_classes=57, front_end=FRONT_ENDS["table"])
    assert sizes(network, nn.Linear) == [(256, 13), (128, 256), (64, 128), (57, 64)]
    assert sizes(network, nn.BatchNorm1d) == [(256,), (128,), (64,)]


def test_cnn():
    network = create_model("cnn", n_classes=10, front_end=LogMelConfig(n_mels=128))
    assert sizes(network, nn.Conv2d) == [(32, 1, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (256, 128, 3, 3)]
    assert network.dropout.p == 0.5


@pytest.mark.parametrize("name", ["lstm", "attention-lstm"])
def test_lstm(name):
    network = create_model(name, n_classes=10, front_end=LogMelConfig(n_mels=128))
    assert (network.lstm.num_layers, network.lstm.hidden_size, network.lstm.bidirectional) == (2, 128, True)
    assert network.head.in_features == 256


def test_self_attention_is_scaled_dot_product_attention_averaged_over_frames():
    network = create_model("attention-lstm", n_classes=4, front_end=LogMelConfig(n_mels=8), hidden=6).eval()
    x = torch.randn(2, 8, 11)
    with torch.inference_mode():
        states, _ = network.states(x)
        query, key, value = network.query(states), network.key(states), network.value(states)
        expected = nn.functional.scaled_dot_product_attention(query, key, value).mean(dim=1)
        assert torch.allclose(network.embed(x), expected, atol=1e-6)


def test_a_table_with_time_is_read_moment_by_moment():
    columns = tuple(f"{name}@{moment}" for moment in range(3) for name in ("low", "high"))
    on_table = create_model("lstm", n_classes=4, front_end=TableConfig(columns=columns), frames=3).eval()
    x = torch.tensor([[1.0, 10.0, 2.0, 20.0, 3.0, 30.0]])
    with torch.inference_mode():
        states, _ = on_table.lstm(torch.tensor([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]]))
        assert torch.equal(on_table.states(x)[0], states)


def test_the_presets_are_these():
    assert list_presets() == sorted(
        [
            *(
                "attention-cnn-fma",
                "attention-lstm-fma",
                "cnn-fma",
                "embedding-head",
                "fcnn-gtzan",
                "fcnn-mirage",
                "fcnn-uci",
            ),
            "lstm-fma",
            *("resnet", "resnet-small", "wav2vec2-bert-fma"),
        ]
    )


@pytest.mark.parametrize("name", list_presets())
def test_a_preset_is_a_run_that_its_model_accepts(name):
    preset = load_preset(name)
    (kind, *_) = MODELS[preset.model.name].front_ends
    check_model(preset.model.name, front_end=FRONT_ENDS[kind], **preset.model.arguments)
    assert from_dict(RunConfig, to_dict(preset)) == preset


def test_the_published_settings_are_in_the_presets():
    fma = load_preset("attention-cnn-fma").training
    assert (fma.lr, fma.weight_decay, fma.batch_size, fma.label_smoothing, fma.mask_fraction) == (
        1e-4,
        1e-4,
        48,
        0.1,
        0.1,
    )
    for name in ("fcnn-mirage", "cnn-fma", "lstm-fma", "attention-lstm-fma"):
        mirage = load_preset(name).training
        assert (mirage.lr, mirage.batch_size, mirage.epochs, mirage.plateau_patience) == (1e-3, 32, 50, 5)
        assert (mirage.early_stopping, mirage.plateau_factor, mirage.grad_clip) == (10, 0.5, 1.0)


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        load_preset("nope")
    assert "fcnn-mirage" in caught.value.hint


def test_resnet_sees_the_cepstra_of_its_input():
    from scipy.fft import dct

    network = create_model("resnet", n_classes=4, front_end=LogMelConfig(n_mels=20), n_cepstra=7).eval()
    x = torch.randn(3, 20, 50)
    cepstra = dct(x.numpy(), axis=1, norm="ortho")[:, :7]
    changes = [cepstra[:, :, lag:] - cepstra[:, :, :-lag] for lag in (1, 4, 16)]
    expected = [cepstra.mean(axis=2), *(part.std(axis=2) for part in (cepstra, *changes))]
    with torch.inference_mode():
        statistics = network.embed(x)[:, -35:]
    assert np.allclose(statistics, np.concatenate(expected, axis=1), atol=1e-4)
