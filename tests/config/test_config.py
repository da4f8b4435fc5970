"""Configurations: there and back, overridden, and refused with every reason at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoclass.config.frontends import EmbeddingConfig, LogMelConfig, TableConfig, TextureConfig
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
    ("override", "message", "hint"),
    [
        ("training.lrr=1", "training.lrr is not a setting", "did you mean training.lr?"),
        ("trainig.lr=1", "trainig is not a setting", "did you mean training?"),
        ("training.zzz=1", "training.zzz is not a setting", "expected one of balanced_sampling, batch_size"),
        ("training.lr=fast", "training.lr='fast': expected a number", "the default is training.lr=0.001"),
        ("training.epochs=1.5", "training.epochs=1.5: expected a whole number", "the default is training.epochs=50"),
        ("training.epochs=true", "training.epochs=True: expected a whole number", "training.epochs=50"),
        ("training.lr=true", "training.lr=True: expected a number", "training.lr=0.001"),
        ("training.compile=1", "training.compile=1: expected true or false", "training.compile=false"),
        ("training.schedule=cosin", "expected one of plateau, cosine, none", "did you mean cosine?"),
        ("training.schedule=warp", "expected one of plateau, cosine, none", "training.schedule=plateau"),
        ("training=3", "training=3: expected a section of settings", None),
        ("model.arguments=3", "model.arguments=3: expected a section of settings", None),
        ("training", "expected KEY=VALUE", "--set training.lr=3e-4"),
        ("task.deep=1", "task is a setting, not a section", "--set task=VALUE"),
        ("training.lr=-1", "lr must be positive", None),
    ],
)
def test_a_wrong_override_says_why_and_what_next(override: str, message: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        with_overrides(RunConfig(), [override])
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        ("front_end.kind=logmel", "front_end.kind='logmel': expected one of ", "did you mean log-mel?"),
        ("front_end=log-mel", "front_end='log-mel': expected a section", "front_end.kind"),
        ("countries=TR", "countries='TR': expected a list such as ['TR', 'VN']", ""),
        ("countries=[1]", "countries=1: expected text", ""),
        ("top_countries=many", "top_countries='many': expected a whole number", ""),
        ("front_end.n_mel=3", "front_end.n_mel is not a setting", "did you mean front_end.n_mels?"),
    ],
)
def test_a_wrong_setting_of_a_data_set_says_why(override: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_overrides(BuildConfig(), [override])
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_wrong_setting_of_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "my config.toml").write_text("[training]\nlrr = 1\n")
    with pytest.raises(ConfigError) as caught:
        load_toml(RunConfig, tmp_path / "my config.toml")
    assert caught.value.message == f"{tmp_path}/my config.toml: training.lrr is not a setting"
    assert caught.value.hint == "did you mean training.lr?"


def test_all_wrong_keys_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(RunConfig, {"modle": {}, "training": {"epoch": 3, "batch": 2}})
    assert all(name in caught.value.message for name in ("modle", "epoch", "batch"))


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("lr == 3\n")
    with pytest.raises(ConfigError, match=r"config\.toml is not valid TOML.*line 1") as caught:
        load_toml(RunConfig, tmp_path / "config.toml")
    assert 'schedule = "cosine"' in (caught.value.hint or "")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*nothing\.toml: No such file") as caught:
        load_toml(RunConfig, tmp_path / "nothing.toml")
    assert "config.toml" in (caught.value.hint or "")


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


def test_another_kind_of_front_end_keeps_nothing_of_the_old_one() -> None:
    small = with_overrides(BuildConfig(), ["front_end.n_mels=32", "front_end.sample_rate=16000"])
    changed = with_overrides(small, ["front_end.kind=texture", "front_end.frame_length=512"])
    assert changed.front_end == TextureConfig(frame_length=512), "its own sample rate, and what follows holds"


def test_a_kind_may_be_named_after_its_settings() -> None:
    overrides = [
        "front_end.backbone=me/mine",
        "front_end.layers=[1]",
        "front_end.kind=embedding",
        "front_end.layers=[2]",
    ]
    front_end = with_overrides(BuildConfig(), overrides).front_end
    assert front_end == EmbeddingConfig(backbone="me/mine", layers=(2,)), "the last word counts"


def test_a_setting_of_another_kind_is_named_with_it() -> None:
    with pytest.raises(ConfigError, match=r"front_end\.backbone is not a setting") as caught:
        with_overrides(BuildConfig(), ["front_end.backbone=me/mine"])
    assert caught.value.hint == "it belongs to another kind: front_end.kind=embedding"
    with pytest.raises(ConfigError, match=r"expected a list such as \[-1\]$"):
        with_overrides(BuildConfig(), ["front_end.kind=embedding", "front_end.layers=-1"])
