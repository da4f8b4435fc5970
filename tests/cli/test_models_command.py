"""What `models show` prints of a network can be given to `train` as it stands."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.config.settings import ModelConfig, RunConfig
from geoclass.config.toml import override, parse_value, with_overrides
from geoclass.models.registry import MODELS, check_model, model_arguments
from geoclass.training.sweep import expand_grid


@pytest.mark.parametrize("name", MODELS)
def test_every_line_of_models_show_is_an_option_of_train(name: str, table_of_kinds: dict[str, object]) -> None:
    shown = CliRunner().invoke(app, ["models", "show", name]).stdout
    words = [shlex.split(line) for line in shown.splitlines() if line.startswith("  --set")]
    assert all(len(line) == 2 for line in words)
    overrides = [line[1] for line in words]
    assert all(len(expand_grid([one])) == 1 for one in overrides), "no list is taken for a grid"
    config = with_overrides(RunConfig(model=ModelConfig(name=name)), overrides)
    check_model(name, front_end=table_of_kinds[MODELS[name].front_ends[0]], **config.model.arguments)  # type: ignore[arg-type]
    expected = {key: value for key, value in model_arguments(name).items() if value is not None}
    found = {key: tuple(value) if isinstance(value, list) else value for key, value in config.model.arguments.items()}
    assert found == expected
    assert re.search(r"--set \S*model\.dropout=", shown)


@pytest.fixture
def table_of_kinds() -> dict[str, object]:
    from geoclass.config.frontends import LogMelConfig, TableConfig, W2vBertConfig

    return {"table": TableConfig(columns=("a", "b")), "log-mel": LogMelConfig(), "w2v-bert": W2vBertConfig()}


@pytest.mark.parametrize(
    "value", [True, False, 3, -0.5, 1e-4, "plain", "3", "true", 'a "quoted" Ä', (1, 2), ["a", "b,c"], []]
)
def test_a_value_comes_back_from_its_text(value: object) -> None:
    key, _, text = override("model.x", value).partition("=")
    assert key == "model.x"
    assert parse_value(text) == (list(value) if isinstance(value, tuple) else value)
