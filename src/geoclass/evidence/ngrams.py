"""py3langid's model of n-grams, unpacked once: to decompress it costs more than half a second in every program."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoclass.errors import StorageError
from geoclass.storage import atomic_path, cache_dir, fingerprint

_FILE = "languages-{}.safetensors"
_LOADING = Lock()


def log_likelihoods(text: str, languages: Sequence[str]) -> NDArray[np.float64]:
    """Of a text in each language, less that in the likeliest, (n_languages,)."""
    of_language = dict(_shared(tuple(languages)).rank(text))
    raw = np.array([of_language[code] for code in languages], np.float64)
    return np.asarray(raw - raw.max())


def load(languages: Sequence[str]) -> None:
    """Read the model now, if it has not been read; the first time it is unpacked."""
    _shared(tuple(languages))


def _shared(languages: tuple[str, ...]) -> Any:
    """The model; the first caller reads it, and the others wait."""
    with _LOADING:
        return _model(languages)


@cache
def _model(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import LanguageIdentifier

    path = cache_dir() / _FILE.format(fingerprint(version("py3langid"), languages)[:16])
    arrays = _read(path) or _unpack(path, languages)
    return LanguageIdentifier(
        arrays["ptc"],
        arrays["pc"],
        [languages[index] for index in arrays["classes"]],
        arrays["nextmove"].data,  # gives Python's integers, as the walk over a text needs them
        arrays["output"].data,
        tk_row=arrays["row"].data,
    )


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """What `_unpack` kept; {} where nothing is, or nothing that can be read."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (OSError, SafetensorError):
        return {}
    return arrays


def _unpack(path: Path, languages: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The arrays of the model, of these languages only; kept for the next time where the cache can be written."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    model.set_languages(languages)
    arrays = {
        "ptc": np.ascontiguousarray(model.nb_ptc),  # (n_features, n_classes) log-probabilities
        "pc": np.asarray(model.nb_pc),  # (n_classes,) those of the languages
        "classes": np.array([languages.index(code) for code in model.nb_classes]),
        "nextmove": np.array(model.tk_nextmove),  # (n_rows x 256,) the automaton that finds n-grams byte by byte
        "row": np.array(model.tk_row),  # (n_states,) into these rows
        "output": np.array(model.tk_output, np.int32),  # (n_states,) the feature that a state finds, or -1
    }
    with suppress(StorageError, SafetensorError):  # then it is unpacked again next time
        with atomic_path(path) as temporary:
            save_file(arrays, temporary)
        # Of another version, or of a program that ended while it wrote.
        for other in set(path.parent.glob(f"*{_FILE.format('*')}*")) - {path}:
            other.unlink(missing_ok=True)
    return arrays
