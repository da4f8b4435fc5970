"""All errors.

Every error that geoclass raises on purpose is a `GeoclassError`: its message says what went wrong and where,
its `hint` what to do next. The command line prints both and exits with `exit_code`.
"""


class GeoclassError(Exception):
    """Root of all errors raised on purpose.

    Args:
        message: What went wrong, and with which file, option or value.
        hint: What the reader can do next, ideally a command to type.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Keeps the hint when an error crosses a process boundary (dask workers).
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(cls: type[GeoclassError], message: str, hint: str | None) -> GeoclassError:
    return cls(message, hint=hint)


class UsageError(GeoclassError):
    """An option or argument that cannot be right."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file or `--set` override that is invalid or contradictory."""


class StorageError(GeoclassError):
    """One of geoclass's own files that cannot be read or written."""


class AudioError(GeoclassError):
    """A sound file that cannot be used: missing, empty, damaged, too short."""


class GeoError(GeoclassError):
    """A place, country or border that cannot be resolved."""


class CorpusError(GeoclassError):
    """A corpus that is not laid out as it should be."""


class DatasetError(GeoclassError):
    """A data set that cannot be built or opened."""


class ModelError(GeoclassError):
    """A network that does not exist or does not fit its input."""


class BundleError(GeoclassError):
    """A saved model that cannot be loaded."""


class DeviceError(GeoclassError):
    """A device that is not available."""


class ClusterError(GeoclassError):
    """A dask cluster that is unreachable, incompatible, or has lost tasks."""


class TrainingError(GeoclassError):
    """A training run that cannot start or go on."""


class EvaluationError(GeoclassError):
    """A model and a data set that cannot be scored together."""


class TaggingError(GeoclassError):
    """A file whose tags cannot be read or written."""
