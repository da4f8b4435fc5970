"""Configurations: there and back, overridden, and refused with every reason at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoclass.config.frontends import LogMelConfig, TableConfig
from geoclass.config.settings import BuildConfig, ModelConfig, RunConfig, TrainingConfig
from geoclass.config.toml import from_dict, load_toml, parse_value, save_toml, to_dict, with_overrides
from geoclass.errors import ConfigError

CONFIGS = [
    RunConfig(),
    RunConfig(task="genre", model=ModelConfig(name="cnn", arguments={"dropout": 0.5, "channels": [8, 16]})),
    BuildConfig(countries=("TR", "VN"), front_end=LogMelConfig(n_mels=128)),
    BuildConfig(seed=3, front_end=TableConfig(columns=("a", "b"))),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_there_and_back(config: object, tmp_path: Path) -> None:
    assert from_dict(type(config), to_dict(config)) == config
    save_toml(config, tmp_path / "config.toml")
    assert load_toml(type(config), tmp_path / "config.toml") == config


def test_overrides_reach_every_level() -> None:
    config = with_overrides(RunConfig(), ["training.lr=3e-4", "model.name=cnn", "model.attention=dot", "task=genre"])
    assert config.training.lr == 3e-4
    assert config.model == ModelConfig(name="cnn", arguments={"attention": "dot"})
    assert config.task == "genre"
    built = with_overrides(BuildConfig(), ["front_end.n_mels=64", "countries=['TR', 'VN']"])
    assert built.front_end == LogMelConfig(n_mels=64)
    assert built.countries == ("TR", "VN")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.lrr=1", "lrr is not a setting"),
        ("training.lr=fast", "lr='fast' is not a float"),
        ("training.epochs=1.5", "epochs=1.5 is not a int"),
        ("training.compile=1", "compile=1 is not a bool"),
        ("training.schedule=warp", "not one of plateau, cosine, none"),
        ("training", "expected KEY=VALUE"),
        ("task.deep=1", "is a value, not a section"),
        ("training.lr=-1", "lr must be positive"),
    ],
)
def test_a_wrong_override_says_why(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_overrides(RunConfig(), [override])


def test_all_wrong_keys_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(RunConfig, {"modle": {}, "training": {"epoch": 3, "batch": 2}})
    assert all(name in caught.value.message for name in ("modle", "epoch", "batch"))


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("training = [")
    with pytest.raises(ConfigError, match=r"config\.toml is not valid TOML"):
        load_toml(RunConfig, tmp_path / "config.toml")


def test_bands_above_half_the_sample_rate_are_refused() -> None:
    with pytest.raises(ConfigError, match="half"):
        LogMelConfig(sample_rate=8_000)


@given(st.text(alphabet="abc 1.e-[]'", max_size=12))
def test_any_text_is_a_value(text: str) -> None:
    parse_value(text)


def test_defaults_are_the_published_front_end() -> None:
    config = LogMelConfig()
    assert (config.sample_rate, config.n_fft, config.hop_length, config.n_mels) == (22_050, 2_048, 512, 256)
    assert (config.f_min_hz, config.f_max_hz) == (20, 8_000)
    assert BuildConfig().segment_seconds == 5
    assert TrainingConfig().label_smoothing == 0.1
