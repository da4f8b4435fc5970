"""The models that a policy asks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geoclass.tagging.policy import Policy

if TYPE_CHECKING:
    from geoclass.inference.classifier import Classifier


def load_classifier(models: Sequence[str], policy: Policy, *, device: str, **options: Any) -> "Classifier | None":
    """The models named, or those that predict the fields; None where no sound is asked for, or no model would count.

    Beside other witnesses, a model of the country that is never sure would not count, and is left out.

    Args:
        models: Names or folders; empty: the model learned from the library and the built-in ones.
        policy: The fields, and the witnesses.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        options: Of `Classifier`.
    """
    from geoclass.bundle.bundle import Bundle
    from geoclass.bundle.catalogue import models_for
    from geoclass.inference.classifier import Classifier

    chosen: list[str | Path] = list(models)
    if policy.fields == ("country",) and policy.pools and not policy.asks_sound:
        return None
    if not chosen:
        chosen += models_for(policy.fields, unless_mute=("country",) if policy.asks_others else ())
        if not chosen:
            return None
    return Classifier([Bundle.load(name, device=device) for name in chosen], **options)
