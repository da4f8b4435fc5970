"""All networks by name. To add one, write a module with a `Network`, and a line in `MODELS`."""

import difflib
import inspect
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args, get_origin

from geoclass.config.frontends import FrontEndConfig
from geoclass.errors import ModelError
from geoclass.models.attention_cnn import AttentionCnn
from geoclass.models.cnn import Cnn
from geoclass.models.fcnn import Fcnn
from geoclass.models.gated import GatedLinear
from geoclass.models.lstm import AttentionLstm, Lstm
from geoclass.models.network import Network
from geoclass.models.resnet import ResNet
from geoclass.models.wav2vec2_bert import Wav2Vec2Bert

MODELS: dict[str, type[Network]] = {
    "attention-cnn": AttentionCnn,
    "attention-lstm": AttentionLstm,
    "cnn": Cnn,
    "fcnn": Fcnn,
    "gated-linear": GatedLinear,
    "lstm": Lstm,
    "resnet": ResNet,
    "wav2vec2-bert": Wav2Vec2Bert,
}

# Arguments by the names that they had in version 0.1, which bundles and runs of that version hold.
FORMER_NAMES = {"fcnn": {"columns": "encoding", "compress": "asinh"}}

DEFAULTS = ("resnet", "fcnn", "wav2vec2-bert")


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
    arguments = _current_names(name, arguments)
    check_model(name, front_end=front_end, **arguments)
    if n_classes < 1:
        raise ModelError(f"model {name}: n_classes={n_classes}, at least one label is needed")
    try:
        network = MODELS[name](front_end, n_classes, **arguments)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:  # what torch says of impossible sizes
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise ModelError(f"model {name} cannot be created with {given}: {error}") from error
    network.name = name
    if not hasattr(network, "arguments"):
        network.arguments = dict(arguments)
    return network


def default_model(front_end: FrontEndConfig) -> str:
    """The network to train when none is named: the first of `DEFAULTS` that reads the features."""
    return next(name for name in DEFAULTS if front_end.kind in MODELS[name].front_ends)


def check_model(name: str, *, front_end: FrontEndConfig, **arguments: Any) -> None:
    """Refuse a wrong name, front end or argument without making the network or reading anything.

    Raises:
        ModelError: As `create_model`.
    """
    if name not in MODELS:
        close = difflib.get_close_matches(name, MODELS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(list_models())}"
        raise ModelError(f"there is no model {name!r}", hint=hint)
    network, arguments = MODELS[name], _current_names(name, arguments)
    if front_end.kind not in network.front_ends:
        fitting = [other for other in list_models() if front_end.kind in MODELS[other].front_ends]
        raise ModelError(
            f"model {name} reads {' or '.join(network.front_ends)} features, this data set holds {front_end.kind}",
            hint=f"models for {front_end.kind}: {', '.join(fitting)}",
        )
    known = _keywords(network)
    problems = [f"{key} (known: {', '.join(known) or 'none'})" for key in arguments if key not in known]
    for key, value in arguments.items():
        if key not in known:
            continue
        # A network without hidden layers is linear; one without channels is none.
        bare = key == "hidden" or known[key].default == ()
        if expected := _misfit(value, known[key].annotation, may_be_empty=bare):
            problems.append(f"{key}={value!r} (expected {expected})")
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


def _current_names(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    former = FORMER_NAMES.get(name, {})
    return {former.get(key, key): value for key, value in arguments.items()}


def _keywords(network: type[Network]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(network).parameters
    return {key: item for key, item in parameters.items() if item.kind is inspect.Parameter.KEYWORD_ONLY}


def _misfit(value: object, annotation: Any, *, may_be_empty: bool = False) -> str:
    """What is expected when `value` is not of the annotated kind; "" when it is."""
    number = not isinstance(value, bool)  # Python counts True as 1, a configuration should not
    if get_origin(annotation) is Literal:
        return "" if value in get_args(annotation) else " | ".join(map(repr, get_args(annotation)))
    if get_origin(annotation) is Sequence:
        (item,) = get_args(annotation)
        fits = isinstance(value, list | tuple) and not any(_misfit(part, item) for part in value)
        return "" if fits and (value or may_be_empty) else "a list"
    if annotation is int:
        return "" if isinstance(value, int) and number else "a whole number"
    if annotation is float:
        return "" if isinstance(value, int | float) and number else "a number"
    if annotation is bool:
        return "" if isinstance(value, bool) else "true or false"
    if annotation is str:
        return "" if isinstance(value, str) else "text"
    return ""
