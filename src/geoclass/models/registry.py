"""All networks by name. To add one: write a module with a `Network`, and a line in `MODELS`."""

import difflib
import inspect
from fnmatch import fnmatchcase
from typing import Any

from geoclass.config import FrontEndConfig
from geoclass.errors import ModelError
from geoclass.models.attention_cnn import AttentionCnn
from geoclass.models.network import Network

MODELS: dict[str, type[Network]] = {
    "attention-cnn": AttentionCnn,
}


def list_models(pattern: str = "*") -> list[str]:
    """Names of the networks that match a shell pattern ("*cnn"), sorted."""
    return sorted(name for name in MODELS if fnmatchcase(name, pattern))


def create_model(name: str, *, n_classes: int, front_end: FrontEndConfig, **arguments: Any) -> Network:
    """Make a network with fresh weights.

    Args:
        name: One of `list_models()`.
        n_classes: Number of logits: all labels of all tasks together.
        front_end: What computes the features that the network will read.
        **arguments: Those that differ from the network's own defaults.

    Raises:
        ModelError: No such network, an argument that it does not take, a value that it cannot take, or a front end
            that it cannot read.
    """
    check_model(name, front_end=front_end, **arguments)
    if n_classes < 1:
        raise ModelError(f"model {name}: n_classes={n_classes}, at least one label is needed")
    try:
        network = MODELS[name](front_end, n_classes, **arguments)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:  # what torch says of impossible sizes
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise ModelError(f"model {name} cannot be made with {given}: {error}") from error
    network.name = name
    if not hasattr(network, "arguments"):
        network.arguments = dict(arguments)
    return network


def check_model(name: str, *, front_end: FrontEndConfig, **arguments: Any) -> None:
    """Refuse a wrong name, front end or argument without making the network or reading anything.

    Raises:
        ModelError: As `create_model`.
    """
    if name not in MODELS:
        close = difflib.get_close_matches(name, MODELS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(list_models())}"
        raise ModelError(f"there is no model {name!r}", hint=hint)
    network = MODELS[name]
    if front_end.kind not in network.front_ends:
        fitting = [other for other in list_models() if front_end.kind in MODELS[other].front_ends]
        raise ModelError(
            f"model {name} reads {' or '.join(network.front_ends)} features, this data set holds {front_end.kind}",
            hint=f"models for {front_end.kind}: {', '.join(fitting)}",
        )
    known = {key: item.default for key, item in _keywords(network).items()}
    problems = [
        f"{key} (known: {', '.join(known) or 'none'})" if key not in known else f"{key}={value!r}, expected {kind}"
        for key, value in arguments.items()
        if (kind := _misfit(value, known.get(key))) or key not in known
    ]
    if problems:
        raise ModelError(f"model {name} does not take {'; '.join(problems)}", hint=f"see `geoclass models show {name}`")


def model_arguments(name: str) -> dict[str, Any]:
    """The arguments of a network with their defaults.

    Raises:
        ModelError: No such network.
    """
    if name not in MODELS:
        raise ModelError(f"there is no model {name!r}", hint=f"known: {', '.join(list_models())}")
    return {key: item.default for key, item in _keywords(MODELS[name]).items()}


def _keywords(network: type[Network]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(network).parameters
    return {key: item for key, item in parameters.items() if item.kind is inspect.Parameter.KEYWORD_ONLY}


def _misfit(value: object, default: object) -> str:
    """What kind of value is expected, judged by the default; "" when `value` is of that kind."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, int):
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    if isinstance(default, float):
        return "" if isinstance(value, int | float) and not isinstance(value, bool) else "a number"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "a text"
    if isinstance(default, tuple):
        fits = isinstance(value, list | tuple) and not any(_misfit(item, default[0]) for item in value)
        return "" if fits else f"a list, such as {list(default)}"
    return ""
