"""The registry refuses what cannot work, and says why and what would."""

import pytest
import torch

from geoclass.config.frontends import LogMelConfig, TableConfig, W2vBertConfig
from geoclass.errors import ModelError
from geoclass.models.registry import check_model, create_model, list_models, model_arguments

TABLE = TableConfig(columns=("danceability", "energy", "tempo"))


def test_names_are_listed_by_pattern():
    assert list_models("*cnn") == ["attention-cnn", "cnn", "fcnn"]
    assert list_models("nothing*") == []


@pytest.mark.parametrize(
    ("name", "arguments", "front_end", "message", "hint"),
    [
        ("resnett", {}, LogMelConfig(), "no model 'resnett'", "'resnet'"),
        ("zzzzz", {}, LogMelConfig(), "no model 'zzzzz'", "attention-cnn, attention-lstm, cnn"),
        (
            "resnet",
            {},
            TABLE,
            "reads log-mel features, this data set holds table",
            "models for table: attention-lstm, f",
        ),
        (
            "fcnn",
            {},
            LogMelConfig(),
            "reads table or texture or statistics or descriptors or embedding features",
            "models for log-mel: attention-cnn",
        ),
        ("wav2vec2-bert", {}, LogMelConfig(), "reads w2v-bert features", "attention-cnn"),
        ("resnet", {}, W2vBertConfig(), "reads log-mel features", "wav2vec2-bert"),
        ("cnn", {"droput": 0.1}, LogMelConfig(), "droput (known: channels, dropout)", "models show cnn"),
        ("cnn", {"dropout": "high"}, LogMelConfig(), "dropout='high' (expected a number)", "models show cnn"),
        ("cnn", {"dropout": True}, LogMelConfig(), "dropout=True (expected a number)", "models show"),
        ("cnn", {"channels": []}, LogMelConfig(), "channels=[] (expected a list)", "models show"),
        ("cnn", {"channels": [8, "x"]}, LogMelConfig(), "channels=[8, 'x']", "models show"),
        ("lstm", {"hidden": 2.5}, LogMelConfig(), "hidden=2.5 (expected a whole number)", "models show"),
        ("attention-lstm", {"attention": "soft"}, LogMelConfig(), "'self' | 'additive' | 'dot'", "models show"),
        ("lstm", {}, TABLE, "a table of 3 columns has no time", "--set model.frames"),
        ("lstm", {"frames": 2}, TABLE, "does not divide into frames=2", "--set model.frames"),
        ("lstm", {"frames": 2}, LogMelConfig(), "log-mel features already have frames", "leave model.frames out"),
        ("wav2vec2-bert", {"backbone": 3}, W2vBertConfig(), "backbone=3 (expected text)", "models show"),
    ],
)
def test_what_cannot_work_is_refused_with_a_way_out(name, arguments, front_end, message, hint):
    with pytest.raises(ModelError) as caught:
        create_model(name, n_classes=3, front_end=front_end, **arguments)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_all_wrong_arguments_are_named_at_once():
    with pytest.raises(ModelError) as caught:
        check_model("fcnn", front_end=TABLE, hiden=[3], dropout="x")
    assert "hiden" in caught.value.message
    assert "dropout" in caught.value.message


@pytest.mark.parametrize("arguments", [{"dropout": 3.0}, {"channels": [-3, 2]}])
def test_sizes_that_torch_refuses_are_named(arguments):
    (key,) = arguments
    with pytest.raises(ModelError, match=f"attention-cnn cannot be created with {key}="):
        create_model("attention-cnn", n_classes=3, front_end=LogMelConfig(), **arguments)


def test_no_classes_are_refused():
    with pytest.raises(ModelError, match="n_classes=0"):
        create_model("cnn", n_classes=0, front_end=LogMelConfig())


def test_a_check_makes_no_network(monkeypatch):
    from geoclass.models import registry

    monkeypatch.setitem(registry.MODELS, "resnet", type("Never", (registry.MODELS["resnet"],), {"__init__": None}))
    with pytest.raises(ModelError, match="reads log-mel"):
        check_model("resnet", front_end=TABLE)


def test_arguments_and_their_defaults_can_be_read():
    assert model_arguments("fcnn")["hidden"] == (256, 128, 64)
    with pytest.raises(ModelError, match="no model"):
        model_arguments("nope")


def test_a_network_without_hidden_layers_is_linear():
    network = create_model("fcnn", n_classes=3, front_end=TABLE, hidden=[]).eval()
    rows = torch.randn(2, len(TABLE.columns))
    torch.testing.assert_close(
        network(rows.sum(0, keepdim=True)), network(rows).sum(0, keepdim=True) - network.head.bias
    )
