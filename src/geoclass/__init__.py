"""Classification of music recordings by country and genre, from their sound and their tags.

`import geoclass` is light: names are resolved when they are first used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "AudioError": "geoclass.errors",
    "Bundle": "geoclass.bundle.bundle",
    "Classifier": "geoclass.inference.classifier",
    "Dataset": "geoclass.dataset.dataset",
    "GeoclassError": "geoclass.errors",
    "apply_plan": "geoclass.tagging.apply",
    "build_dataset": "geoclass.dataset.build",
    "create_model": "geoclass.models.registry",
    "evaluate": "geoclass.evaluation.report",
    "learn": "geoclass.learning.learn",
    "list_models": "geoclass.models.registry",
    "load_audio": "geoclass.audio.decode",
    "draw_map": "geoclass.library.map",
    "plan_tags": "geoclass.tagging.plan",
    "predict": "geoclass.library.predict",
    "train": "geoclass.training.run",
    "undo": "geoclass.tagging.undo",
}
__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'geoclass' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
